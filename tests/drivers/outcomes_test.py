"""Exit codes other than bad input's, and what the programs say about themselves; the README's keys."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

import programs
from programs import BIN, SOURCE, h5py, numpy

VOLUMES = ("--input.measures", "synthetic:phantom?n=24&count=3")


class Outcomes(programs.DriverTest):
    def test_help_version_and_dump_config_succeed_on_any_number_of_ranks_and_speak_once(self):
        for program in programs.PROGRAMS:
            for ranks in (1, 3):
                for action, beginning in (("--help", program + ":"), ("--version", "hpot "), ("--dump-config", "# ")):
                    with self.subTest(program=program, ranks=ranks, action=action):
                        done = programs.run(program, action, ranks=ranks)
                        self.assertEqual((done.code, done.err), (0, ""))
                        self.assertTrue(done.out.startswith(beginning), done.out)
                        self.assertEqual(done.out.count(done.out.splitlines()[0]), 1)

    def test_dry_run_states_the_memory_and_leaves_no_file(self):
        pair = ("--input.source", "synthetic:phantom?n=16&item=0", "--input.target", "synthetic:phantom?n=16&item=1")
        for program, measures in zip(programs.PROGRAMS, (pair, VOLUMES)):
            for ranks in (1, 3):
                with self.subTest(program=program, ranks=ranks):
                    done = programs.run(program, *measures, "--dry-run", "--output.file", self.folder / "result.h5",
                                        ranks=ranks)
                    self.assertEqual((done.code, done.err), (0, ""))
                    self.assertEqual(done.out.count("MiB  in all"), 1, done.out)
                    self.assertEqual(list(self.folder.iterdir()), [])

    def test_run_that_does_not_converge_exits_3_with_advice_and_keeps_its_last_state(self):
        for ranks in (1, 3):
            result = self.folder / f"result{ranks}.h5"
            done = programs.run("hpot-barycenter", *VOLUMES, "--stopping.max_iterations", "5", "--output.file", result,
                                ranks=ranks)
            self.assertEqual(done.code, 3)
            self.assertEqual(done.err.count("not converged: max_iterations"), 1, done.err)
            self.assertIn("stopping.max_iterations", done.err)
            self.assert_barycenter(result)
            with h5py.File(result) as file:
                self.assertEqual(file.attrs["stop_reason"], "max_iterations")
                self.assertFalse(file.attrs["converged"])
                self.assertGreater(file.attrs["epsilon"], 1.0)

    def test_time_limit_exits_4_and_keeps_the_last_state(self):
        result = self.folder / "result.h5"
        done = programs.run("hpot-sinkhorn", "--input.source", "synthetic:phantom?n=48&item=0", "--input.target",
                            "synthetic:phantom?n=48&item=1", "--stopping.tolerance", "1e-12", "--stopping.time_limit",
                            "0.5", "--output.file", result, ranks=2)
        self.assertEqual(done.code, 4, done.err)
        self.assertIn("time_limit", done.err)
        with h5py.File(result) as file:
            self.assertEqual(file.attrs["stop_reason"], "time_limit")
            self.assertEqual(file["potentials/f"].shape, (48, 48, 48))

    def test_values_without_a_certificate_are_left_out_of_the_printout_and_of_the_file(self):
        pair = ("--input.source", "synthetic:ellipse?n=16&seed=1&count=2&item=0",
                "--input.target", "synthetic:ellipse?n=16&seed=1&count=2&item=1", "--output.progress", "none")
        known = {"balanced": {"primal_cost", "gap", "lower_cost", "upper_cost"},
                 "tv:9": {"primal_cost", "gap", "lower_cost", "upper_cost"}, "range:0.5,2": {"lower_cost"}}
        for penalty, names in known.items():
            result = self.folder / "result.h5"
            done = programs.run("hpot-sinkhorn", *pair, "--penalty.source", penalty, "--penalty.target", penalty,
                                "--output.file", result)
            self.assertEqual((done.code, done.err), (0, ""))
            with h5py.File(result) as file:
                numbers = {name: value for name, value in file.attrs.items() if isinstance(value, float)}
                self.assertEqual({"primal_cost", "gap", "lower_cost", "upper_cost"} & set(numbers), names)
                self.assertTrue(all(numpy.isfinite(value) for value in numbers.values()), numbers)
                if "upper_cost" in names:
                    interval = f"[{numbers['lower_cost']:.12g}, {numbers['upper_cost']:.12g}]"
                else:
                    interval = f"at least {numbers['lower_cost']:.12g}"
            self.assertEqual(done.out.count(f"  unregularised   {interval}\n"), 1, done.out)
            self.assertEqual("primal_cost" in done.out, "primal_cost" in names)
            self.assertNotRegex(done.out, r"\b(inf|nan)\b")

    def test_tolerance_below_the_error_floor_warns_once_also_when_it_is_reached(self):
        (self.folder / "a.csv").write_text("1,0,0,0\n")
        (self.folder / "b.csv").write_text("0,0,0,1\n")
        pair = ("--input.source", self.folder / "a.csv", "--input.target", self.folder / "b.csv", "--output.file",
                self.folder / "result.h5", "--epsilon.target", "0.01")
        for ranks in (1, 3):
            for tolerance, warnings in (("1e-15", 1), ("1e-6", 0)):
                done = programs.run("hpot-sinkhorn", *pair, "--stopping.tolerance", tolerance, ranks=ranks)
                self.assertEqual(done.code, 0, done.err)
                self.assertEqual(done.err.count("below the error floor"), warnings, done.err)

    def test_progress_none_leaves_the_summary_only(self):
        done = programs.run("hpot-barycenter", *VOLUMES, "--stopping.tolerance", "1e-2", "--output.progress", "none",
                            "--output.file", self.folder / "result.h5")
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(len(done.out.splitlines()), 4, done.out)  # summary, errors of the result, volume, results

    def test_a_killed_rank_ends_the_job_within_a_minute_and_is_named(self):
        argv, environment = programs.command(
            "hpot-barycenter", "--input.measures", "synthetic:phantom?n=48&count=3", "--parallel.batches", "1",
            "--stopping.tolerance", "1e-15", "--stopping.max_iterations", "1000000", "--output.progress", "table",
            "--checkpoint.file", "none", "--output.file", self.folder / "never.h5", ranks=3)
        job = subprocess.Popen(argv, env=environment, cwd=self.folder, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
        self.addCleanup(job.kill)
        while not re.match(r"\s*\d+ ", job.stdout.readline()):  # of a sweep
            self.assertIsNone(job.poll())
        victims = [path for path in pathlib.Path("/proc").glob("[0-9]*") if self.is_rank(path, 1, job.pid)]
        self.assertEqual(len(victims), 1)
        start = time.monotonic()
        os.kill(int(victims[0].name), signal.SIGKILL)
        errors = job.communicate(timeout=60)[1]
        self.assertLess(time.monotonic() - start, 60)
        self.assertNotEqual(job.returncode, 0)
        self.assertRegex(errors, r"process rank 1 with PID \d+ on node \S+ exited on signal 9")
        self.assertFalse((self.folder / "never.h5").exists())

    @staticmethod
    def is_rank(path, rank, mpirun):
        """Whether this process is that rank of that mpirun."""
        try:
            parent = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
            return parent == mpirun and f"OMPI_COMM_WORLD_RANK={rank}".encode() in (path / "environ").read_bytes().split(b"\0")
        except OSError:
            return False

    def test_a_rerun_repeats_every_bit(self):
        runs = []
        for name in ("first", "second"):
            done = programs.run("hpot-barycenter", *VOLUMES, "--stopping.tolerance", "1e-2", "--output.file",
                                self.folder / f"{name}.h5", ranks=2)
            self.assertEqual(done.code, 0, done.err)
            with h5py.File(self.folder / f"{name}.h5") as file:
                runs.append(file["barycenter"][()].tobytes())
        self.assertEqual(*runs)

    def test_keys_in_the_readme_are_those_of_the_programs(self):
        done = subprocess.run([sys.executable, SOURCE / "scripts" / "document_keys.py", "--check", "--bin", BIN],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
