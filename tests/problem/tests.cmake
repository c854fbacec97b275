hpot_add_test(problem/penalty SOURCE ${CMAKE_CURRENT_LIST_DIR}/penalty_test.cpp)
hpot_add_test(problem/values SOURCE ${CMAKE_CURRENT_LIST_DIR}/values_test.cpp)
