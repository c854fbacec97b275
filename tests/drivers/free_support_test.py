"""Barycenters of clouds, as users ask for them: the points of the file are where the potentials in it send them."""
import unittest

import programs
from programs import h5py, numpy, png_size

RINGS = ("--input.measures", "synthetic:points?shape=sphere&n=60&count=3&weights=random", "--epsilon.unit", "cost",
         "--epsilon.target", "0.01")


def weighted(array):
    weights = array[:, -1] / array[:, -1].sum()
    return array[:, :-1], weights


class FreeSupport(programs.DriverTest):
    def solve(self, method, *arguments, ranks=1, code=0):
        return self.succeed("hpot-barycenter", "--barycenter.method", method, *arguments, ranks=ranks, code=code)

    def tables(self, count=3, n=70):
        """Written to files; (points, weights) of each."""
        random = numpy.random.default_rng(3)
        arrays = [numpy.column_stack([random.random((n + 5 * k, 2)) * [1.0, 0.3 + 0.3 * k], random.random(n + 5 * k)])
                  for k in range(count)]
        for k, array in enumerate(arrays):
            numpy.save(self.folder / f"cloud{k}.npy", array)
        names = ",".join(f"{self.folder}/cloud{k}.npy?as=points&weights=last" for k in range(count))
        return names, [weighted(array) for array in arrays]

    def test_points_are_where_the_plans_send_them(self):
        names, clouds = self.tables()
        share = numpy.array([0.5, 0.2, 0.3])
        for ranks in (1, 3):
            result = self.solve("free_support", "--input.measures", names, "--epsilon.unit", "cost", "--epsilon.target", "0.02",
                                "--barycenter.weights", "5,2,3", "--barycenter.points", "60", ranks=ranks)
            with h5py.File(result) as file:
                x, a, epsilon = file["support/points"][()], file["barycenter"][()], file.attrs["epsilon"]
                potentials = [(file[f"potentials/{k}/f"][()], file[f"potentials/{k}/g"][()]) for k in range(3)]
                dual = file["values/dual_cost"][0]
                objective, gap = file.attrs["objective"], file.attrs["gap"]
                movement, descent = file.attrs["movement"], file["descent"][()]
            self.assertEqual(x.shape, (60, 2))
            self.assertLess(abs(a - 1.0 / 60.0).max(), 1e-15)
            image = numpy.zeros_like(x)
            for k, ((f, g), (y, b)) in enumerate(zip(potentials, clouds)):
                cost = ((x[:, None] - y[None]) ** 2).sum(2)
                plan = a[:, None] * b * numpy.exp((f[:, None] + g - cost) / epsilon)
                self.assertLess(abs(plan.sum(1) - a).sum() + abs(plan.sum(0) - b).sum(), 1e-4)
                self.assertAlmostEqual(dual[k], a @ f + b @ g - epsilon * (plan.sum() - 1.0), delta=1e-9)
                image += share[k] * (plan @ y) / plan.sum(1)[:, None]
            extent = numpy.sqrt(sum((max(y[:, d].max() for y, _ in clouds) - min(y[:, d].min() for y, _ in clouds)) ** 2
                                    for d in range(2)))
            self.assertAlmostEqual(numpy.sqrt((a[:, None] * (image - x) ** 2).sum()) / extent, movement, delta=2e-5)
            self.assertLess(movement, 1e-4)
            self.assertAlmostEqual(objective, share @ dual, delta=1e-12)
            self.assertLess(gap, 1e-3)
            self.assertLess(descent[-1, 2], descent[0, 2])
            self.assertAlmostEqual(descent[-1, 2], objective, delta=1e-5)

    def test_ranks_and_process_grids_agree_bit_by_bit(self):
        for method, weights in (("free_support", "1,2,3"), ("debiased_free_support", "1,1,0")):
            results = [self.solve(method, *RINGS, "--stopping.tolerance", "1e-3", "--barycenter.weights", weights, *more,
                                  ranks=ranks)
                       for ranks, more in ((1, ()), (2, ("--parallel.rows", "2")), (3, ()))]
            for other in results[1:]:
                for dataset in ("support/points", "potentials/0/f", "potentials/2/g", "values/gap"):
                    self.assert_equal_results(results[0], other, dataset, 0.0)

    def test_stopped_runs_go_on_with_the_same_bits(self):
        arguments = (*RINGS, "--stopping.tolerance", "1e-3", "--barycenter.weights", "1,2,3;1,0,0")
        for ranks, part in ((1, 2), (2, 2), (2, 20)):  # between two steps; within the first solve
            with self.subTest(ranks=ranks, part=part):
                whole = self.solve("debiased_free_support", *arguments, ranks=ranks)
                with h5py.File(whole) as file:
                    points, sweeps = file["support/points"][()], list(file["weights"].attrs["iterations"])
                self.assertEqual(points.shape, (2, 60, 2))
                state = self.folder / "state.h5"
                self.solve("debiased_free_support", *arguments, "--checkpoint.file", state, "--checkpoint.every", "0",
                           "--stopping.max_iterations", str(int(min(sweeps)) // part), ranks=ranks, code=3)
                again = self.succeed("hpot-barycenter", "--restart", state, "--stopping.max_iterations", "20000", ranks=ranks,
                                     code=3)  # the first row stays as it was when it ended
                with h5py.File(again) as file:
                    numpy.testing.assert_array_equal(file["support/points"][1], points[1])
                    self.assertEqual(list(file["weights"].attrs["iterations"])[1], sweeps[1])

    def test_points_begin_where_they_are_told_with_the_weights_given(self):
        names, clouds = self.tables(count=1)
        result = self.solve("debiased_free_support", "--input.measures", names, "--barycenter.start", names, "--epsilon.unit",
                            "cost", "--epsilon.target", "0.02", "--output.picture", self.folder / "points.png")
        with h5py.File(result) as file:
            numpy.testing.assert_allclose(file["barycenter"][()], clouds[0][1], rtol=1e-14)
            numpy.testing.assert_allclose(file["support/points"][()], clouds[0][0], atol=1e-3)
        self.assertGreater(png_size(self.folder / "points.png")[1], 300)

    def test_seeds_draw_other_samples_and_one_seed_the_same(self):
        def points(seed):
            with h5py.File(self.solve("free_support", *RINGS, "--barycenter.points", "30", "--barycenter.seed", seed,
                                      "--stopping.max_iterations", "1", code=3)) as file:
                return file["support/points"][()]
        numpy.testing.assert_array_equal(points(4), points(4))
        self.assertGreater(abs(points(4) - points(5)).max(), 1e-3)

    def test_voxels_and_few_points_are_clouds_too(self):
        for k in range(2):
            image = numpy.zeros((9, 9))
            image[k + 1:k + 6, 2:5] = 1.0 + k
            numpy.save(self.folder / f"image{k}.npy", image)
        names = ",".join(f"{self.folder}/image{k}.npy?as=voxels" for k in range(2))
        result = self.solve("free_support", "--input.measures", names, "--barycenter.points", "12", "--epsilon.target", "0.5")
        with h5py.File(result) as file:
            self.assertEqual(file["support/points"].shape, (12, 2))
        names, clouds = self.tables(count=2)
        result = self.solve("free_support", "--input.measures", names, "--barycenter.points", "1", "--epsilon.unit", "cost",
                            "--epsilon.target", "0.1")
        with h5py.File(result) as file:  # all mass of both measures goes to the one point
            expected = 0.5 * sum(b @ y for y, b in clouds)
            numpy.testing.assert_allclose(file["support/points"][0], expected, atol=1e-6)

    def test_dry_run_is_near_what_it_takes(self):
        arguments = ("--input.measures", "synthetic:points?n=3500&count=2", "--kernel.type", "stored", "--epsilon.unit",
                     "max_cost", "--epsilon.target", "0.1", "--stopping.max_iterations", "3")
        result = self.solve("free_support", *arguments, code=3)
        with h5py.File(result) as file:
            grown, planned = (float(file.attrs[name]) for name in ("memory_growth_max", "memory_planned"))
        self.assertGreater(grown, 1e8)
        self.assertLess(abs(planned - grown), 0.2 * grown, f"planned {planned}, taken {grown}")
        done = programs.run("hpot-barycenter", "--barycenter.method", "free_support", *arguments, "--dry-run")
        self.assertIn("clouds of the measures", done.out)


if __name__ == "__main__":
    unittest.main()
