"""Distances between many pairs of measures: those of single runs, the same bits on any number of ranks and in any chunk."""
import unittest

import programs
from programs import h5py, numpy, png_size

QUIET = ("--output.progress", "none", "--acceleration.finish", "none")
VALUES = ("distances", "transport_cost", "dual_cost", "gap", "marginal_error", "sweeps", "converged")
FAMILY = "synthetic:waves?n=24&dim=2&seed=4"


def values_of(path, names=VALUES):
    with h5py.File(path) as file:
        return {name: file[name][()] for name in names}


class Distances(programs.DriverTest):
    def matrix(self, *more, ranks=1, code=0, measures=f"{FAMILY}&count=5"):
        return self.succeed("hpot-sinkhorn", "--input.measures", measures, *QUIET, *more, ranks=ranks, code=code)

    def single(self, source, target, *more):
        path = self.succeed("hpot-sinkhorn", "--input.source", source, "--input.target", target, *QUIET, *more)
        with h5py.File(path) as file:
            return dict(file.attrs)

    def assert_same(self, one, other):
        for name in VALUES:
            numpy.testing.assert_array_equal(one[name], other[name], name)

    def test_values_are_those_of_single_runs(self):
        for more in (("--stopping.tolerance", "1e-9"), ("--acceleration.type", "none", "--stopping.tolerance", "1e-7"),
                     ("--penalty.source", "kl:20", "--penalty.target", "kl:20", "--input.normalize", "false",
                      "--stopping.tolerance", "1e-9")):
            with self.subTest(more=more):
                exact = ("--epsilon.target", "2", *more)
                values = values_of(self.matrix(*exact))
                for i, j in ((0, 1), (2, 4)):
                    alone = self.single(f"{FAMILY}&item={i}", f"{FAMILY}&item={j}", *exact)
                    for name in ("dual_cost", "transport_cost"):
                        self.assertAlmostEqual(values[name][i, j] / alone[name], 1.0, delta=1e-6)
                    self.assertLessEqual(values["gap"][i, j], alone["gap"] + 1e-6 * alone["dual_cost"])
                    self.assertGreaterEqual(values["gap"][i, j], -1e-9 * alone["dual_cost"])
                    self.assertEqual(values["distances"][i, j], values["dual_cost"][i, j])

    def test_matrix_is_symmetric_certified_and_within_the_tolerance(self):
        values = values_of(self.matrix("--stopping.tolerance", "1e-5"))
        for name in VALUES:
            numpy.testing.assert_array_equal(values[name], values[name].T)
        self.assertLessEqual(values["marginal_error"].max(), 1e-5)
        self.assertTrue((values["converged"] == 1.0).all())
        self.assertGreaterEqual(values["gap"].min(), 0.0)

    def test_ranks_and_chunks_change_no_bit(self):
        one = values_of(self.matrix())
        for ranks in (2, 3, 17):  # of 15 pairs
            self.assert_same(one, values_of(self.matrix(ranks=ranks)))
        # among other measures a pair is in another chunk
        more = values_of(self.matrix(measures=f"{FAMILY}&count=9"))
        for name in VALUES:
            numpy.testing.assert_array_equal(one[name], more[name][:5, :5], name)
        row = values_of(self.succeed("hpot-sinkhorn", "--input.source", f"{FAMILY}&item=0", "--input.target",
                                     f"{FAMILY}&count=5", *QUIET, ranks=2))
        self.assertEqual(row["distances"].shape, (1, 5))
        for name in VALUES:
            numpy.testing.assert_array_equal(one[name][0, 1:], row[name][0, 1:], name)

    def test_divergence_is_zero_on_the_diagonal_and_positive_elsewhere(self):
        options = ("--sinkhorn.divergence", "true", "--stopping.tolerance", "1e-6")
        matrix = values_of(self.matrix(*options))["distances"]
        numpy.testing.assert_array_equal(numpy.diag(matrix), numpy.zeros(5))
        self.assertGreater(matrix[~numpy.eye(5, dtype=bool)].min(), 0.0)
        alone = self.single(f"{FAMILY}&item=1", f"{FAMILY}&item=2", *options)["divergence"]
        self.assertAlmostEqual(matrix[1, 2] / alone, 1.0, delta=1e-4)
        row = self.succeed("hpot-sinkhorn", "--input.source", f"{FAMILY}&item=0", "--input.target", f"{FAMILY}&count=5",
                           *QUIET, *options, ranks=2)
        row = values_of(row)["distances"][0]
        numpy.testing.assert_array_equal(row[1:], matrix[0, 1:])
        self.assertLess(abs(row[0]), 1e-5 * matrix.max())  # a measure with its copy among the targets

    def test_clouds_have_points_of_their_own(self):
        clouds = ",".join(f"synthetic:points?n={n}&item={k}" for k, n in enumerate((40, 50, 60)))
        options = ("--epsilon.unit", "cost", "--epsilon.target", "0.02", "--stopping.tolerance", "1e-8")
        one, two = [values_of(self.matrix(*options, measures=clouds, ranks=ranks)) for ranks in (1, 2)]
        self.assert_same(one, two)
        alone = self.single(*clouds.split(",")[:2], *options)
        self.assertAlmostEqual(one["distances"][0, 1] / alone["dual_cost"], 1.0, delta=1e-12)

    def test_histograms_over_one_cost_matrix(self):
        random = numpy.random.default_rng(3)
        words = random.random((30, 2))
        numpy.save(self.folder / "cost.npy", ((words[:, None] - words[None]) ** 2).sum(2))
        histograms = random.random((4, 30)) * (random.random((4, 30)) > 0.5)
        for k, histogram in enumerate(histograms):
            numpy.save(self.folder / f"{k}.npy", histogram)
        options = ("--cost.type", "matrix", "--cost.matrix", self.folder / "cost.npy", "--epsilon.unit", "cost",
                   "--epsilon.target", "0.02", "--stopping.tolerance", "1e-8")
        one, two = [values_of(self.matrix(*options, measures=str(self.folder / "[0-3].npy"), ranks=ranks))
                    for ranks in (1, 2)]
        self.assert_same(one, two)
        alone = self.single(self.folder / "0.npy", self.folder / "3.npy", *options)
        self.assertAlmostEqual(one["distances"][0, 3] / alone["dual_cost"], 1.0, delta=1e-7)
        numpy.testing.assert_array_equal(one["distances"], one["distances"].T)
        # costs that are not the same both ways: a matrix that is not either
        numpy.save(self.folder / "cost.npy", numpy.triu(random.random((30, 30))))
        skew = values_of(self.matrix(*options, measures=str(self.folder / "[0-3].npy")))["distances"]
        self.assertGreater(abs(skew - skew.T).max(), 1e-3)

    def test_pairs_that_do_not_converge_are_named(self):
        first = values_of(self.matrix())["sweeps"]
        limit = int(numpy.median(first))
        done = programs.run("hpot-sinkhorn", "--input.measures", f"{FAMILY}&count=5", *QUIET, "--output.file",
                            self.folder / "some.h5", "--stopping.max_iterations", limit, "--checkpoint.file", "none")
        self.assertEqual(done.code, 3, done.err)
        values = values_of(self.folder / "some.h5")
        numpy.testing.assert_array_equal(values["converged"], first <= limit)
        i, j = min((i, j) for i, j in zip(*numpy.nonzero(first > limit)) if i <= j)
        self.assertIn(f"({i}, {j}): max_iterations after {limit} sweeps", done.err)
        self.assertGreater(values["marginal_error"][i, j], 1e-4)

    def test_time_limit_and_restart_end_with_the_bits_of_the_whole_run(self):
        options = ("--epsilon.target", "1", "--stopping.tolerance", "1e-5")
        measures = "synthetic:waves?n=40&dim=2&count=14"
        whole = values_of(self.matrix(*options, measures=measures, ranks=2))
        path = self.folder / "stopped.h5"
        arguments = ("--input.measures", measures, *QUIET, *options, "--output.file", path)
        done = programs.run("hpot-sinkhorn", *arguments, "--stopping.time_limit", "1e-3", ranks=2)
        self.assertEqual(done.code, 4, done.err)
        with h5py.File(path) as file:
            self.assertEqual(file.attrs["stop_reason"], "time_limit")
            self.assertTrue(numpy.isnan(file["distances"][()]).any())
        again = programs.run("hpot-sinkhorn", "--restart", self.folder / "stopped.checkpoint.h5",
                             "--stopping.time_limit", "none", ranks=2)
        self.assertEqual(again.code, 0, again.err)
        self.assert_same(whole, values_of(path))

    def test_picture_and_parts(self):
        random = numpy.random.default_rng(5)
        for k in range(3):
            numpy.save(self.folder / f"{k}.npy", random.normal(size=(8, 8)))
        picture = self.folder / "matrix.png"
        path = self.matrix("--input.negative", "split", "--output.picture", picture,
                           measures=str(self.folder / "[0-2].npy"))
        with h5py.File(path) as file:
            for part in ("positive", "negative"):
                self.assertEqual(file[part]["distances"].shape, (3, 3))
                self.assertEqual(png_size(self.folder / f"matrix_{part}.png"), (258, 258))

    def refuse(self, arguments, *fragments):
        for ranks in (1, 2):
            with self.subTest(ranks=ranks, arguments=arguments):
                result = self.folder / "refused.h5"
                done = programs.run("hpot-sinkhorn", *arguments, "--output.file", result, ranks=ranks)
                self.assertEqual(done.code, 2, done.out + done.err)
                self.assertEqual(len(done.messages()), 1, done.err)
                for fragment in fragments:
                    self.assertIn(fragment, done.messages()[0])
                self.assertFalse(result.exists())

    def test_what_is_refused(self):
        many = ("--input.measures", f"{FAMILY}&count=3")
        self.refuse((*many, "--input.source", f"{FAMILY}&item=0"), "input.source", "input.measures")
        self.refuse(("--input.measures", f"{FAMILY}&item=0"), "input.measures", "one measure")
        self.refuse((), "input.source", "a measure is needed")
        self.refuse((*many, "--epsilon.unit", "mean_cost"), "epsilon.unit")
        self.refuse((*many, "--output.plan", "1e-3"), "output.plan")
        self.refuse((*many, "--acceleration.type", "momentum"), "acceleration.type")
        self.refuse((*many, "--acceleration.finish", "newton"), "acceleration.finish")
        self.refuse(("--input.measures", f"{FAMILY}&count=2, synthetic:waves?n=25&dim=2&count=1"), "grid")
        empty = self.folder / "empty.npy"
        numpy.save(empty, numpy.zeros((24, 24)))
        self.refuse(("--input.measures", f"{FAMILY}&count=2, {empty}"), str(empty))
        self.refuse((*many, "--input.normalize", "false"), "masses")
        self.refuse((*many, "--sinkhorn.divergence", "true", "--penalty.source", "kl:1"), "sinkhorn.divergence")
        self.refuse(("--input.measures", "synthetic:points?n=9&count=3"), "epsilon.unit", "spacing")


if __name__ == "__main__":
    unittest.main()
