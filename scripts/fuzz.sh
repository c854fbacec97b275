#!/usr/bin/env bash
# Throws damaged input at every reader, the INI file and the command line (libFuzzer, with the address and undefined-
# behaviour sanitizers). Ends with 1 at a crash, a hang, a leak or a broken promise; its input stays in build/fuzz/findings.
#   scripts/fuzz.sh [--seconds N | --runs N] [--seed N] [--jobs N] [TARGET...]
#     --seconds N   for all targets together (default 60);  --runs N   inputs for each target, however long it takes
#     --seed N      of the random numbers (default 1);      --jobs N   at a time (default: the number of cores)
#     TARGET        only these (build/fuzz/tests/fuzz/hpot_fuzz --list)
# One finding again: build/fuzz/tests/fuzz/hpot_fuzz --target=TARGET /absolute/path/of/the/input
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=60 runs='' seed=1 jobs=$(nproc) targets=()
while [ $# -gt 0 ]; do
  case "$1" in
    --seconds) seconds=$2; shift 2 ;;
    --runs) runs=$2; shift 2 ;;
    --seed) seed=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    --help | -h) sed -n '2,8p' "$0"; exit 0 ;;
    -*) echo "fuzz.sh: unknown argument '$1' (known: --seconds, --runs, --seed, --jobs)" >&2; exit 2 ;;
    *) targets+=("$1"); shift ;;
  esac
done

scratch=$(mktemp -d -p /dev/shm hpot-fuzz-XXXXXX 2>/dev/null || mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Clang 14 with libFuzzer and OpenMP is what CI has. Elsewhere nobody has to.
printf '#include <omp.h>\nextern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }\n' >"$scratch/a.cpp"
if ! clang++-14 -fopenmp -fsanitize=fuzzer,address,undefined "$scratch/a.cpp" -o "$scratch/a" 2>"$scratch/why"; then
  echo "fuzz: skipped: no clang++-14 with libFuzzer and OpenMP (Debian 12: scripts/setup.sh brings it)"
  if [ -n "${CI:-}" ] && grep -qi '^ID=debian' /etc/os-release; then cat "$scratch/why" >&2; exit 1; fi
  exit 0
fi
cmake --preset fuzz >"$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
cmake --build --preset fuzz -j "$jobs"

folder=$PWD/build/fuzz
program=$folder/tests/fuzz/hpot_fuzz
data=${HPOT_DATA_DIR:-../shared/data}
python=/usr/bin/python3
[ -x "$python" ] || python=python3
rm -rf "$folder/seeds"
"$python" -B tests/fuzz/seeds.py "$folder/seeds" $([ -d "$data" ] && echo "$data")
mkdir -p "$folder/findings" "$folder/logs"
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <("$program" --list)

[ "$jobs" -le ${#targets[@]} ] || jobs=${#targets[@]}
limit=-runs=$runs
[ -n "$runs" ] || limit=-max_total_time=$(((seconds * jobs + ${#targets[@]} - 1) / ${#targets[@]}))

export TMPDIR=$scratch OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export ASAN_OPTIONS=quarantine_size_mb=32:malloc_context_size=8:max_allocation_size_mb=512:allocator_may_return_null=1
export LSAN_OPTIONS=print_suppressions=0:suppressions=$PWD/tests/fuzz/lsan.supp

# Five seconds and 512 MB at once are far more than any of these inputs, of some kilobytes, has a right to.
fuzz() {   # TARGET
  local target=$1 more=() log=$folder/logs/$1.log status=0
  case "$target" in
    # Read in a child process: no coverage comes back, and libhdf5 leaks at damaged files.
    # Their copies of garbage, in memcpy, are to crash at once, as they do without a sanitizer.
    hdf5)
      more=(-max_len=16384 -detect_leaks=0 -keep_seed=1 -reduce_inputs=0)
      export ASAN_OPTIONS=$ASAN_OPTIONS:replace_intrin=0 ;;
    synthetic | measures | ini | command_line) more=(-max_len=1024) ;;
    *) more=(-max_len=4096) ;;
  esac
  mkdir -p "$folder/corpus/$target"
  rm -f "$folder/findings/$target-"timeout-*
  run() {
    "$program" "--target=$target" "$limit" "-seed=$seed" -timeout=5 -rss_limit_mb=2048 "${more[@]}" \
      -print_final_stats=1 "-artifact_prefix=$folder/findings/$target-" "$@"
  }
  run "$folder/corpus/$target" "$folder/seeds/$target" >"$log" 2>&1 || status=$?
  # libFuzzer counts seconds in which a machine stands still, too: only an input that takes so long again is a hang.
  if compgen -G "$folder/findings/$target-timeout-*" >/dev/null && run -runs=1 "$folder/findings/$target-"timeout-* >"$log.again" 2>&1; then
    rm "$folder/findings/$target-"timeout-*
    status=0
    run "$folder/corpus/$target" "$folder/seeds/$target" >"$log" 2>&1 || status=$?
  fi
  awk -v target="$target" -v status="$status" '
    /^#.* cov: / { for (i = 1; i < NF; ++i) if ($i == "cov:") edges = $(i + 1) }
    /^stat::number_of_executed_units/ { inputs = $2 }
    /^stat::peak_rss_mb/ { memory = $2 }
    END { printf "fuzz: %-13s %8d inputs, %5d edges, %4d MB%s\n", target, inputs, edges, memory, status ? ": FAILED" : "" }' "$log"
  [ "$status" -eq 0 ] || { grep -vE '^(#|INFO)' "$log" | head -60; return 1; }
}
export -f fuzz
export folder program limit seed

begin=$SECONDS status=0
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz {}' || status=1
echo "fuzz: ${#targets[@]} targets in $((SECONDS - begin)) s"
[ "$status" -eq 0 ] || { echo "fuzz: FAILED: see $folder/findings and $folder/logs" >&2; exit 1; }
