"""hpot-coordinates: weights that are known are found again, the mixture beside them is the closest one, and what is written,
kept and refused."""
import unittest

import programs
from programs import h5py, numpy, png_size

QUIET = ("--output.progress", "none")
SHAPES = "synthetic:ellipse?n=32&count=4&seed=5&hollow=1"
PHANTOMS = "synthetic:phantom?n=10&count=8&seed=1"
SMALL = ("--input.measures", "synthetic:ellipse?n=24&count=3&seed=5", "--input.target",
         "synthetic:ellipse?n=24&item=5&seed=5", "--epsilon.target", "4", "--coordinates.sweeps", "20", *QUIET)


class Coordinates(programs.DriverTest):
    def barycenter(self, measures, weights, epsilon, method, tolerance):
        """A barycenter solved by other means: on several levels, mixed, to a small error."""
        path = self.folder / "barycenter.h5"
        done = programs.run("hpot-barycenter", "--input.measures", measures, "--barycenter.method", method,
                            "--barycenter.weights", ",".join(map(str, weights)), "--epsilon.target", epsilon,
                            "--stopping.tolerance", tolerance, "--kernel.precision", "double", "--output.file", path, *QUIET)
        self.assertEqual(done.code, 0, done.err)
        return f"{path}:/barycenter"

    def recovered(self, measures, weights, epsilon, *more, ranks=1, method="plain", tolerance="1e-9"):
        target = self.barycenter(measures, weights, epsilon, method, tolerance)
        result = self.succeed("hpot-coordinates", "--input.measures", measures, "--input.target", target,
                              "--epsilon.target", epsilon, "--coordinates.method", method, *more, *QUIET, ranks=ranks, timeout=250)
        with h5py.File(result) as file:
            return file["projection/lambda"][()]

    def assert_recovers(self, measures, weights, epsilon, *more, ranks=1):
        found = self.recovered(measures, weights, epsilon, *more, ranks=ranks)
        self.assertLess(numpy.abs(found - numpy.array(weights)).max(), 1e-3, found)

    def test_weights_of_four_shapes_are_found_again_with_every_loss(self):
        for loss in ("quadratic", "l1", "kl", "wasserstein"):
            with self.subTest(loss=loss):
                self.assert_recovers(SHAPES, (0.1, 0.4, 0.2, 0.3), 4, "--coordinates.loss", loss)

    def test_weights_are_found_again_by_the_derivative_at_the_end_of_sweeps(self):
        self.assert_recovers(SHAPES, (0.1, 0.4, 0.2, 0.3), 4, "--coordinates.gradient", "implicit", ranks=2)

    def test_weights_of_a_debiased_barycenter_are_found_again_as_near_as_its_sweeps_come(self):
        weights = (0.1, 0.4, 0.2, 0.3)
        errors = []
        for sweeps in (30, 120):
            found = self.recovered(SHAPES, weights, 4, "--coordinates.sweeps", sweeps, method="debiased", tolerance="1e-6")
            errors.append(numpy.abs(found - numpy.array(weights)).max())
        self.assertLess(errors[1], 3e-3, errors)
        self.assertLess(errors[1], 0.5 * errors[0])

    def test_coarser_copies_first_take_fewer_steps_and_end_at_the_same_weights(self):
        steps, found = {}, {}
        for first in ("true", "false"):
            path = self.succeed("hpot-coordinates", "--input.measures", "synthetic:ellipse?n=64&count=4&seed=5", "--input.target",
                                "synthetic:ellipse?n=64&item=7&seed=5", "--epsilon.target", "4", "--coordinates.sweeps", "120",
                                "--epsilon.multiscale", first, "--stopping.tolerance", "1e-6", *QUIET)
            with h5py.File(path) as file:
                found[first] = file["projection/lambda"][()]
                steps[first] = file.attrs["evaluations"] - file.attrs["coarse_evaluations"]
                self.assertEqual(file.attrs["coarse_evaluations"] > 0, first == "true")
                self.assertLessEqual(file.attrs["gap"], 1e-6)
        self.assertLess(numpy.abs(found["true"] - found["false"]).max(), 1e-4, found)
        self.assertLess(steps["true"], steps["false"])

    def test_weights_that_vanish_are_found_again(self):
        for weights in ((0.6, 0, 0.4, 0), (0, 1, 0, 0)):
            with self.subTest(weights=weights):
                self.assert_recovers(SHAPES, weights, 4, "--stopping.tolerance", "1e-6")

    def test_weights_of_eight_volumes_are_found_again_on_three_ranks(self):
        weights = (0.3, 0.05, 0, 0.25, 0.1, 0, 0.2, 0.1)
        self.assert_recovers(PHANTOMS, weights, 4, "--coordinates.sweeps", "20", ranks=3)

    def test_the_mixture_is_the_closest_one(self):
        from scipy.optimize import nnls
        with h5py.File(self.succeed("hpot-coordinates", *SMALL)) as file:
            found, mixture, target = (file[name][()] for name in ("euclidean/lambda", "euclidean/map", "target"))
            losses = {name: dict(file[name].attrs) for name in ("projection", "euclidean")}
            projection = file["projection/map"][()]
        measures = [self.measure(item) for item in range(3)]
        columns = numpy.array([m.ravel() for m in measures]).T
        heavy = 1e4  # of the row that asks for the sum 1
        exact, _ = nnls(numpy.vstack([columns, heavy * numpy.ones(3)]), numpy.append(target.ravel(), heavy))
        numpy.testing.assert_allclose(found, exact, atol=1e-6)
        numpy.testing.assert_allclose(mixture, sum(w * m for w, m in zip(found, measures)), atol=1e-15)
        for name, values in (("projection", projection), ("euclidean", mixture)):
            self.assertLess(abs(values.sum() - 1.0), 1e-12)
            square = ((values - target)**2).sum() / (2 * (target**2).sum())
            self.assertAlmostEqual(losses[name]["quadratic"] / square, 1.0, delta=1e-10)
            self.assertEqual(losses[name]["quadratic"], losses[name]["loss"])
            self.assertAlmostEqual(losses[name]["l1"] / numpy.abs(values - target).sum(), 1.0, delta=1e-10)
        positive = target > 0
        kl = (target[positive] * numpy.log(target[positive] / projection[positive])).sum()
        self.assertAlmostEqual(losses["projection"]["kl"] / kl, 1.0, delta=1e-9)
        self.assertLess(losses["projection"]["quadratic"], losses["euclidean"]["quadratic"])

    def test_the_costs_of_a_grid_as_a_matrix_give_the_coordinates_of_the_grid(self):
        maps = numpy.random.default_rng(3).random((4, 12, 13)) ** 8
        names = ("projection/lambda", "projection/map", "euclidean/map", "target", "steps/loss")
        for loss in ("quadratic", "wasserstein"):
            found = []
            for measures, costs in programs.of_a_grid(self.folder, maps):
                run = ("--input.measures", f"{measures}&count=3", "--input.target", f"{measures}&item=3", *costs,
                       "--coordinates.loss", loss, "--epsilon.target", "3", "--coordinates.sweeps", "10", *QUIET)
                for ranks, divided in ((1, ()), (3, ()), (3, ("--parallel.rows", "3"))):
                    with h5py.File(self.succeed("hpot-coordinates", *run, *divided, ranks=ranks)) as file:
                        found.append([file[name][()].ravel() for name in names])
            for other in found[1:]:
                for name, one, values in zip(names, found[0], other):
                    numpy.testing.assert_allclose(values, one, rtol=0, atol=1e-8 * numpy.abs(one).max(), err_msg=name)

    def measure(self, item):
        """As hpot-barycenter gives it back through the files: the target of a run of its own."""
        path = self.folder / f"measure{item}.h5"
        done = programs.run("hpot-coordinates", "--input.measures", "synthetic:ellipse?n=24&count=3&seed=5", "--input.target",
                            f"synthetic:ellipse?n=24&item={item}&seed=5", "--coordinates.sweeps", "1",
                            "--stopping.max_iterations", "1", "--output.file", path, *QUIET)
        self.assertIn(done.code, (0, 3), done.err)
        with h5py.File(path) as file:
            return file["target"][()]

    def test_results_are_the_same_on_any_number_of_ranks(self):
        one, *others = [self.succeed("hpot-coordinates", *SMALL, "--output.picture", self.folder / f"p{ranks}.png",
                                     *more, ranks=ranks)
                        for ranks, more in ((1, ()), (2, ("--parallel.rows", "2")), (3, ()))]
        for other in others:
            for name in ("projection/lambda", "projection/map", "euclidean/map", "steps/loss"):
                self.assert_equal_results(one, other, name, 1e-8)
        self.assertEqual(png_size(self.folder / "p3.png"), (3 * 264 + 2 * 2, 264))


if __name__ == "__main__":
    unittest.main()
