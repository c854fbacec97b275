"""scripts/run_study.py: studies of many jobs that are killed, go on and are merged."""
import os
import signal
import subprocess
import sys
import time
import unittest

import programs
from programs import BIN, SOURCE, h5py, numpy

ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


class Study(programs.DriverTest):
    def write(self, name="study", measures="synthetic:ellipse?n=20&count=3&seed=3&item={0..2}", options="", jobs=""):
        path = self.folder / f"{name}.ini"
        path.write_text(f"[study]\nprogram = hpot-sinkhorn\nconfig = {SOURCE}/configs/sinkhorn_images.ini\n"
                        f"folder = {self.folder}/{name}\n[pairs]\nmeasures = {measures}\n[options]\n"
                        f"output.picture = none\noutput.plan = none\noutput.map = false\noutput.interpolation = none\n"
                        f"sinkhorn.divergence = false\nepsilon.target = 1\nstopping.tolerance = 1e-10\n"
                        f"checkpoint.every = 0\n{options}\n[jobs]\n{jobs}\n")
        return path

    def command(self, study, *arguments):
        return [sys.executable, "-B", SOURCE / "scripts" / "run_study.py", study, "--bin", BIN, *arguments]

    def runner(self, study, *arguments, code=0):
        done = subprocess.run(self.command(study, *arguments), env=ENVIRONMENT, capture_output=True, text=True,
                              timeout=100, cwd=self.folder)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_a_killed_study_ends_with_the_results_of_one_that_was_not(self):
        whole, killed = self.write("whole"), self.write("killed")
        self.runner(whole)
        jobs = ("0_1", "0_2", "1_2")
        for number, end in enumerate((signal.SIGKILL, signal.SIGUSR1, signal.SIGTERM)):
            process = subprocess.Popen(self.command(killed), env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, start_new_session=True, cwd=self.folder)
            started = self.folder / "killed" / f"{jobs[number]}.log"
            for _ in range(1000):
                if started.exists() and started.stat().st_size > 0 or process.poll() is not None:
                    break
                time.sleep(0.01)
            if end == signal.SIGKILL:
                os.killpg(process.pid, end)  # and the program that it runs
                self.assertEqual(process.wait(), -end)
            else:
                process.send_signal(end)
                self.assertIn(process.wait(timeout=30), (0, 4))
        self.runner(killed)
        with h5py.File(self.folder / "whole" / "0_1.h5") as one, h5py.File(self.folder / "killed" / "0_1.h5") as other:
            numpy.testing.assert_array_equal(one["potentials/f"][()], other["potentials/f"][()])
        for study in (whole, killed):
            self.runner(study, "--merge")
        with h5py.File(self.folder / "whole.h5") as one, h5py.File(self.folder / "killed.h5") as other:
            self.assertEqual(one["pairs/transport_cost"].shape, (3, 3))
            for file in (one, other):
                self.assertTrue(file.attrs["complete"])
            for key in ("pairs/transport_cost", "table/dual_cost", "table/iterations", "jobs/1_2/potentials/g"):
                numpy.testing.assert_array_equal(one[key][()], other[key][()])
            costs = one["pairs/transport_cost"][()]
            numpy.testing.assert_array_equal(costs, costs.T)
            self.assertEqual(numpy.isnan(costs).sum(), 3)
            self.assertEqual(costs[1, 2], one["jobs/1_2"].attrs["transport_cost"])

    def test_what_is_done_is_not_done_again_and_what_changed_is(self):
        study = self.write(measures="synthetic:ellipse?n=16&count=3&item={0..2}")
        self.assertEqual(self.runner(study, "--count").stdout.strip(), "3")
        self.runner(study, "--job", "1")
        self.assertEqual([line.split("\t")[2] for line in self.runner(study, "--list").stdout.splitlines()],
                         ["missing", "done", "missing"])
        self.runner(study, "--merge", code=4)
        with h5py.File(self.folder / "study.h5") as file:
            self.assertFalse(file.attrs["complete"])
            self.assertEqual(list(file["jobs"]), ["0_2"])
        before = (self.folder / "study" / "0_2.h5").stat().st_mtime_ns
        self.runner(study)
        self.assertEqual((self.folder / "study" / "0_2.h5").stat().st_mtime_ns, before)
        self.write(measures="synthetic:ellipse?n=16&count=3&item={0..2}", options="epsilon.unit = cost")
        self.assertEqual({line.split("\t")[2] for line in self.runner(study, "--list").stdout.splitlines()}, {"changed"})
        self.runner(study)
        self.assertGreater((self.folder / "study" / "0_2.h5").stat().st_mtime_ns, before)

    def test_failures_are_counted_and_the_rest_is_done(self):
        study = self.write(measures="", jobs="bad = --input.source none.png --input.target none.png\n"
                           "short = --input.source synthetic:ellipse?n=16 --input.target 'synthetic:ellipse?n=16&seed=9'"
                           " --stopping.max_iterations 1\n"
                           "good = --input.source synthetic:ellipse?n=16 --input.target 'synthetic:ellipse?n=16&seed=9'")
        done = self.runner(study, code=2)
        self.assertIn("none.png", done.stderr)
        self.assertEqual([line.split("\t")[2] for line in self.runner(study, "--list").stdout.splitlines()],
                         ["missing", "not converged", "done"])

    def test_bad_studies_are_refused(self):
        for text, saying in (("[study]\nprogram = hpot-sinkhorn\n", "study.config"), ("[stud]\n", "unknown"),
                             ("[study]\nprogram = a\nconfig = none.ini\nfolder = b\n", "none.ini")):
            path = self.folder / "bad.ini"
            path.write_text(text)
            done = self.runner(path, "--list", code=2)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(saying, done.stderr)
        self.assertIn("jobs 0 to 2", self.runner(self.write(), "--job", "6", code=2).stderr)


if __name__ == "__main__":
    unittest.main()
