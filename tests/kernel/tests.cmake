hpot_add_test(kernel/lanes SOURCE ${CMAKE_CURRENT_LIST_DIR}/lanes_test.cpp)
hpot_add_test(kernel/axis_kernels SOURCE ${CMAKE_CURRENT_LIST_DIR}/axis_kernels_test.cpp)
hpot_add_test(kernel/operator SOURCE ${CMAKE_CURRENT_LIST_DIR}/operator_test.cpp)
hpot_add_test(kernel/dense SOURCE ${CMAKE_CURRENT_LIST_DIR}/dense_test.cpp)
hpot_add_test(kernel/windows SOURCE ${CMAKE_CURRENT_LIST_DIR}/windows_test.cpp)
hpot_add_test(kernel/distributed SOURCE ${CMAKE_CURRENT_LIST_DIR}/distributed_test.cpp RANKS 1 2 3)

# The scalar form of the kernels, which GPUs run, on the CPU.
hpot_add_test(kernel/operator_scalar SOURCE ${CMAKE_CURRENT_LIST_DIR}/operator_test.cpp)
target_sources(test_kernel_operator_scalar PRIVATE ${PROJECT_SOURCE_DIR}/src/kernel/axis_kernels.cpp)
target_compile_definitions(test_kernel_operator_scalar PRIVATE HPOT_LANES=1)
hpot_add_test(kernel/dense_scalar SOURCE ${CMAKE_CURRENT_LIST_DIR}/dense_test.cpp)
target_sources(test_kernel_dense_scalar PRIVATE ${PROJECT_SOURCE_DIR}/src/kernel/dense.cpp ${PROJECT_SOURCE_DIR}/src/kernel/stored.cpp)
target_compile_definitions(test_kernel_dense_scalar PRIVATE HPOT_LANES=1)
