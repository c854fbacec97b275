"""The job scripts of configs/slurm on a Slurm of two nodes. scripts/slurm_local.sh --test starts one and runs this."""
import contextlib
import csv
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import h5py
import numpy

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = SOURCE / "configs" / "slurm"
SUBJECTS = ("--input.measures", "synthetic:phantom?n=16&count=8&seed=1", "--output.picture", "none")
TWO = ("--nodes=2", "--ntasks-per-node=1", "--cpus-per-task=1", "--mem=400M")
# never converges
ENDLESS = ("--epsilon.target", "0.05", "--stopping.tolerance", "1e-14", "--stopping.max_iterations", "100000000")


def squeue(job, what):
    done = subprocess.run(["squeue", "-h", "-t", "all", "-j", job, "-o", what], capture_output=True, text=True)
    return done.stdout.strip()


class Job:
    def __init__(self, test, script, *arguments, options=TWO, **environment):
        self.test, self.folder = test, test.folder
        log = test.folder / f"{script}-%A_%a.log" if "pairs" in script else test.folder / f"{script}-%j.log"
        done = subprocess.run(["sbatch", "--parsable", "--export=ALL", f"--output={log}", *options,
                               SCRIPTS / f"{script}.sbatch", *map(str, arguments)],
                              cwd=SOURCE, env=dict(os.environ, **environment), capture_output=True, text=True)
        test.assertEqual(done.returncode, 0, done.stderr)
        self.id = done.stdout.strip()
        self.log_path = pathlib.Path(str(log).replace("%j", self.id))
        test.addCleanup(subprocess.run, ["scancel", self.id], capture_output=True)

    def log(self):
        return self.log_path.read_text() if self.log_path.exists() else ""

    def wait_for(self, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            self.test.assertLess(time.monotonic(), end, f"{what}: {squeue(self.id, '%T %r')}\n{self.log()}")
            time.sleep(0.2)

    def wait_for_sweeps(self):
        self.wait_for(lambda: "marginal_error" in self.log() and len(self.log().splitlines()) > 2, "sweeps")

    def wait(self, seconds=100):
        """(state, exit code) at its end."""
        self.wait_for(lambda: squeue(self.id, "%T") in ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL"), "end",
                      seconds)
        show = subprocess.run(["scontrol", "show", "job", self.id], capture_output=True, text=True).stdout
        return squeue(self.id, "%T"), int(re.search(r"ExitCode=(\d+):", show)[1])

    def restarts(self):
        show = subprocess.run(["scontrol", "show", "job", self.id], capture_output=True, text=True).stdout
        return int(re.search(r"Restarts=(\d+)", show)[1])


class Jobs(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hpot-slurm-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def barycenter(self, name, *more, **keywords):
        return Job(self, keywords.pop("script", "barycenter"), "configs/barycenter_volumes.ini", *SUBJECTS,
                   "--output.file", self.folder / f"{name}.h5", *more, **keywords)

    def assert_same_bits(self, name, other):
        with h5py.File(self.folder / f"{name}.h5") as a, h5py.File(self.folder / f"{other}.h5") as b:
            numpy.testing.assert_array_equal(a["barycenter"][()], b["barycenter"][()])
            for column in ("iteration", "epsilon", "marginal_error"):
                numpy.testing.assert_array_equal(a["history"][column], b["history"][column])
            self.assertEqual(a.attrs["stop_reason"], "converged")
            self.assertEqual((a.attrs["iterations"], a.attrs["ranks"]), (b.attrs["iterations"], 2))

    def test_preempted_jobs_are_requeued_and_end_with_the_same_bits(self):
        long = ("--stopping.tolerance", "1e-6", "--acceleration.type", "momentum")
        whole = self.barycenter("whole", *long)
        self.assertEqual(whole.wait(), ("COMPLETED", 0), whole.log())
        # scancel warns the ranks themselves; --batch the script alone, as --signal=B:USR1 does
        for launch, to_whom in (("srun", ()), ("mpirun", ("--batch",))):
            with self.subTest(launch=launch):
                job = self.barycenter(launch, *long, HPOT_LAUNCH=launch, HPOT_GRACE="3")
                job.wait_for_sweeps()
                subprocess.run(["scancel", "--signal=USR1", *to_whom, job.id], check=True)
                self.assertEqual(job.wait(), ("COMPLETED", 0), job.log())
                self.assertEqual(job.restarts(), 1, job.log())
                self.assertIn("requeued, goes on from there", job.log())
                self.assert_same_bits(launch, "whole")

    def test_a_killed_rank_ends_the_job_within_a_minute_and_is_named(self):
        for launch, saying in (("srun", r"srun: error: n2: task 1: Killed"),
                               ("mpirun", r"process rank 1 with PID \d+ on node n2 exited on signal 9")):
            with self.subTest(launch=launch):
                job = self.barycenter("killed", *ENDLESS, HPOT_LAUNCH=launch, HPOT_GRACE="3")
                job.wait_for_sweeps()
                rank = {"srun": b"SLURM_PROCID=1", "mpirun": b"OMPI_COMM_WORLD_RANK=1"}[launch]
                victims = [path.parent for path in pathlib.Path("/proc").glob("[0-9]*/environ")
                           if {rank, b"SLURM_JOB_ID=" + job.id.encode()} <= self.environment_of(path)
                           and (path.parent / "comm").read_text().startswith("hpot-bary")]
                self.assertEqual(len(victims), 1)
                os.kill(int(victims[0].name), signal.SIGKILL)
                state, code = job.wait(seconds=60)
                self.assertEqual(state, "FAILED", job.log())
                self.assertEqual(code, 137, job.log())
                self.assertRegex(job.log(), saying)

    def test_a_node_that_vanishes_requeues_the_job_which_goes_on_from_its_checkpoint(self):
        long = ("--stopping.tolerance", "1e-6", "--acceleration.type", "momentum")
        whole = self.barycenter("whole", *long)
        self.assertEqual(whole.wait(), ("COMPLETED", 0), whole.log())
        job = self.barycenter("vanished", *long, "--checkpoint.every", "0")
        job.wait_for_sweeps()
        job.wait_for((self.folder / "vanished.checkpoint.h5").exists, "checkpoint")
        ranks = [path.parent for path in pathlib.Path("/proc").glob("[0-9]*/environ")
                 if {b"SLURMD_NODENAME=n2", b"SLURM_JOB_ID=" + job.id.encode()} <= self.environment_of(path)]
        self.assertTrue(ranks, job.log())
        steps = {int(re.search(r"PPid:\s+(\d+)", (rank / "status").read_text())[1]) for rank in ranks}
        ours = b"SLURM_CONF=" + os.environ["SLURM_CONF"].encode()
        daemon = [int(path.parent.name) for path in pathlib.Path("/proc").glob("[0-9]*/environ")
                  if ours in self.environment_of(path)
                  and self.words_of(path.parent / "cmdline")[1:4] == [b"-D", b"-N", b"n2"]]
        self.assertEqual(len(daemon), 1)
        for pid in (*daemon, *steps, *(int(rank.name) for rank in ranks)):  # all that the node did
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        job.wait_for(lambda: job.restarts() == 1, "requeue", seconds=90)
        shutil.rmtree(pathlib.Path(os.environ["HPOT_SLURM_FOLDER"]) / "n2", ignore_errors=True)  # it starts anew
        os.mkdir(pathlib.Path(os.environ["HPOT_SLURM_FOLDER"]) / "n2")
        node = subprocess.Popen(["slurmd", "-D", "-N", "n2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(node.poll)  # ends with this Slurm
        self.assertEqual(job.wait(seconds=90), ("COMPLETED", 0), job.log())
        self.assert_same_bits("vanished", "whole")

    @staticmethod
    def words_of(path):
        """Of a file in /proc, whose process may have ended."""
        try:
            return path.read_bytes().split(b"\0")
        except OSError:
            return []

    def environment_of(self, path):
        return set(self.words_of(path))

    def test_the_time_limit_of_a_job_is_respected(self):
        start = time.monotonic()
        job = self.barycenter("late", *ENDLESS, options=(*TWO, "--time=1", "--signal=B:USR1@30"), HPOT_REQUEUES="0")
        self.assertEqual(job.wait(seconds=90), ("FAILED", 4), job.log())
        self.assertLess(time.monotonic() - start, 65)
        self.assertIn("warned", job.log())
        self.assertTrue((self.folder / "late.checkpoint.h5").exists())

    def test_an_array_runs_the_pairs_of_a_study(self):
        study = self.folder / "pairs.ini"
        study.write_text(f"[study]\nprogram = hpot-sinkhorn\nconfig = configs/sinkhorn_images.ini\nfolder = {self.folder}/pairs\n"
                         "[pairs]\nmeasures = synthetic:ellipse?n=24&count=3&seed=3&item={0..2}\n[options]\n"
                         "output.picture = none\noutput.interpolation = none\n")
        job = Job(self, "pairs", study, options=("--ntasks=2", "--cpus-per-task=1", "--mem=400M", "--array=0-2"))
        job.wait_for(lambda: set(squeue(job.id, "%T").split()) == {"COMPLETED"}, "end")
        merge = subprocess.run([SOURCE / "scripts" / "run_study.py", study, "--merge"], capture_output=True, text=True)
        self.assertEqual(merge.returncode, 0, merge.stdout + merge.stderr)
        with h5py.File(self.folder / "pairs.h5") as file:
            self.assertEqual(numpy.isnan(file["pairs/transport_cost"][()]).sum(), 3)
            self.assertEqual(set(file["table/ranks"][()]), {2})

    @unittest.skipUnless(len(os.sched_getaffinity(0)) >= 2, "needs two cores")
    def test_ranks_are_bound_to_cores_of_their_own(self):
        for launch in ("srun", "mpirun"):
            with self.subTest(launch=launch):
                script = self.folder / "bound.sh"
                script.write_text(f"#!/bin/bash\n. {SCRIPTS}/hpot.sh\n"
                                  "hpot_run hpot_start bash -c 'echo $SLURMD_NODENAME $(grep Cpus_allowed_list /proc/self/status)'\n")
                log = self.folder / f"{launch}.log"
                subprocess.run(["sbatch", "--wait", f"--output={log}", "--nodes=2", "--ntasks-per-node=2",
                                "--cpus-per-task=1", "--mem=400M", script], cwd=SOURCE, timeout=60, check=True,
                               env=dict(os.environ, HPOT_BIND="cores", HPOT_LAUNCH=launch), capture_output=True)
                lines = sorted(line for line in log.read_text().splitlines() if "Cpus_allowed" in line)
                self.assertEqual(len(set(lines)), 4, log.read_text())
                for line in lines:
                    self.assertRegex(line, r"^n[12] Cpus_allowed_list: \d+$")

    def test_transport_and_cloud_scripts_and_that_for_gpus_run(self):
        small = {"transport": ("configs/sinkhorn_volumes.ini", "--input.source", "synthetic:phantom?n=16&item=0",
                               "--input.target", "synthetic:phantom?n=16&item=1"),
                 "cloud": ("configs/sinkhorn_cloud.ini", "--input.source", "synthetic:points?n=200&dim=3&item=0",
                           "--input.target", "synthetic:points?n=200&dim=3&item=1"),
                 "gpu": ("configs/barycenter_volumes.ini", "--input.measures", "synthetic:phantom?n=16&count=2")}
        jobs = {name: Job(self, name, *arguments, "--output.picture", "none", "--output.file", self.folder / f"{name}.h5",
                          options=TWO) for name, arguments in small.items()}
        for name, job in jobs.items():
            self.assertEqual(job.wait(), ("COMPLETED", 0), job.log())
            with h5py.File(self.folder / f"{name}.h5") as file:
                self.assertEqual(file.attrs["ranks"], 2)

    def test_scaling_runs_on_1_2_and_4_ranks_of_one_allocation(self):
        table = self.folder / "scaling.csv"
        job = Job(self, "scaling", table, "--scaling.n", "16", "--scaling.measures", "4", "--scaling.repetitions", "2",
                  "--scaling.ceilings", "false", options=("--nodes=2", "--ntasks-per-node=2", "--cpus-per-task=1", "--mem=400M"),
                  HPOT_BIND="none")
        self.assertEqual(job.wait(), ("COMPLETED", 0), job.log())
        with open(table, newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(sorted({int(row["ranks"]) for row in rows}), [1, 2, 4])
        self.assertEqual(len({row["operator"] for row in rows}), len(rows) // 3)
        model = subprocess.run([SOURCE / "scripts" / "scaling_model.py", table], capture_output=True, text=True)
        self.assertEqual(model.returncode, 0, model.stderr)  # calls and bytes are the formulas'

    def test_node_counts_come_from_the_dry_run(self):
        size = subprocess.run([SCRIPTS / "size.sh", "--mem", "225M", "--cores", "1", "--cpus-per-task", "1", "hpot-barycenter",
                               "--config", "configs/barycenter_volumes.ini", "--input.measures", "synthetic:phantom?n=48&count=8"],
                              cwd=SOURCE, capture_output=True, text=True)
        self.assertEqual(size.returncode, 0, size.stderr)
        options = size.stdout.split()
        self.assertEqual(options[:-1], ["--nodes=2", "--ntasks=2", "--ntasks-per-node=1", "--cpus-per-task=1", "--mem=225M"])
        limit = f"{(225 << 20) * 19 // 20}B"
        self.assertEqual(options[-1], f"--export=ALL,HPOT_MEMORY_LIMIT={limit}")
        job = self.barycenter("sized", options=options)
        self.assertEqual(job.wait(), ("COMPLETED", 0), job.log())
        with h5py.File(self.folder / "sized.h5") as file:
            self.assertEqual(file.attrs["ranks"], 2)
            self.assertIn(f"memory_limit = {limit}", file.attrs["config"])


if __name__ == "__main__":
    if not os.environ.get("HPOT_SLURM_FOLDER"):
        sys.exit("jobs_test.py: no Slurm of its own [scripts/slurm_local.sh --test]")
    unittest.main()
