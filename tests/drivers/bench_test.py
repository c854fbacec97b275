"""hpot-bench on sizes that take a moment: its table, its file, what it refuses."""
import csv
import unittest

import programs

SMALL = ("--bench.size", "16", "--bench.image", "40", "--bench.points", "6", "--bench.memory", "2",
         "--bench.repetitions", "2", "--bench.seconds", "0")
COLUMNS = ["kernel", "size", "epsilon", "precision", "threads", "seconds_min", "seconds_median", "seconds_max", "amount", "rate",
           "unit", "ceiling", "percent"]


class Bench(programs.DriverTest):
    def test_every_kernel_gets_a_row_with_its_rate_and_ceiling(self):
        table = self.folder / "bench.csv"
        done = programs.run("hpot-bench", *SMALL, "--output.file", table)
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["bench.csv"])
        with open(table, newline="") as file:
            reader = csv.DictReader(file)
            self.assertEqual(reader.fieldnames, COLUMNS)
            rows = list(reader)
        ceilings = {row["ceiling"]: float(row["rate"]) for row in rows if row["kernel"] == "ceiling"}
        self.assertEqual(set(ceilings), {"exp float", "exp double", "multiply-add", "memory read", "memory triad"})
        kernels = {row["kernel"] for row in rows}
        for kernel in ("log_sum_exp_along", "product_along", "mean_along", "max_along", "sweep in windows",
                       "sweep of full lines", "average in windows", "average of kept weights", "product sweep",
                       "dense sweep at one visit", "dense sweep at two visits", "truncated sweep", "matrix sweep at one visit", "matrix sweep at two visits", "add_log_weight", "residual", "mass (tile sums)"):
            self.assertIn(kernel, kernels)
            self.assertIn(kernel, done.out)
        dense = {(row["size"].count("x") + 1, row["precision"]) for row in rows if row["kernel"] == "dense sweep at one visit"}
        self.assertEqual(dense, {(2, "mixed"), (2, "double"), (3, "mixed"), (3, "double")})
        truncated = {(row["size"], row["precision"]): row for row in rows if row["kernel"] == "truncated sweep"}
        self.assertEqual(set(truncated), {(f"576x{d}-D", p) for d in (2, 3) for p in ("mixed", "double")})
        for (size, precision), row in truncated.items():
            terms = float(row["amount"])
            self.assertEqual(terms % (8 * 32), 0.0)  # groups of 8 rows, tiles of 32 columns
            self.assertEqual(row["ceiling"], {"mixed": "exp float", "double": "exp double"}[precision])
            self.assertLessEqual(terms, 2 * 576 * 576)
        for d in (2, 3):  # double precision leaves out less
            self.assertLessEqual(float(truncated[f"576x{d}-D", "mixed"]["amount"]), float(truncated[f"576x{d}-D", "double"]["amount"]))
        for row in rows:
            with self.subTest(row=row):
                least, median, most = (float(row["seconds_" + which]) for which in ("min", "median", "max"))
                self.assertTrue(0.0 < least <= median <= most)
                self.assertGreater(float(row["rate"]), 0.0)
                self.assertGreater(float(row["percent"]), 0.0)
                self.assertIn(row["ceiling"], ceilings)
                self.assertEqual(row["threads"], "1")

    def test_dry_run_lists_the_kernels_and_writes_nothing(self):
        done = programs.run("hpot-bench", "--dry-run", "--output.file", self.folder / "bench.csv")
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("log_sum_exp_along", done.out)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_more_than_one_rank_is_refused_once(self):
        done = programs.run("hpot-bench", *SMALL, "--output.file", self.folder / "bench.csv", ranks=2)
        self.assertEqual(done.code, 2)
        self.assertEqual(len(done.messages()), 1, done.err)
        self.assertIn("one rank", done.messages()[0])
        self.assertEqual(list(self.folder.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
