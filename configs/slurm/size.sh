#!/bin/bash
# Options of sbatch for as many nodes as a run needs, from the plan of its dry run: no number of them is guessed.
#   size=$(configs/slurm/size.sh --mem 180G --cores 128 --cpus-per-task 16 hpot-barycenter --config study.ini) &&
#     sbatch $size configs/slurm/barycenter.sbatch study.ini
# --mem and --cores: of a node; --cpus-per-task: cores of a rank. The rest is the program (of HPOT_BIN, default build/drivers)
# and its arguments. Needs one core and no job: input is not read. The job has a rank's share of the memory as its limit, by
# HPOT_MEMORY_LIMIT, so that it makes the choices that the dry run made. A run that one node can hold gets all its cores.
set -euo pipefail
: "${HPOT_BIN:=build/drivers}"

fail() { echo "size.sh: $1 ($2) [$3]" >&2; exit 2; }
usage="configs/slurm/size.sh --mem 180G --cores 128 --cpus-per-task 16 hpot-barycenter --config study.ini"

memory='' cores='' threads=''
while [ $# -gt 0 ]; do
  case "$1" in
    --mem) memory=${2:-} ;;
    --cores) cores=${2:-} ;;
    --cpus-per-task) threads=${2:-} ;;
    -*) fail "$1" "unknown option" "$usage" ;;
    *) break ;;
  esac
  shift 2 || fail "$1" "no value" "$usage"
done
[[ $memory =~ ^([1-9][0-9]*)([KMGT]?)$ ]] || fail "--mem $memory" "no amount of memory of a node" "as Slurm's: 180G"
case "${BASH_REMATCH[2]}" in K) unit=1024 ;; G) unit=$((1 << 30)) ;; T) unit=$((1 << 40)) ;; *) unit=$((1 << 20)) ;; esac
bytes=$((BASH_REMATCH[1] * unit))
for number in "$cores" "$threads"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] || fail "--cores $cores --cpus-per-task $threads" "no numbers of cores" "$usage"
done
per_node=$((cores / threads))
[ "$per_node" -gt 0 ] || fail "--cpus-per-task $threads" "a node has $cores cores" "give a rank no more"
[ $# -gt 0 ] || fail "the program" "missing" "$usage"
program=$HPOT_BIN/${1##*/}
[ -x "$program" ] || fail "$program" "no such program" "set HPOT_BIN to the folder of the programs"

mkdir -p results   # as the job scripts do: a dry run refuses an output whose folder is missing
# What Slurm gives a rank, less a twentieth for the system.
limit=$((bytes / per_node * 19 / 20))
ranks=$per_node
if ! said=$("$program" "${@:2}" --resources.memory_limit "${limit}B" --dry-run 2>&1 >/dev/null); then
  # "..., or 12 ranks", not "... with other settings on 40 ranks"
  if [[ ! $said =~ "what would fit: "(.*", or ")?([0-9]+)" ranks" ]]; then
    echo "$said" >&2
    exit 2
  fi
  ranks=${BASH_REMATCH[2]}
fi
[ "$ranks" -ge "$per_node" ] || ranks=$per_node
echo "--nodes=$(((ranks + per_node - 1) / per_node)) --ntasks=$ranks --ntasks-per-node=$per_node" \
  "--cpus-per-task=$threads --mem=$memory --export=ALL,HPOT_MEMORY_LIMIT=${limit}B"
