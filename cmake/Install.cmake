# find_package(hpot) for other projects: library, headers and the package file. Component `development`; programs are
# installed by drivers/. The paths of HDF5, niftilib, giftiio, CHOLMOD and libLBFGS, which have no dependable packages of their own, are
# recorded.
include(CMakePackageConfigHelpers)
set(hpot_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/hpot)

set_target_properties(hpot_hdf5 PROPERTIES EXPORT_NAME hdf5)
set_target_properties(hpot_nifti PROPERTIES EXPORT_NAME nifti)
set_target_properties(hpot_gifti PROPERTIES EXPORT_NAME gifti)
set_target_properties(hpot_cholmod PROPERTIES EXPORT_NAME cholmod)
set_target_properties(hpot_lbfgs PROPERTIES EXPORT_NAME lbfgs)
install(TARGETS hpot hpot_hdf5 hpot_nifti hpot_gifti hpot_cholmod hpot_lbfgs EXPORT hpot-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/hpot DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
        FILES_MATCHING PATTERN "*.hpp")
install(EXPORT hpot-targets NAMESPACE hpot:: DESTINATION ${hpot_package_dir} COMPONENT development)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/hpot-config.cmake.in
                              ${PROJECT_BINARY_DIR}/hpot-config.cmake INSTALL_DESTINATION ${hpot_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hpot-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hpot-config.cmake ${PROJECT_BINARY_DIR}/hpot-config-version.cmake
        DESTINATION ${hpot_package_dir} COMPONENT development)
