"""configs/slurm/size.sh: as many ranks as the dry run says fit, no fewer; one message where it cannot say."""
import os
import subprocess
import unittest

import programs
from programs import BIN, SOURCE

VOLUMES = ("hpot-barycenter", "--config", "configs/barycenter_volumes.ini", "--input.measures", "synthetic:phantom?n=64&count=8")


class Sizing(programs.DriverTest):
    def size(self, *arguments):
        return subprocess.run([SOURCE / "configs" / "slurm" / "size.sh", *arguments], cwd=SOURCE, capture_output=True, text=True,
                              env=dict(os.environ, HPOT_BIN=str(BIN)), timeout=60)

    def options(self, *arguments):
        done = self.size(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return dict(option.split("=") for option in done.stdout.split())

    def test_so_many_ranks_fit_and_one_less_does_not(self):
        found = self.options("--mem", "800M", "--cores", "16", "--cpus-per-task", "4", *VOLUMES)
        ranks = int(found["--ntasks"])
        self.assertGreater(ranks, 1)
        self.assertEqual((found["--ntasks-per-node"], found["--cpus-per-task"], found["--mem"]), (str(min(4, ranks)), "4", "800M"))
        self.assertEqual(int(found["--nodes"]), -(-ranks // 4))
        limit = ("--resources.memory_limit", f"{(800 << 20) // 4 * 19 // 20}B", "--dry-run")
        self.assertEqual(programs.run(*VOLUMES, *limit, ranks=ranks).code, 0)
        self.assertEqual(programs.run(*VOLUMES, *limit, ranks=ranks - 1).code, 2)

    def test_a_run_that_fits_one_rank_gets_a_node_and_all_its_cores(self):
        found = self.options("--mem", "64G", "--cores", "16", "--cpus-per-task", "4", *VOLUMES)
        self.assertEqual((found["--nodes"], found["--ntasks"]), ("1", "4"))

    def test_what_it_cannot_say_is_one_message(self):
        node = ("--mem", "1G", "--cores", "4", "--cpus-per-task", "1")
        for arguments, saying in (((), "no amount of memory"), (("--mem",), "no value"), (("--foo", "1"), "unknown option"),
                                  ((*node[:4], "--cpus-per-task", "8", *VOLUMES), "a node has 4 cores"), (node, "missing"),
                                  ((*node, "hpot-nothing"), "no such program"),
                                  ((*node, "hpot-barycenter", "--config", "nothing.ini"), "no such file"),
                                  (("--mem", "8M", *node[2:], *VOLUMES), "no number of ranks makes it fit")):
            with self.subTest(saying):
                done = self.size(*arguments)
                self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (2, "", 1), done.stderr)
                self.assertIn(saying, done.stderr)


if __name__ == "__main__":
    unittest.main()
