hpot_add_test(solver/schedule SOURCE ${CMAKE_CURRENT_LIST_DIR}/schedule_test.cpp)
hpot_add_test(solver/acceleration SOURCE ${CMAKE_CURRENT_LIST_DIR}/acceleration_test.cpp)
hpot_add_test(solver/invariants SOURCE ${CMAKE_CURRENT_LIST_DIR}/invariants_test.cpp)
hpot_add_test(solver/closed_forms SOURCE ${CMAKE_CURRENT_LIST_DIR}/closed_forms_test.cpp)
hpot_add_test(solver/gaussians SOURCE ${CMAKE_CURRENT_LIST_DIR}/gaussians_test.cpp)
hpot_add_test(solver/barycenter SOURCE ${CMAKE_CURRENT_LIST_DIR}/barycenter_test.cpp)
hpot_add_test(solver/hostile SOURCE ${CMAKE_CURRENT_LIST_DIR}/hostile_test.cpp)
hpot_add_test(solver/ranks SOURCE ${CMAKE_CURRENT_LIST_DIR}/ranks_test.cpp RANKS 1 2 3)

# The exact reference. Debian's package calls itself lemon in CMake; its network simplex lives in headers.
find_package(lemon REQUIRED CONFIG)
hpot_add_test(solver/simplex SOURCE ${CMAKE_CURRENT_LIST_DIR}/simplex_test.cpp LIBRARIES ${LEMON_LIBRARIES})
target_include_directories(test_solver_simplex SYSTEM PRIVATE ${LEMON_INCLUDE_DIRS})
