hpot_add_test(core/memory SOURCE ${CMAKE_CURRENT_LIST_DIR}/memory_test.cpp)
hpot_add_test(core/options SOURCE ${CMAKE_CURRENT_LIST_DIR}/options_test.cpp RANKS 1 2)
hpot_add_test(core/partition SOURCE ${CMAKE_CURRENT_LIST_DIR}/partition_test.cpp RANKS 1 2 3)
hpot_add_test(core/sha256 SOURCE ${CMAKE_CURRENT_LIST_DIR}/sha256_test.cpp)
