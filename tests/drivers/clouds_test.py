"""Clouds of points and cost matrices, as users give them: the same answer by every way, in the order of the input."""
import unittest

import programs
from programs import h5py, numpy, png_size

EXACT = ("--epsilon.unit", "cost", "--epsilon.target", "0.01", "--stopping.tolerance", "1e-10")


class Clouds(programs.DriverTest):
    def setUp(self):
        super().setUp()
        random = numpy.random.default_rng(1)
        self.x, self.y = random.random((130, 2)), 0.3 + 0.5 * random.random((170, 2))
        self.a, self.b = random.random(130), random.random(170)
        self.a[::7] = 0.0
        self.cost = ((self.x[:, None] - self.y[None]) ** 2).sum(2)

    def table(self, name, points, weights):
        path = self.folder / name
        numpy.savetxt(path, numpy.column_stack([points, weights]), delimiter=",")
        return f"{path}?as=points&weights=last"

    def points(self):
        return ("--input.source", self.table("x.csv", self.x, self.a), "--input.target",
                self.table("y.csv", self.y, self.b))

    def matrix(self, values, name="cost.npy"):
        numpy.save(self.folder / "a.npy", self.a)
        numpy.save(self.folder / "b.npy", self.b)
        path = self.folder / name
        if path.suffix == ".npy":
            numpy.save(path, values)
        elif path.suffix == ".csv":
            numpy.savetxt(path, values, delimiter=";")
        else:
            with h5py.File(path, "w") as file:
                file["group/c"] = values
            path = f"{path}:/group/c"
        return ("--cost.type", "matrix", "--cost.matrix", path, "--input.source", self.folder / "a.npy", "--input.target",
                self.folder / "b.npy")

    def plan_of(self, path, cost=None):
        """From the potentials in the file, relative to the normalised weights."""
        with h5py.File(path) as file:
            f, g, epsilon = file["potentials/f"][()], file["potentials/g"][()], file.attrs["epsilon"]
            a, b = self.a / self.a.sum(), self.b / self.b.sum()
            plan = a[:, None] * b * numpy.exp((f[:, None] + g - (self.cost if cost is None else cost)) / epsilon)
        return plan, a, b

    def test_potentials_make_the_plan_of_the_points_in_the_order_of_the_input(self):
        result = self.succeed("hpot-sinkhorn", *self.points(), *EXACT)
        plan, a, b = self.plan_of(result)
        self.assertLess(abs(plan.sum(1) - a).sum(), 1e-9)
        self.assertLess(abs(plan.sum(0) - b).sum(), 1e-9)
        with h5py.File(result) as file:
            self.assertAlmostEqual(file.attrs["transport_cost"], (plan * self.cost).sum(), delta=1e-10)
            self.assertTrue((file["support/source/points"][()] == self.x).all())
            self.assertTrue((file["support/target/points"][()] == self.y).all())
            self.assertEqual(file["support/source"].attrs["type"], "points")

    def test_map_is_the_mean_of_where_the_mass_goes(self):
        result = self.succeed("hpot-sinkhorn", *self.points(), *EXACT, "--output.map", "true", "--output.picture",
                              self.folder / "clouds.png")
        plan, a, _ = self.plan_of(result)
        with h5py.File(result) as file:
            moved = file["map/displacement"][()] + self.x
            self.assertTrue((file["map/mask"][()] == (a > 0)).all())
        there = a > 0
        self.assertLess(abs(moved - plan @ self.y / numpy.where(there, plan.sum(1), 1.0)[:, None])[there].max(), 1e-8)
        self.assertGreater(png_size(self.folder / "clouds.png")[1], 500)

    def test_matrix_of_any_format_gives_the_answer_of_the_points(self):
        of_points = self.succeed("hpot-sinkhorn", *self.points(), *EXACT)
        with h5py.File(of_points) as file:
            expected = {name: file.attrs[name] for name in ("transport_cost", "dual_cost", "lower_cost", "upper_cost")}
        for name in ("cost.npy", "cost.h5", "cost.csv"):
            for ranks in (1, 3):
                with self.subTest(name=name, ranks=ranks):
                    result = self.succeed("hpot-sinkhorn", *self.matrix(self.cost, name), *EXACT, ranks=ranks)
                    with h5py.File(result) as file:
                        for key, value in expected.items():
                            self.assertAlmostEqual(file.attrs[key], value, delta=1e-9, msg=key)
                    plan, a, b = self.plan_of(result)
                    self.assertLess(abs(plan.sum(1) - a).sum() + abs(plan.sum(0) - b).sum(), 1e-9)

    def test_costs_kept_as_floats_are_the_costs_of_every_value(self):
        result = self.succeed("hpot-sinkhorn", *self.matrix(self.cost), *EXACT, "--cost.storage", "float")
        rounded = self.cost.astype(numpy.float32).astype(float)
        plan, a, b = self.plan_of(result, rounded)
        self.assertLess(abs(plan.sum(1) - a).sum() + abs(plan.sum(0) - b).sum(), 1e-9)
        with h5py.File(result) as file:
            self.assertAlmostEqual(file.attrs["transport_cost"], (plan * rounded).sum(), delta=1e-11)

    def test_bounds_of_rounded_costs_hold_for_the_costs_given(self):
        up = 1 + 0.45 * 2.0**-23  # 1 and 2 times this are rounded down
        cost = up * numpy.array([[1.0, 2, 3], [2, 1, 3], [3, 2, 1]])
        self.a = self.b = numpy.full(3, 1 / 3)
        for storage in ("float", "double"):
            result = self.succeed("hpot-sinkhorn", *self.matrix(cost), "--epsilon.unit", "cost", "--epsilon.target", "0.02",
                                  "--stopping.tolerance", "1e-10", "--cost.storage", storage)
            with h5py.File(result) as file:
                lower, upper, kept = (file.attrs[name] for name in ("lower_cost", "upper_cost", "transport_cost"))
            self.assertLess(upper - lower, 2e-7)
            self.assertTrue(lower <= up <= upper, (storage, lower, up, upper))
            self.assertEqual(abs(kept - up) < 1e-12, storage == "double")

    def test_costs_are_kept_as_floats_where_the_tolerance_allows_it(self):
        for tolerance, kept in (("1e-4", "float"), ("1e-7", "double")):
            potentials = {}
            for storage in ("auto", "float", "double"):
                path = self.succeed("hpot-sinkhorn", *self.matrix(self.cost), "--epsilon.unit", "max_cost", "--epsilon.target",
                                    "0.01", "--stopping.tolerance", tolerance, "--cost.storage", storage)
                with h5py.File(path) as file:
                    potentials[storage] = file["potentials/f"][()].tobytes()
            self.assertEqual([storage for storage in ("float", "double") if potentials[storage] == potentials["auto"]], [kept])

    def test_ranks_agree(self):
        for arguments, tolerance in ((self.points(), 1e-11), (self.matrix(self.cost), 1e-11)):
            with self.subTest(arguments=arguments):
                results = {ranks: self.succeed("hpot-sinkhorn", *arguments, *EXACT, "--penalty.source", "kl:1", ranks=ranks)
                           for ranks in (1, 2, 3, 5)}
                for ranks in (2, 3, 5):
                    for side in "fg":
                        self.assert_equal_results(results[1], results[ranks], f"potentials/{side}", tolerance)

    def test_what_follows_the_sweeps_has_all_points_on_any_number_of_ranks(self):
        results = {ranks: self.succeed("hpot-sinkhorn", *self.points(), *EXACT, "--kernel.type", "truncated", "--output.map", "true",
                                       "--output.gradient", "true", "--output.plan", "1e-3", ranks=ranks) for ranks in (1, 2, 3)}
        with h5py.File(results[1]) as one:
            for ranks in (2, 3):
                with h5py.File(results[ranks]) as file:
                    for name in ("support/source/points", "support/target/points", "map/displacement",
                                 "gradient/source/positions", "plan/value"):
                        self.assertTrue((file[name][()] == one[name][()]).all(), f"{name}, {ranks} ranks")

    def test_stopped_runs_go_on_with_the_same_bits(self):
        for arguments in (self.points(), self.matrix(self.cost)):
            for ranks in (1, 2):
                with self.subTest(arguments=arguments, ranks=ranks):
                    whole = self.succeed("hpot-sinkhorn", *arguments, *EXACT, ranks=ranks)
                    with h5py.File(whole) as file:
                        f, sweeps = file["potentials/f"][()], file.attrs["iterations"]
                    state = self.folder / "state.h5"
                    self.succeed("hpot-sinkhorn", *arguments, *EXACT, "--checkpoint.file", state, "--stopping.max_iterations",
                                 "20", ranks=ranks, code=3)
                    again = self.succeed("hpot-sinkhorn", "--restart", state, "--stopping.max_iterations", "20000",
                                         ranks=ranks)
                    with h5py.File(again) as file:
                        self.assertTrue((file["potentials/f"][()] == f).all())
                        self.assertEqual(file.attrs["iterations"], sweeps)

    def test_cosine_costs_are_those_of_the_matrix(self):
        x, y = (points / numpy.linalg.norm(points, axis=1)[:, None] for points in (self.x, self.y))
        cost = numpy.maximum(0.0, 1.0 - x @ y.T)
        of_points = self.succeed("hpot-sinkhorn", *self.points(), *EXACT, "--cost.type", "cosine", ranks=2)
        of_matrix = self.succeed("hpot-sinkhorn", *self.matrix(cost), *EXACT)
        with h5py.File(of_points) as one, h5py.File(of_matrix) as other:
            for name in ("transport_cost", "dual_cost", "primal_cost"):
                self.assertAlmostEqual(one.attrs[name], other.attrs[name], delta=1e-9)

    def test_divergence_is_that_of_three_solves(self):
        def dual(*names):
            inputs = [part for key, name in zip(("--input.source", "--input.target"), names) for part in (key, name)]
            with h5py.File(self.succeed("hpot-sinkhorn", *inputs, *EXACT)) as file:
                return file.attrs["dual_cost"]
        x, y = self.points()[1::2]
        expected = dual(x, y) - 0.5 * dual(x, x) - 0.5 * dual(y, y)
        with h5py.File(self.succeed("hpot-sinkhorn", *self.points(), *EXACT, "--sinkhorn.divergence", "true")) as file:
            self.assertAlmostEqual(file.attrs["divergence"], expected, delta=1e-9)
        self.assertGreater(expected, 0.0)

    def test_changed_points_end_a_restart(self):
        state = self.folder / "state.h5"
        self.succeed("hpot-sinkhorn", *self.points(), *EXACT, "--checkpoint.file", state, "--stopping.max_iterations", "5",
                     code=3)
        self.x[0] += 1e-9
        self.points()
        done = programs.run("hpot-sinkhorn", "--restart", state)
        self.assertEqual(done.code, 2, done.err)
        self.assertIn("the inputs have changed", done.messages()[0])

    def test_changed_matrix_ends_a_restart(self):
        state = self.folder / "state.h5"
        arguments = self.matrix(self.cost)
        self.succeed("hpot-sinkhorn", *arguments, *EXACT, "--checkpoint.file", state, "--stopping.max_iterations", "5",
                     ranks=2, code=3)
        self.cost[100, 3] += 1e-9
        self.matrix(self.cost)
        done = programs.run("hpot-sinkhorn", "--restart", state, ranks=2)
        self.assertEqual(done.code, 2, done.err)
        self.assertIn("the inputs have changed", done.messages()[0])

    def test_voxels_of_a_grid_are_the_grid_as_points(self):
        image = numpy.zeros((9, 12))
        image[2:7, 3:9] = numpy.random.default_rng(2).random((5, 6))
        numpy.save(self.folder / "image.npy", image)
        numpy.save(self.folder / "mirror.npy", image[::-1, ::-1].copy())
        costs = []
        for kind in ("?as=grid", "?as=voxels"):
            result = self.succeed("hpot-sinkhorn", "--input.source", f"{self.folder}/image.npy{kind}", "--input.target",
                                  f"{self.folder}/mirror.npy{kind}", "--epsilon.unit", "cost", "--epsilon.target", "0.5",
                                  "--stopping.tolerance", "1e-9")
            with h5py.File(result) as file:
                costs.append(file.attrs["transport_cost"])
                if kind == "?as=voxels":
                    self.assertEqual(file["support/source/points"].shape, (30, 2))
        self.assertAlmostEqual(costs[0], costs[1], delta=1e-7)

    def test_dry_run_of_a_matrix_is_near_what_it_takes(self):
        numpy.save(self.folder / "big.npy", numpy.random.default_rng(0).random((5000, 4000)))
        weights = [f"synthetic:uniform?dim=1&n={n}" for n in (5000, 4000)]
        for storage, ranks in (("double", 1), ("float", 1), ("double", 2)):
            with self.subTest(storage=storage, ranks=ranks):
                result = self.succeed("hpot-sinkhorn", "--cost.type", "matrix", "--cost.matrix", self.folder / "big.npy",
                                      "--cost.storage", storage, "--input.source", weights[0], "--input.target", weights[1],
                                      "--epsilon.unit", "max_cost", "--epsilon.target", "0.1", ranks=ranks)
                with h5py.File(result) as file:
                    grown, planned = float(file.attrs["memory_growth_max"]), float(file.attrs["memory_planned"])
                self.assertGreater(grown, 5e7)
                self.assertLess(abs(planned - grown), 0.2 * grown, f"planned {planned}, taken {grown}")


if __name__ == "__main__":
    unittest.main()
