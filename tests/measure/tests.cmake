hpot_add_test(measure/grid SOURCE ${CMAKE_CURRENT_LIST_DIR}/grid_test.cpp)
hpot_add_test(measure/synthetic SOURCE ${CMAKE_CURRENT_LIST_DIR}/synthetic_test.cpp)
hpot_add_test(measure/point_cloud SOURCE ${CMAKE_CURRENT_LIST_DIR}/point_cloud_test.cpp)
hpot_add_test(measure/synthetic_extras SOURCE ${CMAKE_CURRENT_LIST_DIR}/synthetic_extras_test.cpp)
