#!/usr/bin/env bash
# A Slurm of two nodes on this machine for as long as a command runs: munge, slurmctld and two slurmd on loopback, with a
# key, ports and a temporary folder of their own. The system's Slurm, if any, is not touched.
#   scripts/slurm_local.sh [--install] JOB.sbatch [ARGUMENT...]   submits it, waits, prints its log; its exit status
#   scripts/slurm_local.sh [--install] -- COMMAND [ARGUMENT...]   runs the command, which finds sbatch, srun, scancel
#   scripts/slurm_local.sh [--install] --test                     runs the job scripts of configs/slurm and checks them
# --install: Debian's slurm-wlm and munge where they are missing. Ends with 77, saying why, where Slurm cannot run here.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

usage() { sed -n '2,7p' "$0"; }
skip() { echo "slurm_local.sh: skipped ($1) [$2]" >&2; exit 77; }

install=
while [ $# -gt 0 ]; do
  case "$1" in
    --install) install=1; shift ;;
    --help | -h) usage; exit 0 ;;
    --test) shift; set -- "${HPOT_PYTHON:-/usr/bin/python3}" -B "$root/tests/slurm/jobs_test.py" "$@"; break ;;
    --) shift; break ;;
    -*) echo "slurm_local.sh: unknown argument '$1' (known: --install, --test, --)" >&2; exit 2 ;;
    *)
      [ -f "$1" ] || { echo "slurm_local.sh: $1 (no such job script) [name one of configs/slurm, or put -- before a command]" >&2; exit 2; }
      set -- "$root/scripts/slurm_wait.sh" "$@"
      break ;;
  esac
