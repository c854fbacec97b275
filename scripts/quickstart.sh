#!/usr/bin/env bash
# From a fresh checkout to a first result: the barycenter of a few volumes, on two ranks, in results/.
#   scripts/quickstart.sh [--small] [--no-setup]      --small: fewer and smaller volumes; --no-setup: install nothing
set -euo pipefail
cd "$(dirname "$0")/.."

setup=1
overrides=()
for argument in "$@"; do
  case "$argument" in
    --small) overrides=(--input.measures 'synthetic:phantom?n=24&count=4&seed=1') ;;
    --no-setup) setup= ;;
    --help | -h) sed -n '2,3p' "$0"; exit 0 ;;
    *) echo "quickstart.sh: unknown argument '$argument' (known: --small, --no-setup)" >&2; exit 2 ;;
  esac
done

[ -z "$setup" ] || scripts/setup.sh ${CI:+--yes}
cmake --preset release
cmake --build --preset release -j "$(nproc)" --target hpot-barycenter hpot-sinkhorn

launch=(mpirun -n 2)
if mpirun --version 2>/dev/null | grep -q 'Open MPI'; then
  launch+=(--oversubscribe --bind-to none)   # two ranks on one core as well
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMP_NUM_THREADS=1
mkdir -p results
run=("${launch[@]}" build/drivers/hpot-barycenter --config configs/barycenter_volumes.ini
  --output.file results/quickstart.h5 --output.picture results/quickstart.png "${overrides[@]}")
printf '\n$'; printf ' %q' "${run[@]}"; echo
"${run[@]}"

for file in results/quickstart.h5 results/quickstart.nii.gz results/quickstart.png; do
  [ -s "$file" ] || { echo "quickstart.sh: the run ended well, but $file is missing" >&2; exit 1; }
done
cat <<TEXT

quickstart: the barycenter's three middle slices   $PWD/results/quickstart.png
quickstart: the same as a volume, for viewers      $PWD/results/quickstart.nii.gz
quickstart: all values, and the course of the run  $PWD/results/quickstart.h5
quickstart: plot that course with                  scripts/plot_history.py results/quickstart.h5 -o results/history.png
TEXT
