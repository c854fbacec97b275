# What the job scripts of this folder share; they source it. What a cluster needs beside sbatch's own options:
#   HPOT_SETUP     a file to source first: `module load openmpi hdf5`, `spack load kokkos`, `export PATH=...`
#   HPOT_BIN       folder of the programs; default: build/drivers below the folder of submission
#   HPOT_LAUNCH    srun (default; needs Slurm's PMIx where Open MPI is used: srun --mpi=list) or mpirun
#   HPOT_BIND      cores (default), or none where nodes are shared without a division of their cores
#   HPOT_GRACE     mpirun: seconds from SIGTERM, also when a rank has died, to SIGKILL; default 10
#   HPOT_MEMORY_LIMIT  resources.memory_limit of the program, as size.sh gives it; default: none
#   HPOT_REQUEUES  how often a job that was stopped may go on; default 100, 0: never
# sbatch hands them on: HPOT_LAUNCH=mpirun sbatch configs/slurm/barycenter.sbatch study.ini

[ -z "${HPOT_SETUP:-}" ] || . "$HPOT_SETUP"
: "${HPOT_BIN:=${SLURM_SUBMIT_DIR:-$PWD}/build/drivers}" "${HPOT_LAUNCH:=srun}" "${HPOT_BIND:=cores}" "${HPOT_REQUEUES:=100}"

hpot_limit=(${HPOT_MEMORY_LIMIT:+--resources.memory_limit "$HPOT_MEMORY_LIMIT"})

# Threads on the cores that --cpus-per-task gives to each rank.
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
if [ "$HPOT_BIND" = none ]; then export OMP_PROC_BIND=false; else export OMP_PLACES=cores OMP_PROC_BIND=close; fi

# hpot_start PROGRAM ARGUMENT...: all ranks of the job, each bound to cores of its own; becomes the launcher.
hpot_start() {
  local binding
  case "$HPOT_LAUNCH" in
    # A rank that dies ends the others within --wait. A bad exit alone does not: 4 is one, and must stay 4.
    srun) exec srun --cpus-per-task="$OMP_NUM_THREADS" --cpu-bind="$HPOT_BIND" --wait=30 --kill-on-bad-exit=0 "$@" ;;
    mpirun)
      binding=(--map-by "slot:PE=$OMP_NUM_THREADS" --bind-to core)
      [ "$HPOT_BIND" != none ] || binding=(--bind-to none)
      exec mpirun "${binding[@]}" --mca odls_base_sigkill_timeout "${HPOT_GRACE:-10}" "$@" ;;
    *) echo "hpot.sh: HPOT_LAUNCH = $HPOT_LAUNCH (unknown) [srun or mpirun]" >&2; exit 2 ;;
  esac
}

# hpot_run COMMAND ARGUMENT...: runs it, hands Slurm's warning on to it as SIGUSR1, and requeues the job when it was stopped
# with its state kept (exit code 4). Ends with its exit code.
hpot_run() {
  local launcher status warned
  "$@" &
  launcher=$!
  trap 'warned=1; echo "hpot.sh: $(date +%T) warned: keeping the state"; kill -USR1 "$launcher" 2>/dev/null' USR1 TERM
  while
    warned=
    wait "$launcher"
    status=$?
    [ -n "$warned" ]
  do :; done
  trap - USR1 TERM
  [ "$status" -ne 4 ] || hpot_requeue
  return "$status"
}

hpot_requeue() {
  local job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
  if [ "${SLURM_RESTART_COUNT:-0}" -ge "$HPOT_REQUEUES" ]; then
    echo "hpot.sh: stopped with its state kept; submit it again to go on"
    return
  fi
  echo "hpot.sh: stopped with its state kept; requeued, goes on from there"
  scontrol requeue "${job:-$SLURM_JOB_ID}" && sleep 60   # the requeue ends this
}

cd "${SLURM_SUBMIT_DIR:-$PWD}" || exit 2
mkdir -p results
