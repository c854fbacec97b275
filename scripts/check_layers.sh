#!/usr/bin/env bash
# Checks who may include whom, and which library is used where. Prints each violation; ends with 1 when there is one.
#   scripts/check_layers.sh [ROOT]      ROOT: a source tree; default: this one
set -euo pipefail
root=${1:-$(dirname "$0")/..}
cd "$root"

layers=(core measure cost kernel problem solver io drivers)   # a file includes its own layer and those before it

found=$(mktemp)
trap 'rm -f "$found"' EXIT
report() { echo "$1" | tee -a "$found" >&2; }

level() {
  local i
  for i in "${!layers[@]}"; do [ "${layers[$i]}" = "$1" ] && { echo "$i"; return; }; done
  echo -1
}

module_of() {   # include/hpot/MODULE/..., src/MODULE/... or drivers/...
  case "$1" in
    include/hpot/*/*) local rest=${1#include/hpot/}; echo "${rest%%/*}" ;;
    src/*/*) local rest=${1#src/}; echo "${rest%%/*}" ;;
    drivers/*) echo drivers ;;
  esac
}

mapfile -t files < <(find include src drivers -name '*.hpp' -o -name '*.cpp' | sort)
[ ${#files[@]} -gt 0 ] || { echo "check_layers.sh: no sources below $PWD" >&2; exit 2; }

for file in "${files[@]}"; do
  own=$(level "$(module_of "$file")")
  [ "$own" -ge 0 ] || { report "$file: stands in no layer (known: ${layers[*]})"; continue; }
  while IFS=: read -r line header; do
    case "$header" in
      hpot/*/*)
        module=${header#hpot/} module=${module%%/*}
        other=$(level "$module")
        [ "$other" -ge 0 ] || report "$file:$line: includes the unknown module $module"
        [ "$other" -le "$own" ] || report "$file:$line: ${layers[$own]} includes $module, a later layer" ;;
      */*) report "$file:$line: \"$header\" (write \"hpot/MODULE/FILE.hpp\"; private headers stand beside their .cpp)" ;;
    esac
  done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"](hpot/|[^>]*/|[^>]*")' "$file" |
    sed -nE 's/^([0-9]+):[^<"]*"([^"]+)".*/\1:\2/p; s/^([0-9]+):[^<"]*<(hpot\/[^>]+)>.*/\1:\2/p')
done

# only PATTERN WHY ALLOWED...: code (comments aside) that matches PATTERN stands in the allowed files alone.
only() {
  local pattern=$1 why=$2 file hits
  shift 2
  for file in "${files[@]}"; do
    case " $* " in *" $file "*) continue ;; esac
    hits=$(sed 's://.*$::' "$file" | grep -nE "$pattern" | cut -d: -f1) || true
    for line in $hits; do report "$file:$line: $why"; done
  done
}

only '(^|[^A-Za-z0-9_])MPI_|<mpi\.h>' "MPI stands in core's session, communicator and partition and in io's hdf5_file.cpp only" \
  src/core/session.cpp src/core/communicator.cpp src/core/partition.cpp src/io/hdf5_file.cpp
only '<boost/|boost::' "Boost stands in src/core/options.cpp only" src/core/options.cpp
only '[<"]hdf5(_hl)?\.h|(^|[^A-Za-z0-9_])H5[A-Z]+[a-z_0-9]*\(' "HDF5 stands in src/io/hdf5_file.cpp only" src/io/hdf5_file.cpp
only '[<"](nifti/)?(nifti[12]_io|nifti[12]|znzlib)\.h' "niftilib stands in src/io/nifti.cpp only" src/io/nifti.cpp
only '[<"](gifti/)?gifti_(io|xml)\.h|(^|[^A-Za-z_])gifti_[a-z_]*\(' "giftiio stands in src/io/gifti.cpp only" src/io/gifti.cpp
only '[<"](libpng[0-9]*/)?png\.h' "libpng stands in src/io/image.cpp only" src/io/image.cpp
only '[<"](jpeglib|jerror)\.h' "libjpeg stands in src/io/jpeg.cpp only" src/io/jpeg.cpp
only '[<"](suitesparse/)?cholmod\.h|cholmod_' "CHOLMOD stands in src/core/sparse_cholesky.cpp only" \
  src/core/sparse_cholesky.cpp
only '[<"]lbfgs\.h|lbfgs_' "libLBFGS stands in src/core/lbfgs.cpp only" src/core/lbfgs.cpp

# An algorithm file has no loop over data.
for file in "${files[@]}"; do
  [ "$(module_of "$file")" = solver ] || continue
  for line in $(sed 's://.*$::' "$file" | grep -nE 'Kokkos::(parallel_|Experimental::)' | cut -d: -f1 || true); do
    report "$file:$line: a kernel in solver/ (put the loop over data in problem/ or kernel/)"
  done
done

count=$(wc -l <"$found")
echo "check_layers: ${#files[@]} files, $count violations"
[ "$count" -eq 0 ]
