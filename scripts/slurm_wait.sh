#!/usr/bin/env bash
# Submits a job script, waits for the job and prints its log; ends with its exit status.
#   scripts/slurm_wait.sh JOB.sbatch [ARGUMENT...]
set -euo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
sbatch --wait --output="$log" "$@" || status=$?
cat "$log"
exit "$status"
