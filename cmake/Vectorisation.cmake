# Explicit lanes (kernel/lanes.hpp) come from Kokkos' SIMD types. A Kokkos that was built without an architecture (Debian's)
# offers scalars only, unless the architecture is named where its header is included.
include(CheckCXXSourceCompiles)
if(HPOT_ARCH)
  target_compile_options(hpot_flags INTERFACE -march=${HPOT_ARCH})
  set(CMAKE_REQUIRED_FLAGS -march=${HPOT_ARCH})
  check_cxx_source_compiles("
    #if !defined(__AVX2__) || !defined(__FMA__)
    #error no AVX2
    #endif
    int main() {}" HPOT_HAS_AVX2)
  unset(CMAKE_REQUIRED_FLAGS)
  if(HPOT_HAS_AVX2 AND NOT Kokkos_ENABLE_CUDA AND NOT "${Kokkos_ARCH}" MATCHES "[A-Z]")
    target_compile_definitions(hpot_flags INTERFACE KOKKOS_ARCH_AVX2)
  endif()
endif()
