"""What is made of a solve between clouds of points, or by a cost matrix: entries of the plan, gradients."""
import unittest

import programs
from programs import h5py, numpy

EXACT = ("--epsilon.unit", "cost", "--epsilon.target", "0.02", "--stopping.tolerance", "1e-10", "--checkpoint.file", "none")


class Outputs(programs.DriverTest):
    def setUp(self):
        super().setUp()
        random = numpy.random.default_rng(3)
        self.x, self.y = random.random((130, 2)), 0.3 + 0.5 * random.random((170, 2))
        self.a, self.b = random.random(130), random.random(170)
        self.a[::7] = 0.0
        self.cost = ((self.x[:, None] - self.y[None]) ** 2).sum(2)

    def table(self, name, points, weights):
        """An array in an HDF5 file, every rank of which reads its own rows."""
        path = self.folder / f"{name}.h5"
        with h5py.File(path, "w") as file:
            file["points"] = numpy.column_stack([points, weights])
        return f"{path}:/points?as=points&weights=last"

    def points(self):
        return ("--input.source", self.table("x", self.x, self.a), "--input.target", self.table("y", self.y, self.b))

    def matrix(self, *more):
        for name, values in (("a", self.a), ("b", self.b), ("cost", self.cost)):
            numpy.save(self.folder / f"{name}.npy", values)
        return ("--cost.type", "matrix", "--cost.matrix", self.folder / "cost.npy", "--input.source",
                self.folder / "a.npy", "--input.target", self.folder / "b.npy", *more)

    def expected_plan(self, file):
        f, g = file["potentials/f"][()], file["potentials/g"][()]
        a, b = self.a / self.a.sum(), self.b / self.b.sum()
        return a[:, None] * b * numpy.exp((f[:, None] + g - self.cost) / file.attrs["epsilon"])

    def test_plan_holds_the_entries_above_the_share_in_the_order_of_the_input(self):
        share = 0.01
        for arguments in (self.points(), self.matrix()):
            results = {ranks: self.succeed("hpot-sinkhorn", *arguments, *EXACT, "--output.plan", share, ranks=ranks)
                       for ranks in (1, 2, 3)}
            with h5py.File(results[1]) as file:
                expected = self.expected_plan(file)
                rows, columns = expected.sum(1, keepdims=True), expected.sum(0)
                wanted = (expected > 0) & ((expected >= share * rows) | (expected >= share * columns))
                plan = file["plan"]
                source, target = plan["source"][()], plan["target"][()]
                numpy.testing.assert_array_equal((source, target), numpy.nonzero(wanted))
                self.assertLess(abs(plan["value"][()] / expected[wanted] - 1.0).max(), 1e-10)
                self.assertAlmostEqual(plan.attrs["mass"], expected[wanted].sum(), delta=1e-12)
                self.assertEqual((plan.attrs["sources"], plan.attrs["targets"]), expected.shape)
                self.assertGreater(len(source), 500)
            for ranks in (2, 3):
                for dataset in ("source", "target", "value"):
                    self.assert_equal_results(results[1], results[ranks], f"plan/{dataset}", 1e-12)

    def test_plan_that_takes_many_blocks_is_whole(self):
        pair = [f"synthetic:points?n={n}&item={item}" for n, item in ((900, 1), (1100, 2))]
        found = self.succeed("hpot-sinkhorn", "--input.source", pair[0], "--input.target", pair[1], "--epsilon.unit",
                             "max_cost", "--epsilon.target", "0.1", "--output.plan", "1e-9", ranks=3)
        with h5py.File(found) as file:
            plan = file["plan"]
            self.assertGreater(plan.attrs["entries"], 5 * 65536)
            order = plan["source"][()] * 1100 + plan["target"][()]
            self.assertTrue((numpy.diff(order) > 0).all())
            columns = numpy.bincount(plan["target"][()], plan["value"][()])
            self.assertLess(abs(columns - 1 / 1100).sum(), 1.1 * file.attrs["marginal_error_target"] + 1e-6)

    def test_gradients_are_those_of_the_formulas_in_the_order_of_the_input(self):
        """C++ tests compare them with differences of the value; here they are made of what else the file holds."""
        for arguments, tolerance in ((self.points(), 1e-12), (self.matrix(), 1e-9)):
            results = {ranks: self.succeed("hpot-sinkhorn", *arguments, *EXACT, "--output.gradient", "true", ranks=ranks)
                       for ranks in (1, 3)}
            with h5py.File(results[1]) as file:
                plan = self.expected_plan(file)
                f, g, gradient = file["potentials/f"][()], file["potentials/g"][()], file["gradient"]
                a, b = self.a / self.a.sum(), self.b / self.b.sum()
                by_a, by_b = gradient["source/weights"][()], gradient["target/weights"][()]
                self.assertAlmostEqual(a @ by_a, b @ by_b, delta=1e-9)
                there = a > 0
                self.assertLess(numpy.ptp((by_a - f)[there]), 1e-8)  # balanced: f, up to a constant
                self.assertLess(numpy.ptp(by_b - g), 1e-8)
                self.assertAlmostEqual((by_a - f)[there][0], -(by_b - g)[0], delta=1e-8)
                self.assertIn("OT_eps", gradient.attrs["of"])
                names = ["source/weights", "target/weights"]
                if arguments[0] == "--input.source":
                    names += ["source/positions", "target/positions"]
                    difference = self.x[:, None] - self.y[None]
                    by_x = 2.0 * (plan[:, :, None] * difference).sum(1)
                    self.assertLess(abs(gradient["source/positions"][()] - by_x).max(), 1e-9)
                    by_y = -2.0 * (plan[:, :, None] * difference).sum(0)
                    self.assertLess(abs(gradient["target/positions"][()] - by_y).max(), 1e-9)
                else:
                    self.assertNotIn("positions", gradient["source"])
            for name in names:
                self.assert_equal_results(results[1], results[3], f"gradient/{name}", tolerance)

    def test_gradient_of_a_grid_has_its_shape(self):
        result = self.succeed("hpot-sinkhorn", "--input.source", "synthetic:waves?n=16&item=0", "--input.target",
                              "synthetic:waves?n=16&item=1", "--output.gradient", "true", ranks=2)
        with h5py.File(result) as file:
            self.assertEqual(file["gradient/source/weights"].shape, (16, 16))
            self.assertNotIn("positions", file["gradient/target"])

    def test_rows_of_a_table_are_read_by_several_ranks_as_by_one(self):
        few = self.folder / "few.npy"
        numpy.save(few, numpy.asfortranarray(self.x[:2]))
        line = self.folder / "line.h5"
        with h5py.File(line, "w") as file:
            file["places"] = numpy.linspace(0.0, 1.0, 9)
        for arguments in (self.points(), ("--input.source", f"{few}?as=points", "--input.target", f"{few}?as=points"),
                          ("--input.source", f"{line}:/places?as=points", "--input.target", f"{line}:/places?as=points")):
            results = {ranks: self.succeed("hpot-sinkhorn", *arguments, *EXACT, ranks=ranks) for ranks in (1, 3)}
            for dataset in ("potentials/f", "support/source/points"):
                self.assert_equal_results(results[1], results[3], dataset, 1e-12)
            with h5py.File(results[1]) as one, h5py.File(results[3]) as three:
                self.assertEqual(list(one.attrs["input_sha256"]), list(three.attrs["input_sha256"]))


if __name__ == "__main__":
    unittest.main()
