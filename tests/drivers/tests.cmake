# The programs as users run them: tests in Python, of exit codes, messages and files. Skipped where h5py or nibabel is
# missing, or where there are no real data.
find_program(HPOT_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(HPOT_PYTHON python3)

# hpot_add_driver_test(name file timeout [environment]...)
# Programs mostly start, wait for one another and end, on one thread a rank: two such tests can share two cores.
function(hpot_add_driver_test name file timeout)
  add_test(NAME drivers/${name} COMMAND ${HPOT_PYTHON} -B ${PROJECT_SOURCE_DIR}/tests/drivers/${file})
  set_tests_properties(drivers/${name} PROPERTIES TIMEOUT ${timeout} LABELS driver PROCESSORS 1 SKIP_RETURN_CODE 77
    ENVIRONMENT "HPOT_BIN=${PROJECT_BINARY_DIR}/drivers;HPOT_SOURCE_DIR=${PROJECT_SOURCE_DIR};HPOT_MPIEXEC=${MPIEXEC_EXECUTABLE};${ARGN}")
endfunction()

if(NOT HPOT_PYTHON)
  message(STATUS "No python3: the tests of the programs are left out")
  return()
endif()
hpot_add_driver_test(configs configs_test.py 300)
hpot_add_driver_test(maps maps_test.py 300)
hpot_add_driver_test(colors colors_test.py 120)
hpot_add_driver_test(outcomes outcomes_test.py 300)
hpot_add_driver_test(bad_input bad_input_test.py 300 HPOT_TEST_RANKS=1)
hpot_add_driver_test(bad_input.3ranks bad_input_test.py 300 HPOT_TEST_RANKS=3)
hpot_add_driver_test(one_rank one_rank_test.py 120)
hpot_add_driver_test(real_data real_data_test.py 300)
hpot_add_driver_test(bench bench_test.py 60)
hpot_add_driver_test(restart restart_test.py 600)
hpot_add_driver_test(restart.kills restart_test.py 3000 HPOT_TEST_KILLS=200)
set_tests_properties(drivers/restart.kills PROPERTIES LABELS "driver;slow")
hpot_add_driver_test(memory memory_test.py 600)
hpot_add_driver_test(clouds clouds_test.py 300)
hpot_add_driver_test(study study_test.py 120)
hpot_add_driver_test(binding binding_test.py 60)
hpot_add_driver_test(outputs outputs_test.py 300)
hpot_add_driver_test(distances distances_test.py 300)
hpot_add_driver_test(scaling scaling_test.py 200)
hpot_add_driver_test(free_support free_support_test.py 300)
hpot_add_driver_test(coordinates coordinates_test.py 600)
set_tests_properties(drivers/bench drivers/scaling PROPERTIES PROCESSORS 2)  # measure times
