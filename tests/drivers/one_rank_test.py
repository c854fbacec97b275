"""What goes wrong on one rank only ends the whole job: within ten seconds, with one message and exit code 2. The ranks
that are ended from outside may leave a temporary file, never a result."""
import unittest

import programs
from programs import numpy


class OneRank(programs.DriverTest):
    def refuse(self, program, arguments, odd_rank, *fragments, **more):
        result = self.folder / "result.h5"
        done = programs.run(program, *arguments, "--output.file", result, ranks=3, odd_rank=odd_rank, timeout=20, **more)
        self.assertEqual(done.code, 2, done.err + done.out)
        self.assertEqual(len(done.messages()), 1, done.err)
        for fragment in fragments:
            self.assertIn(fragment, done.messages()[0])
        self.assertLess(done.seconds, 10.0)
        self.assertFalse(result.exists())

    def test_memory_that_runs_out_in_the_solver(self):
        kilobytes = 700_000  # of addresses: the program alone has about half, its share of the matrices is 840 MB
        wrapper = ("bash", "-c", f'ulimit -v {kilobytes}; exec "$0" "$@"')
        self.refuse("hpot-sinkhorn",
                    ("--input.source", "synthetic:ellipse?n=144&item=0", "--input.target",
                     "synthetic:ellipse?n=144&item=1", "--kernel.type", "stored", "--epsilon.multiscale", "false"),
                    ((), wrapper), "rank 1", "out of memory")

    def test_file_that_only_the_first_rank_sees(self):
        folder = self.folder / "first"
        elsewhere = self.folder / "second"
        for name in (folder, elsewhere):
            name.mkdir()
        names = []
        for k in range(3):
            numpy.save(folder / f"{k}.npy", numpy.ones((8, 8)))
            names.append(f"{k}.npy")
        self.refuse("hpot-barycenter", ("--input.measures", ",".join(names)), (("-wdir", elsewhere), ()),
                    "no such file", cwd=folder)


if __name__ == "__main__":
    unittest.main()
