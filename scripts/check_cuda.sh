#!/usr/bin/env bash
# Compiles every file that holds kernels for CUDA with nvcc; no GPU and no CUDA build of Kokkos is needed: the headers of
# a CPU-only Kokkos hold the CUDA backend too, and copies of its configuration headers that switch the backend on come
# first on the include path. A call of host code from device code is an error. Says ok or FAILED for each file; the host's half
# of them is left to the ordinary build. Where there is no nvcc it says so and ends with 0.
#   scripts/check_cuda.sh [ROOT]      ROOT: a source tree; default: this one
#   NVCC, KOKKOS_INCLUDE, CUDA_ARCH (sm_90)      override what is found; JOBS (2): files at a time
set -euo pipefail
root=$(realpath "${1:-$(dirname "$0")/..}")
cd "$root"

nvcc=${NVCC:-}
[ -n "$nvcc" ] || nvcc=$(command -v nvcc || true)
[ -n "$nvcc" ] || { [ -x /usr/local/cuda/bin/nvcc ] && nvcc=/usr/local/cuda/bin/nvcc; } || true
[ -n "$nvcc" ] || { echo "check_cuda: skipped, no nvcc on the PATH or in /usr/local/cuda/bin"; exit 0; }

kokkos=${KOKKOS_INCLUDE:-}
if [ -z "$kokkos" ]; then
  for folder in "${Kokkos_ROOT:-/nowhere}/include/kokkos" "${Kokkos_ROOT:-/nowhere}/include" /usr/include/kokkos /usr/local/include/kokkos /usr/local/include; do
    [ -f "$folder/KokkosCore_config.h" ] && { kokkos=$folder; break; }
  done
fi
[ -n "$kokkos" ] && [ -d "$kokkos/Cuda" ] ||
  { echo "check_cuda.sh: found no Kokkos headers with the CUDA backend (set KOKKOS_INCLUDE=FOLDER)" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
overlay=$work/include
mkdir -p "$overlay/desul/atomics" "$work/objects" "$work/headers"

# The three Backend headers name the include of each backend in use; the CUDA ones go before the end of their guards.
if ! grep -q '^#define KOKKOS_ENABLE_CUDA$' "$kokkos/KokkosCore_config.h"; then
  arch=$'#define KOKKOS_ENABLE_CUDA\\\n#define KOKKOS_ARCH_HOPPER\\\n#define KOKKOS_ARCH_HOPPER90'
  sed "s|^/\* #undef KOKKOS_ENABLE_CUDA \*/|$arch|" "$kokkos/KokkosCore_config.h" >"$overlay/KokkosCore_config.h"
  add_before_guard_end() { tac "$kokkos/$1" | sed "0,/^#endif/s|^#endif.*|#endif\\n#include <$2>|" | tac >"$overlay/$1"; }
  add_before_guard_end KokkosCore_Config_DeclareBackend.hpp decl/Kokkos_Declare_CUDA.hpp
  add_before_guard_end KokkosCore_Config_FwdBackend.hpp fwd/Kokkos_Fwd_CUDA.hpp
  add_before_guard_end KokkosCore_Config_SetupBackend.hpp setup/Kokkos_Setup_Cuda.hpp
  sed 's|^/\* #undef DESUL_ATOMICS_ENABLE_CUDA \*/|#define DESUL_ATOMICS_ENABLE_CUDA|' \
    "$kokkos/desul/atomics/Config.hpp" >"$overlay/desul/atomics/Config.hpp"
  grep -q '^#define KOKKOS_ENABLE_CUDA$' "$overlay/KokkosCore_config.h" &&
    grep -q '^#define DESUL_ATOMICS_ENABLE_CUDA$' "$overlay/desul/atomics/Config.hpp" ||
    { echo "check_cuda.sh: $kokkos has configuration headers of an unknown form" >&2; exit 2; }
fi

# Files that launch kernels, .cpp files whose private headers do, and .cpp files with functions for the device. A header is compiled through a file that includes
# nothing else.
mapfile -t files < <({
  grep -rlE 'Kokkos::parallel_' src include --include='*.cpp' --include='*.hpp'
  grep -rlE 'KOKKOS_[A-Z_]*FUNCTION' src --include='*.cpp' || true
  for header in $(grep -rlE 'Kokkos::parallel_' src --include='*.hpp' || true); do
    grep -rlF "#include \"${header##*/}\"" src --include='*.cpp' || true
  done
} | sort -u)
[ ${#files[@]} -gt 0 ] || { echo "check_cuda: no file holds kernels"; exit 0; }

compile() {
  local file=$1 source=$1 name=${1//\//_}
  if [[ $file == *.hpp ]]; then
    source=$work/headers/$name.cpp
    echo "#include \"$root/$file\"" >"$source"
  fi
  if "$nvcc" -x cu -std=c++20 "-arch=${CUDA_ARCH:-sm_90}" --extended-lambda --expt-relaxed-constexpr -Xcompiler -fopenmp \
    -Werror cross-execution-space-call -I"$overlay" -isystem "$kokkos" -Iinclude -cubin "$source" -o "$work/objects/$name.cubin" \
    >"$work/objects/$name.log" 2>&1; then
    echo "check_cuda: ok      $file"
  else
    echo "check_cuda: FAILED  $file"
    sed 's/^/    /' "$work/objects/$name.log" | head -n 40
    return 1
  fi
}
export -f compile
export nvcc work overlay kokkos root

printf '%s\0' "${files[@]}" | xargs -0 -n1 -P"${JOBS:-2}" bash -c 'compile "$1"' _ ||
  { echo "check_cuda: some of ${#files[@]} files do not compile for CUDA" >&2; exit 1; }
echo "check_cuda: ${#files[@]} files compile for ${CUDA_ARCH:-sm_90}"
