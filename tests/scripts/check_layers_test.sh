#!/usr/bin/env bash
# Each rule of scripts/check_layers.sh rejects a tree that breaks it, and a clean tree passes.
#   check_layers_test.sh SOURCE_DIR
set -euo pipefail
check=$1/scripts/check_layers.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
wrong=0

# expect pass|FAIL FILE LINE: the verdict on a tree of two clean files and FILE with this one line.
expect() {
  rm -rf "${tree:?}"/*
  mkdir -p "$tree"/{include/hpot/core,src/core,drivers} "$tree/$(dirname "$2")"
  echo '#include <vector>' >"$tree/include/hpot/core/types.hpp"
  printf '%s\n' '#include "hpot/core/types.hpp"' '#include "private.hpp"' >"$tree/src/core/error.cpp"
  echo "$3" >>"$tree/$2"
  local verdict=pass
  "$check" "$tree" >/dev/null 2>"$tree/said" || verdict=FAIL
  if [ "$verdict" = FAIL ]; then grep -q "^$2" "$tree/said" || verdict="FAIL without naming $2"; fi
  [ "$verdict" = "$1" ] || { echo "wanted $1, got $verdict: $2: $3"; wrong=1; }
}

expect pass drivers/a.cpp '#include "hpot/io/result.hpp"'
expect pass src/io/a.cpp '#include "hpot/solver/history.hpp"'
expect FAIL src/core/a.cpp '#include "hpot/measure/grid.hpp"'
expect FAIL include/hpot/measure/a.hpp '#include "hpot/cost/cost.hpp"'
expect FAIL src/cost/a.cpp '#include <hpot/kernel/operator.hpp>'
expect FAIL include/hpot/kernel/a.hpp '#  include "hpot/problem/barycenter_problem.hpp"'
expect FAIL src/problem/a.cpp '#include "hpot/solver/history.hpp"'
expect FAIL src/solver/a.cpp '#include "hpot/io/result.hpp"'
expect FAIL src/core/a.cpp '#include "hpot/misc/a.hpp"'
expect FAIL src/core/a.cpp '#include "../io/pgm.hpp"'
expect FAIL src/misc/a.cpp 'int x;'

expect pass src/core/communicator.cpp 'int r = MPI_Barrier(MPI_COMM_WORLD);'
expect pass src/kernel/a.cpp 'int x;  // MPI_Barrier stays away'
expect FAIL src/kernel/a.cpp 'int r = MPI_Barrier(c);'
expect FAIL drivers/a.cpp '#include <mpi.h>'
expect FAIL src/io/hdf5_file.hpp 'MPI_Comm comm;'

expect pass src/kernel/a.cpp 'Kokkos::parallel_for(n, f);'
expect FAIL src/solver/a.cpp 'Kokkos::parallel_for(n, f);'
expect FAIL include/hpot/solver/a.hpp 'Kokkos::parallel_reduce(n, f);'

expect pass src/core/options.cpp '#include <boost/program_options.hpp>'
expect FAIL src/core/options.hpp 'boost::program_options::options_description d;'
expect FAIL src/io/a.cpp '#include <boost/any.hpp>'
expect pass src/io/hdf5_file.cpp '#include <hdf5.h>'
expect FAIL src/io/a.cpp '#include <hdf5.h>'
expect FAIL src/io/a.cpp 'hid_t f = H5Fopen(a, b, c);'
expect pass src/io/nifti.cpp '#include <nifti1_io.h>'
expect FAIL src/io/a.cpp '#include <nifti/nifti1_io.h>'
expect pass src/io/gifti.cpp 'gifti_image* image = gifti_read_image(name, 1);'
expect FAIL src/io/a.cpp '#include <gifti/gifti_io.h>'
expect FAIL src/io/a.cpp 'gifti_free_image(image);'
expect pass src/io/a.cpp 'auto values = read_gifti_map(name);'
expect pass src/io/image.cpp '#include <png.h>'
expect FAIL src/io/a.cpp '#include <png.h>'
expect pass src/io/jpeg.cpp '#include <jpeglib.h>'
expect FAIL src/io/image.cpp '#include <jpeglib.h>'

[ "$wrong" -eq 0 ] && echo "check_layers: every rule can fail"
exit "$wrong"
