# cmake -DBUILD_DIR= -DSOURCE_DIR= -DWORK_DIR= -DMPIEXEC= [-DFORWARD=-DX=Y;...] -P install_and_build.cmake
# Installs BUILD_DIR into a fresh prefix, builds the consumer against it and runs that on two ranks.
function(step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " line)
    message(FATAL_ERROR "failed (${status}): ${line}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})
step(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${WORK_DIR}/prefix --component development)
step(${CMAKE_COMMAND} -S ${SOURCE_DIR} -B ${WORK_DIR}/build -DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix ${FORWARD})
step(${CMAKE_COMMAND} --build ${WORK_DIR}/build)
step(${MPIEXEC} --oversubscribe -n 2 ${WORK_DIR}/build/consumer)
file(REMOVE_RECURSE ${WORK_DIR})
