add_test(NAME scripts/check_layers COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/check_layers_test.sh ${PROJECT_SOURCE_DIR})
set_tests_properties(scripts/check_layers PROPERTIES TIMEOUT 60 LABELS unit)
