"""hpot-scaling, the sweep over ranks, the model and the picture."""
import csv
import itertools
import subprocess
import sys
import unittest

import programs
from programs import BIN, SOURCE, png_size

SMALL = ("--scaling.n", "20", "--scaling.measures", "4", "--scaling.sweeps", "5", "--scaling.repetitions", "3",
         "--scaling.warm_up", "2")
NO_CEILINGS = ("--scaling.ceilings", "false")
OPERATORS = ("separable", "dense", "stored", "truncated", "matrix", "heat", "geodesic", "barycenter", "coordinates")


class Scaling(programs.DriverTest):
    def script(self, name, *arguments, code=0):
        done = subprocess.run([sys.executable, "-B", SOURCE / "scripts" / name, *map(str, arguments)], cwd=SOURCE,
                              env=programs.command("hpot-scaling")[1], capture_output=True, text=True, timeout=200)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def sweep(self, ranks, *more, operators=",".join(OPERATORS), ceilings=NO_CEILINGS):
        table = self.folder / "scaling.csv"
        options = {**dict(zip(SMALL[::2], SMALL[1::2])), **dict(zip(more[::2], more[1::2]))}
        self.script("run_scaling.py", "--ranks", ranks, "--operators", operators, "--bin", BIN, "-o", table, "--launch",
                    programs.MPIEXEC + " --oversubscribe --bind-to none -n {ranks}", "--", *itertools.chain(*options.items()), *ceilings)
        with open(table, newline="") as file:
            return table, list(csv.DictReader(file))

    def test_the_model_sends_what_was_sent_by_1_to_8_ranks(self):
        table, rows = self.sweep("1,2,3,5,8")
        self.assertEqual([(row["operator"], row["ranks"]) for row in rows],
                         [(op, p) for op in OPERATORS for p in ("1", "2", "3", "5", "8")])
        for row in rows:
            times = [float(row[f"seconds_{what}"]) for what in ("min", "quartile_1", "median", "quartile_3", "max")]
            self.assertEqual(times, sorted(times))
            self.assertGreater(times[0], 0.0)
            self.assertGreater(int(row["memory_bytes"]), 0)
            self.assertEqual(int(row["rows"]) * int(row["batches"]), int(row["ranks"]))
            self.assertEqual(row["percent_of_ceiling"], "")
            for step in row["steps"].split(";"):
                least, mean, most = map(float, step.rsplit(" ", 1)[1].split("/"))
                self.assertLessEqual(least, mean * (1 + 1e-5))
                self.assertLessEqual(mean, most * (1 + 1e-5))
        model = list(csv.DictReader(self.script("scaling_model.py", table).stdout.splitlines()))
        of = {(row["operator"], row["kind"], row["ranks"]): (row["calls"], row["bytes"]) for row in model}
        for row in rows:
            key = row["operator"], row["ranks"]
            self.assertEqual(of[key[0], "measured", key[1]], (row["calls_per_sweep"], row["bytes_per_sweep"]))
            self.assertEqual(of[key[0], "modelled", key[1]], of[key[0], "measured", key[1]])
        for operator in OPERATORS:
            self.assertGreater(int(of[operator, "modelled", "8192"][1]), 0)
        self.script("plot_scaling.py", table, "-o", self.folder / "scaling.png")
        self.assertGreater(png_size(self.folder / "scaling.png")[0], 100)
        rows[1]["bytes_per_sweep"] = str(int(rows[1]["bytes_per_sweep"]) + 8)
        with open(table, "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        self.assertIn("the model says", self.script("scaling_model.py", table, code=1).stderr)

    def test_weak_problems_grow_and_are_counted_too(self):
        operators = ("separable", "dense", "truncated", "barycenter", "coordinates")
        table, rows = self.sweep("1,2,3", "--scaling.weak", "true", "--scaling.debiased", "true",
                                 operators=",".join(operators))
        self.script("scaling_model.py", table)
        for operator in operators:
            work = [float(row["interactions_per_sweep"]) for row in rows if row["operator"] == operator]
            self.assertGreater(work[1], 1.7 * work[0])
            self.assertGreater(work[2], 2.5 * work[0])

    def test_grids_may_have_other_sides(self):
        operators = ("separable", "barycenter", "coordinates")
        table, rows = self.sweep("1,2,3", "--scaling.n", "14x18x10", "--scaling.held", "3", operators=",".join(operators))
        self.script("scaling_model.py", table)
        for row in rows:
            self.assertEqual((row["n"], row["dimension"]), ("14x18x10", "3"))
            self.assertIn("10 x 18 x 14", row["size"])
            softmins = float(row["interactions_per_sweep"]) / (14 * 18 * 10 * (14 + 18 + 10))
            expected = {"separable": 2, "barycenter": 8, "coordinates": 8 * int(row["sweeps_made"]) + 4 * 12 + 4}
            self.assertAlmostEqual(softmins, expected[row["operator"]], delta=1e-3 * softmins)
        for more, text in ((("--scaling.n", "14x18x10x2"), "at most three"), (("--scaling.n", "14x"), "scaling.n = 14x"),
                           (("--scaling.n", "14x18", "--scaling.operator", "dense"), "not of a grid"),
                           (("--scaling.n", "14x18", "--scaling.dimension", "1"), "2 sides")):
            done = programs.run("hpot-scaling", *more, "--output.file", self.folder / "none.csv", ranks=2)
            self.assertEqual((done.code, len(done.messages())), (2, 1), done.err)
            self.assertIn(text, done.messages()[0])

    def test_a_stopped_sweep_over_ranks_goes_on_and_ceilings_give_percentages(self):
        table, rows = self.sweep("1", operators="dense", ceilings=())
        self.assertGreater(float(rows[0]["percent_of_ceiling"]), 0.0)
        self.assertIn(rows[0]["ceiling"], ("exp double", "memory read"))
        _, rows = self.sweep("1,2", operators="dense")
        self.assertEqual([row["ranks"] for row in rows], ["1", "2"])

    def test_a_dry_run_tells_the_memory(self):
        for operator in OPERATORS:
            done = programs.run("hpot-scaling", "--scaling.operator", operator, "--scaling.n", "64", "--dry-run")
            self.assertEqual(done.code, 0, done.err)
            self.assertIn("in all, beside the program at its start", done.out)

    def test_foreign_tables_are_left_alone(self):
        table = self.folder / "other.csv"
        table.write_text("a,b\n1,2\n")
        done = programs.run("hpot-scaling", *SMALL, "--output.file", table, ranks=2)
        self.assertEqual((done.code, len(done.messages())), (2, 1), done.err)
        self.assertEqual(table.read_text(), "a,b\n1,2\n")


if __name__ == "__main__":
    unittest.main()
