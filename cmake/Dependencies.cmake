# What HPOT stands on. Every package is the system's own, but for Kokkos with HPOT_FETCH_KOKKOS.
find_package(MPI 3.1 REQUIRED COMPONENTS CXX)
set(HDF5_PREFER_PARALLEL ON)
find_package(HDF5 REQUIRED COMPONENTS C)
if(NOT HDF5_IS_PARALLEL)
  message(FATAL_ERROR "HDF5 was found without MPI: install a parallel HDF5 (Debian: libhdf5-openmpi-dev) or set HDF5_ROOT")
endif()
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)

if(HPOT_FETCH_KOKKOS)
  include(FetchContent)
  set(Kokkos_ENABLE_OPENMP ON CACHE BOOL "")
  FetchContent_Declare(Kokkos URL https://github.com/kokkos/kokkos/releases/download/5.0.0/kokkos-5.0.0.tar.gz)
  FetchContent_MakeAvailable(Kokkos)
else()
  find_package(Kokkos 4.4 QUIET)
  if(NOT Kokkos_FOUND)
    find_package(Kokkos 5 REQUIRED)
  endif()
endif()

add_library(hpot_hdf5 INTERFACE)
target_include_directories(hpot_hdf5 INTERFACE ${HDF5_C_INCLUDE_DIRS})
target_compile_definitions(hpot_hdf5 INTERFACE ${HDF5_C_DEFINITIONS})
target_link_libraries(hpot_hdf5 INTERFACE ${HDF5_C_LIBRARIES} MPI::MPI_CXX)

# niftilib has no CMake package.
find_path(NIFTI_INCLUDE_DIR nifti1_io.h PATH_SUFFIXES nifti REQUIRED)
find_library(NIFTI_LIBRARY niftiio REQUIRED)
find_library(ZNZ_LIBRARY znz REQUIRED)
add_library(hpot_nifti INTERFACE)
target_include_directories(hpot_nifti INTERFACE ${NIFTI_INCLUDE_DIR})
target_link_libraries(hpot_nifti INTERFACE ${NIFTI_LIBRARY} ${ZNZ_LIBRARY} ZLIB::ZLIB)

# Neither has giftiio, which includes niftilib's header.
find_path(GIFTI_INCLUDE_DIR gifti_io.h PATH_SUFFIXES gifti REQUIRED)
find_library(GIFTI_LIBRARY giftiio REQUIRED)
add_library(hpot_gifti INTERFACE)
target_include_directories(hpot_gifti INTERFACE ${GIFTI_INCLUDE_DIR})
target_link_libraries(hpot_gifti INTERFACE ${GIFTI_LIBRARY} hpot_nifti)

# CHOLMOD: SuiteSparse's CMake packages come with its version 7 only.
find_path(CHOLMOD_INCLUDE_DIR cholmod.h PATH_SUFFIXES suitesparse REQUIRED)
find_library(CHOLMOD_LIBRARY cholmod REQUIRED)
add_library(hpot_cholmod INTERFACE)
target_include_directories(hpot_cholmod INTERFACE ${CHOLMOD_INCLUDE_DIR})
target_link_libraries(hpot_cholmod INTERFACE ${CHOLMOD_LIBRARY})

# libLBFGS has no CMake package.
find_path(LBFGS_INCLUDE_DIR lbfgs.h REQUIRED)
find_library(LBFGS_LIBRARY lbfgs REQUIRED)
add_library(hpot_lbfgs INTERFACE)
target_include_directories(hpot_lbfgs INTERFACE ${LBFGS_INCLUDE_DIR})
target_link_libraries(hpot_lbfgs INTERFACE ${LBFGS_LIBRARY})
