"""configs/slurm/size.sh: as many ranks as the dry run says fit, no fewer; one message where it cannot say."""
import os
import subprocess
import unittest

import programs
from programs import BIN, SOURCE

VOLUMES = ("hpot-barycenter", "--config", "configs/barycenter_volumes.ini", "--input.measures", "synthetic:phantom?n=64&count=8")


class Sizing(programs.DriverTest):
    def size(self, *arguments, bin_folder=BIN):
        return subprocess.run([SOURCE / "configs" / "slurm" / "size.sh", *arguments], cwd=SOURCE, capture_output=True, text=True,
                              env=dict(os.environ, HPOT_BIN=str(bin_folder)), timeout=60)

    def options(self, *arguments):
        done = self.size(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return dict(option.split("=", 1) for option in done.stdout.split())

    def test_so_many_ranks_fit_and_one_less_does_not(self):
        found = self.options("--mem", "800M", "--cores", "16", "--cpus-per-task", "4", *VOLUMES)
        ranks = int(found["--ntasks"])
        self.assertGreater(ranks, 4)
        self.assertEqual((found["--ntasks-per-node"], found["--cpus-per-task"], found["--mem"]), ("4", "4", "800M"))
        self.assertEqual(int(found["--nodes"]), -(-ranks // 4))
        self.assertEqual(found["--export"], f"ALL,HPOT_MEMORY_LIMIT={(800 << 20) // 4 * 19 // 20}B")
        limit = ("--resources.memory_limit", found["--export"].split("=")[1], "--dry-run")
        self.assertEqual(programs.run(*VOLUMES, *limit, ranks=ranks).code, 0)
        self.assertEqual(programs.run(*VOLUMES, *limit, ranks=ranks - 1).code, 2)

    def test_other_settings_are_not_taken_for_so_many_ranks(self):
        said = "hpot-x: resources.memory_limit (too much) [what would fit: acceleration.type = none on 40 ranks]"
        (self.folder / "hpot-x").write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 2\n")
        (self.folder / "hpot-x").chmod(0o755)
        done = self.size("--mem", "1G", "--cores", "1", "--cpus-per-task", "1", "hpot-x", bin_folder=self.folder)
        self.assertEqual((done.returncode, done.stdout, done.stderr.strip()), (2, "", said))

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