done
[ $# -gt 0 ] || { usage >&2; exit 2; }

PATH=$PATH:/usr/sbin:/sbin
if [ -n "$install" ] && ! command -v slurmctld >/dev/null; then
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get -qq update || true
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends \
    slurm-wlm munge >/dev/null || skip "slurm-wlm cannot be installed" "apt-get install slurm-wlm munge"
fi
for program in munged slurmctld slurmd sbatch srun; do
  command -v "$program" >/dev/null || skip "no $program here" "scripts/slurm_local.sh --install, or apt-get install slurm-wlm munge"
done

folder=$(mktemp -d "${TMPDIR:-/tmp}/hpot-slurm.XXXXXX")
export SLURM_CONF=$folder/slurm.conf   # marks every process of this Slurm, too
unset "${!SLURM_JOB@}" "${!SBATCH_@}"
[ "$(id -u)" -ne 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1   # for jobs with mpirun

# Processes whose environment names this Slurm: daemons, steps, jobs.
ours() {
  local environment
  for environment in /proc/[0-9]*/environ; do
    grep -qzxF "SLURM_CONF=$SLURM_CONF" "$environment" 2>/dev/null || continue
    environment=${environment#/proc/}
    echo "${environment%/environ}"
  done
}

stop() {
  local status=$? pid tries
  trap '' INT TERM
  set +e
  [ ! -e "$folder/up" ] || timeout 10 scancel --user="$(id -un)" 2>/dev/null
  for signal in TERM TERM KILL KILL; do
    for pid in $(ours); do [ "$pid" = $$ ] || kill -s "$signal" "$pid" 2>/dev/null; done
    for ((tries = 0; tries < 25; ++tries)); do
      [ -n "$(ours)" ] || break 2
      sleep 0.1
    done
  done
  wait 2>/dev/null
  [ -n "${HPOT_SLURM_KEEP:-}" ] || rm -rf "$folder"
  exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() {   # $1: where to begin to look
  local port
  for ((port = $1; port < $1 + 2000; ++port)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

# munge: who says what in this Slurm
mkdir -p "$folder"/{munge,state,n1,n2}
chmod 700 "$folder/munge"
(umask 077; head -c 128 /dev/urandom >"$folder/munge/key")
munged --foreground --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
  --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" --num-threads=2 >"$folder/munge/out" 2>&1 &
for ((tries = 0; tries < 50; ++tries)); do [ -S "$folder/munge/socket" ] && break; sleep 0.1; done
[ -S "$folder/munge/socket" ] || skip "munged does not start: $(tail -n 1 "$folder/munge/out" "$folder/munge/log" 2>/dev/null | tail -n 1)" "see munged(8)"

cores=$(nproc)
cpus=$((cores > 2 ? cores : 2))
binding=affinity
[ "$cores" -ge "$cpus" ] || binding=none
memory=$(awk '/^MemTotal:/ { print int($2 / 1024 / 2) }' /proc/meminfo)
# Ports differ by process, so that two such Slurms can run at once; all lie below those that the kernel hands out.
base=$((20000 + $$ % 400 * 30))
ctld=$(free_port $base) n1=$(free_port $((ctld + 1))) n2=$(free_port $((n1 + 1)))
cat >"$folder/slurm.conf" <<TEXT
ClusterName=hpot
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$ctld
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=5
CredType=cred/munge
MailProg=/bin/true
TmpFS=$folder/%n
StateSaveLocation=$folder/state
SlurmctldPidFile=$folder/slurmctld.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdPidFile=$folder/%n/slurmd.pid
SlurmdLogFile=$folder/%n/slurmd.log
SlurmdSpoolDir=$folder/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/$binding
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0,bf_interval=1
SlurmctldParameters=idle_on_node_suspend
SlurmdParameters=config_overrides
MpiDefault=pmix
ReturnToService=2
InactiveLimit=0
KillWait=20
MinJobAge=600
SlurmdTimeout=20
GresTypes=gpu
NodeName=n1 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$n1 CPUs=$cpus Boards=1 SocketsPerBoard=1 CoresPerSocket=$cpus ThreadsPerCore=1 RealMemory=$memory Gres=gpu:2 State=UNKNOWN
NodeName=n2 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$n2 CPUs=$cpus Boards=1 SocketsPerBoard=1 CoresPerSocket=$cpus ThreadsPerCore=1 RealMemory=$memory Gres=gpu:2 State=UNKNOWN
PartitionName=local Nodes=n1,n2 Default=YES MaxTime=60 State=UP
TEXT
# no GPUs: numbers that ranks are given, so that scripts for GPUs can be tried
echo "NodeName=n[1-2] Name=gpu File=/dev/null,/dev/zero" >"$folder/gres.conf"
if [ -d /sys/fs/cgroup/memory ]; then echo 'CgroupPlugin=cgroup/v1'; else echo 'CgroupPlugin=autodetect'; fi >"$folder/cgroup.conf"

slurmctld -D -i >"$folder/slurmctld.out" 2>&1 &
# A node that finds nobody to report to tries again late.
for ((tries = 0; tries < 50; ++tries)); do timeout 5 scontrol ping 2>/dev/null | grep -q ' UP$' && break; sleep 0.2; done
for node in n1 n2; do slurmd -D -N "$node" >"$folder/$node/out" 2>&1 & done
for ((tries = 0; tries < 150; ++tries)); do
  [ "$(timeout 5 sinfo -h -t idle -o %D 2>/dev/null)" = 2 ] && { touch "$folder/up"; break; }
  sleep 0.2
done
[ -e "$folder/up" ] || skip "its nodes do not come up: $(grep -hE 'error|fatal' "$folder"/slurmctld.{out,log} "$folder"/n?/{out,slurmd.log} 2>/dev/null | head -n 3 | tr '\n' ';')" \
  "HPOT_SLURM_KEEP=1 keeps $folder with the logs"

# Both nodes bear this machine's name: Open MPI would take them for one and mix up their shared memory.
export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,tcp OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo
# They share its cores, too: nobody waits actively, and nobody is bound to the first core of either.
export OMPI_MCA_mpi_yield_when_idle=1 OMP_WAIT_POLICY=passive HPOT_BIND=${HPOT_BIND:-none}
export HPOT_SLURM_FOLDER=$folder
"$@" <&0 &   # so that a signal is obeyed at once
wait $!
