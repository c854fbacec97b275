"""Programs warn once where threads must share cores, and never where each can have its own."""
import os
import shutil
import unittest

import programs

RUN = ("--input.source", "synthetic:gaussian?dim=1&n=64&item=0", "--input.target", "synthetic:gaussian?dim=1&n=64&item=1",
       "--stopping.max_iterations", "2000", "--checkpoint.file", "none")


@unittest.skipUnless(len(os.sched_getaffinity(0)) >= 2 and shutil.which("taskset"), "needs two cores and taskset")
class Binding(programs.DriverTest):
    def warnings(self, launcher, threads, *more):
        argv, environment = programs.command("hpot-sinkhorn", *RUN, "--output.file", self.folder / "r.h5", *more)
        done = programs.subprocess.run([*launcher, *argv], env=dict(environment, OMP_NUM_THREADS=str(threads)),
                                       capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line for line in done.stderr.splitlines() if line.startswith("warning: hpot-sinkhorn")]

    def setUp(self):
        super().setUp()
        one, two, *_ = sorted(os.sched_getaffinity(0))
        self.one, self.both = ("taskset", "-c", str(one)), ("taskset", "-c", f"{one},{two}")
        self.two_ranks = (programs.MPIEXEC, "--oversubscribe", "--bind-to", "none", "-n", "2")

    def test_threads_with_cores_of_their_own_do_not_warn(self):
        self.assertEqual(self.warnings(self.both, 2), [])
        self.assertEqual(self.warnings((*self.two_ranks, *self.both), 1), [])
        self.assertEqual(self.warnings((programs.MPIEXEC, "--oversubscribe", "--bind-to", "core", "-n", "2"), 1), [])

    def test_threads_that_share_cores_warn_once(self):
        for launcher, threads, saying in ((self.one, 2, "2 threads of 1 rank share 1 core"),
                                          (self.both, 4, "4 threads of 1 rank share 2 cores"),
                                          ((*self.two_ranks, *self.one), 1, "2 threads of 2 ranks share 1 core"),
                                          ((*self.two_ranks, *self.both), 2, "4 threads of 2 ranks share 2 cores")):
            with self.subTest(saying):
                found = self.warnings(launcher, threads)
                self.assertEqual(len(found), 1, found)
                self.assertIn(saying, found[0])

    def test_a_dry_run_of_many_ranks_does_not_warn(self):
        self.assertEqual(self.warnings((programs.MPIEXEC, "--oversubscribe", "-n", "5"), 2, "--dry-run"), [])


if __name__ == "__main__":
    unittest.main()
