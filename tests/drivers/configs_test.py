"""Every file in configs/ is complete, runs, and gives the same answer on any number of ranks."""
import configparser
import os
import re
import unittest

import programs
from programs import SOURCE, h5py, nibabel, numpy, png_size

# Each configuration at a size that a test can afford.
SMALL = {
    "barycenter_volumes": ("--input.measures", "synthetic:phantom?n=20&count=6&seed=1"),
    "barycenter_images": ("--input.measures", "synthetic:ellipse?n=32&count=4&seed=5&hollow=1"),
    "barycenter_clouds": ("--input.measures", "synthetic:points?shape=sphere&dim=2&n=120&count=4&seed=2", "--barycenter.points",
                          "90", "--stopping.tolerance", "1e-3"),
    "barycenter_surface": ("--input.measures", "synthetic:sphere?subdivisions=3&count=3&seed=3", "--input.mesh",
                           "synthetic:sphere?subdivisions=3"),
    "sinkhorn_volumes": ("--input.source", "synthetic:phantom?n=20&seed=1&item=0",
                         "--input.target", "synthetic:phantom?n=20&seed=1&item=1"),
    "sinkhorn_images": ("--input.source", "synthetic:ellipse?n=32&seed=3&item=0",
                        "--input.target", "synthetic:ellipse?n=32&seed=3&item=2&hollow=1"),
    "sinkhorn_cloud": ("--input.source", "synthetic:points?shape=sphere&dim=3&n=300&item=0",
                       "--input.target", "synthetic:points?shape=clusters&dim=3&n=250&item=1"),
    "sinkhorn_matrix": ("--cost.matrix", "synthetic:words?n=90&m=70&dim=20&topics=5",
                        "--input.source", "synthetic:waves?dim=1&n=90&item=0",
                        "--input.target", "synthetic:waves?dim=1&n=70&item=1"),
    "color_transfer": ("--input.source", "synthetic:scene?item=0&pixels=200&n=48",
                       "--input.target", "synthetic:scene?item=1&seed=1&pixels=250&n=48"),
    "scaling": ("--scaling.n", "16"),
    "sinkhorn_unbalanced": ("--input.source", "synthetic:ellipse?n=32&seed=3&item=0",
                            "--input.target", "synthetic:ellipse?n=32&seed=3&item=2"),
    "coordinates_shapes": ("--input.measures", "synthetic:ellipse?n=32&count=4&seed=5", "--input.target",
                           "synthetic:ellipse?n=32&item=7&seed=5"),
    "dictionary_shapes": ("--input.measures", "synthetic:ellipse?n=16&count=8&seed=5&hollow=1", "--dictionary.atoms", "3"),
    "distance_matrix": ("--input.measures", "synthetic:ellipse?n=20&count=5&seed=5"),
}
EVERY_RESULT = {"hpot_version", "config", "stop_reason", "converged", "iterations", "seconds", "ranks", "threads",
                "ranks_along_rows", "ranks_along_batches", "epsilon", "inputs", "input_sha256", "input_masses",
                "masked_values", "clipped_values"}
TRANSPORT = {"reference", "marginal_error_source", "marginal_error_target", "plan_mass", "transport_cost",
             "primal_cost", "dual_cost", "gap", "lower_cost", "upper_cost", "error_floor"}
HISTORY = ("iteration", "level", "epsilon", "marginal_error", "seconds", "row")


def program_of(name):
    """The one that the file's opening comment runs."""
    text = (SOURCE / "configs" / f"{name}.ini").read_text()
    return re.search(r"^#.*\b(hpot-\w+) --config configs/" + name + r"\.ini", text, re.MULTILINE).group(1)


def keys_of(ini_text):
    parser = configparser.ConfigParser(comment_prefixes=("#",), interpolation=None, strict=True)
    parser.read_string(ini_text)
    return {f"{section}.{key}" for section in parser.sections() for key in parser[section]}

RANKS = tuple(map(int, os.environ.get("HPOT_TEST_RANKS", "1,2,3").split(",")))
once = unittest.skipIf(RANKS != (1, 2, 3), "not about ranks")


class Configs(programs.DriverTest):
    def small_run(self, name, ranks, *more, code=0):
        pictures = {"--output.picture": self.folder / f"picture{ranks}.png"}
        if name == "sinkhorn_matrix":
            pictures = {}
        if name == "color_transfer":
            pictures["--output.colors"] = self.folder / f"colors{ranks}.png"
        if name == "sinkhorn_images":
            pictures["--output.interpolation"] = self.folder / f"way{ranks}.png"
        return self.succeed(program_of(name), "--config", SOURCE / "configs" / f"{name}.ini",
                            *(part for pair in pictures.items() for part in pair), *SMALL[name], *more, ranks=ranks,
                            code=code)

    def assert_run_record(self, path, ranks):
        with h5py.File(path) as file:
            self.assertLessEqual(EVERY_RESULT, set(file.attrs))
            self.assertEqual(file.attrs["stop_reason"], "converged")
            self.assertTrue(file.attrs["converged"])
            self.assertEqual(file.attrs["ranks"], ranks)
            self.assertLessEqual(file.attrs["ranks_along_rows"] * file.attrs["ranks_along_batches"], ranks)
            self.assertEqual(file["history"].dtype.names, HISTORY)
            if "descent" in file:  # whose steps take several sweeps each: /history has the first of each
                self.assertEqual(file.attrs["iterations"], file["descent"][-1, 1])
            else:
                self.assertIn(file.attrs["iterations"], file["history"]["iteration"])
            if "source" in file["support"]:
                for side in ("source", "target"):
                    support = file["support"][side]
                    self.assertTrue("points" in support or support.attrs["type"] == "entries of a cost matrix")
            elif "objective" in file.attrs:
                self.assertIn("points", file["support"])
            elif file["support"].attrs["type"] == "surface":
                self.assertIn("areas", file["support"])
            else:
                self.assertIn("spacing", file["support"])
                self.assertIn("origin", file["support"])

    @once
    def test_every_file_has_a_reduced_size_here(self):
        self.assertEqual({path.stem for path in (SOURCE / "configs").glob("*.ini")}, set(SMALL))

    @once
    def test_every_file_gives_every_key(self):
        for name in SMALL:
            text = (SOURCE / "configs" / f"{name}.ini").read_text()
            dump = programs.run(program_of(name), "--dump-config").out.replace("# required: ", "")
            self.assertEqual(keys_of(text), keys_of(dump), name)

    @once
    def test_what_a_file_dumps_runs_alike_and_dumps_itself(self):
        for name in SMALL:
            first = programs.run(program_of(name), "--config", SOURCE / "configs" / f"{name}.ini", "--dump-config").out
            path = self.folder / f"{name}.ini"
            path.write_text(first)
            self.assertEqual(programs.run(program_of(name), "--config", path, "--dump-config").out, first)

    def transport_is_the_same_on_any_number_of_ranks(self, name, tolerance):
        one, *others = [self.small_run(name, ranks) for ranks in RANKS]
        for ranks, other in zip(RANKS[1:], others):
            self.assert_run_record(other, ranks)
            for dataset in ("potentials/f", "potentials/g"):
                self.assert_equal_results(one, other, dataset, tolerance)
            with h5py.File(one) as a, h5py.File(other) as b:
                self.assertEqual(a.attrs["iterations"], b.attrs["iterations"])
                for value in ("transport_cost", "dual_cost", "divergence"):
                    self.assertAlmostEqual(a.attrs[value] / b.attrs[value], 1.0, delta=tolerance)
        self.assert_run_record(one, 1)
        with h5py.File(one) as file:
            self.assertLessEqual(TRANSPORT, set(file.attrs))
            self.assertEqual(file["potentials/f"].shape, file["potentials/g"].shape)
            self.assertGreater(file.attrs["divergence"], 0.0)
            return dict(file.attrs), file["potentials/f"].shape

    def test_sinkhorn_volumes(self):
        values, shape = self.transport_is_the_same_on_any_number_of_ranks("sinkhorn_volumes", 1e-9)
        self.assertEqual(shape, (20, 20, 20))
        self.assertLessEqual(values["marginal_error_source"] + values["marginal_error_target"], 2.1e-4)
        self.assertLess(abs(values["plan_mass"] - 1.0), 2e-4)
        self.assertGreaterEqual(values["primal_cost"], values["dual_cost"])
        self.assertAlmostEqual(values["gap"], values["primal_cost"] - values["dual_cost"], delta=1e-12)
        self.assertLessEqual(values["lower_cost"], values["upper_cost"])
        self.assertLessEqual(values["upper_cost"] - values["lower_cost"], values["transport_cost"])

    def test_sinkhorn_unbalanced(self):
        values, shape = self.transport_is_the_same_on_any_number_of_ranks("sinkhorn_unbalanced", 1e-9)
        self.assertEqual(shape, (32, 32))
        masses = values["input_masses"]
        self.assertNotAlmostEqual(masses[0], masses[1], delta=1.0)
        self.assertGreaterEqual(values["gap"], 0.0)
        self.assertEqual(png_size(self.folder / "picture1.png"), (256, 2 * 256 + 2))

    def test_sinkhorn_images(self):
        one, *others = [self.small_run("sinkhorn_images", ranks) for ranks in RANKS]
        for ranks, other in zip(RANKS[1:], others):
            self.assert_run_record(other, ranks)
            for dataset in ("plan/source", "plan/target", "plan/value", "map/displacement", "map/mask"):
                self.assert_equal_results(one, other, dataset, 0.0)
            self.assertEqual((self.folder / f"way{ranks}.png").read_bytes(), (self.folder / "way1.png").read_bytes())
        self.assertEqual(png_size(self.folder / "way1.png"), (7 * 256 + 6 * 2, 256))

    def test_sinkhorn_cloud(self):
        one, *others = [self.small_run("sinkhorn_cloud", ranks, "--kernel.precision", "double") for ranks in RANKS]
        for ranks, other in zip(RANKS[1:], others):
            self.assert_run_record(other, ranks)
            for dataset in ("potentials/f", "potentials/g"):
                self.assert_equal_results(one, other, dataset, 1e-10)

    def test_sinkhorn_matrix(self):
        one, *others = [self.small_run("sinkhorn_matrix", ranks, "--kernel.precision", "double") for ranks in RANKS]
        for ranks, other in zip(RANKS[1:], others):
            self.assert_run_record(other, ranks)
            for dataset in ("potentials/f", "plan/value", "gradient/source/weights", "gradient/target/weights"):
                self.assert_equal_results(one, other, dataset, 1e-8)
        with h5py.File(one) as file:
            self.assertEqual(len(file.attrs["input_sha256"]), 3)
            self.assertTrue(file.attrs["inputs"][2].startswith("synthetic:words"))
            self.assertGreater(file["plan"].attrs["entries"], 100)

    def test_color_transfer(self):
        for ranks in RANKS:
            self.assert_run_record(self.small_run("color_transfer", ranks), ranks)
            self.assertEqual((self.folder / f"colors{ranks}.png").read_bytes(),
                             (self.folder / "colors1.png").read_bytes())
        self.assertEqual(png_size(self.folder / "colors1.png"), (64, 48))

    def barycenters_are_the_same_on_any_number_of_ranks(self, name, *more, exactly=True):
        """Sums over measures do not depend on the ranks: also runs that stop by themselves take the same sweeps."""
        one, *others = [self.small_run(name, ranks, *more) for ranks in RANKS]
        for ranks, path in zip(RANKS, (one, *others)):
            self.assert_run_record(path, ranks)
            self.assert_barycenter(path)
            with h5py.File(path) as file:
                self.assertLessEqual(file.attrs["marginal_error"], 1e-3)
                self.assertEqual(file["marginal_errors"].shape, file["weights"].shape)
                residuals = [name for name in ("marginal_error_max", "self_transport_error") if name in file.attrs]
                self.assertEqual(len(residuals), 1 if "plain" in more else 2)
                self.assertLessEqual(max(file.attrs[name] for name in residuals), 1e-3 + 1e-6)  # sweeps are in mixed precision
                self.assertLess(file.attrs["error_floor"], 1e-9)
        for other in others:
            self.assert_equal_results(one, other, "barycenter", 1e-14)
            with h5py.File(one) as a, h5py.File(other) as b:
                if exactly:  # else rows are divided, and sums over points are added over ranks
                    self.assertEqual(a.attrs["iterations"], b.attrs["iterations"])
                    numpy.testing.assert_array_equal(a["history"]["marginal_error"], b["history"]["marginal_error"])
            if not exactly:
                self.assert_equal_results(one, other, "support/points", 1e-2)
        return one

    def test_barycenter_volumes(self):
        path = self.barycenters_are_the_same_on_any_number_of_ranks("barycenter_volumes")
        with h5py.File(path) as file:
            values, affine = file["barycenter"][()], file["support/affine"][()]
            self.assertEqual(len(file.attrs["inputs"]), 6)
        volume = nibabel.load(path.with_suffix(".nii.gz"))
        numpy.testing.assert_array_equal(volume.get_fdata(), values.transpose(2, 1, 0))
        numpy.testing.assert_allclose(volume.affine, affine, atol=1e-6)
        numpy.testing.assert_allclose(affine, [[1, 0, 0, -9.5], [0, 1, 0, -9.5], [0, 0, 1, -9.5], [0, 0, 0, 1]])
        self.assertEqual(png_size(self.folder / "picture1.png"), (3 * 260 + 2 * 8, 260))

    def test_barycenter_images(self):
        self.barycenters_are_the_same_on_any_number_of_ranks("barycenter_images", "--barycenter.method", "plain")
        path = self.barycenters_are_the_same_on_any_number_of_ranks("barycenter_images")
        with h5py.File(path) as file:
            self.assertEqual(file["barycenter"].shape, (9, 32, 32))
            numpy.testing.assert_array_equal(file["weights"][:3], [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 1, 0, 0]])
            numpy.testing.assert_array_equal(file["weights"][4], 4 * [0.25])
        self.assertEqual(png_size(self.folder / "picture1.png"), (3 * 256 + 2 * 2, 3 * 256 + 2 * 2))

    def test_distance_matrix(self):
        paths = [self.small_run("distance_matrix", ranks) for ranks in RANKS]
        with h5py.File(paths[0]) as file:
            self.assertLessEqual(EVERY_RESULT | {"pairs", "pairs_converged", "marginal_error_max", "gap_max"},
                                 set(file.attrs))
            distances = file["distances"][()]
            self.assertEqual(distances.shape, (5, 5))
            numpy.testing.assert_array_equal(numpy.diag(distances), numpy.zeros(5))
            numpy.testing.assert_array_equal(distances, distances.T)
            self.assertGreater(distances[~numpy.eye(5, dtype=bool)].min(), 0.0)
        for other in paths[1:]:
            self.assert_equal_results(paths[0], other, "distances", 0.0)
        self.assertEqual(png_size(self.folder / "picture1.png"), (260, 260))

    def test_coordinates_shapes(self):
        one, *others = [self.small_run("coordinates_shapes", ranks) for ranks in RANKS]
        for other in others:
            for dataset in ("projection/lambda", "projection/map", "euclidean/lambda"):
                self.assert_equal_results(one, other, dataset, 1e-8)
        with h5py.File(one) as file:
            self.assertLessEqual(EVERY_RESULT | {"loss", "gap", "evaluations", "sweeps"}, set(file.attrs))
            self.assertLess(file.attrs["gap"], 1e-4)
            self.assertAlmostEqual(file["projection/lambda"][()].sum(), 1.0, delta=1e-14)
            self.assertLess(file["projection"].attrs["loss"], file["euclidean"].attrs["loss"])
            self.assertEqual(file["steps/lambda"].shape, (file.attrs["iterations"] + 1, 4))
            self.assertTrue((numpy.diff(file["steps/loss"][()]) < 0).all())
        self.assertEqual(png_size(self.folder / "picture1.png"), (3 * 256 + 2 * 2, 256))

    def test_dictionary_shapes(self):
        one, *others = [self.small_run("dictionary_shapes", ranks) for ranks in RANKS]
        for other in others:
            for dataset in ("atoms", "weights", "losses", "steps/loss"):
                self.assert_equal_results(one, other, dataset, 1e-10)
        with h5py.File(one) as file:
            self.assertLessEqual(EVERY_RESULT | {"loss", "mean_loss", "evaluations", "sweeps"}, set(file.attrs))
            self.assertEqual(file.attrs["stop_reason"], "converged")
            self.assertEqual(file["atoms"].shape, (3, 16, 16))
            self.assertLess(abs(file["atoms"][()].sum(axis=(1, 2)) - 1.0).max(), 1e-13)
            self.assertEqual(file["weights"].shape, (8, 3))
            self.assertLess(abs(file["weights"][()].sum(axis=1) - 1.0).max(), 1e-14)
            self.assertEqual(file["steps/loss"].shape, (file.attrs["iterations"] + 1,))
            self.assertTrue((numpy.diff(file["steps/loss"][()]) < 0).all())
            self.assertAlmostEqual(file["losses"][()].mean(), file.attrs["mean_loss"], delta=1e-14)
        self.assertEqual(png_size(self.folder / "picture1.png"), (3 * 256 + 2 * 2, 256))

    def test_barycenter_clouds(self):
        path = self.barycenters_are_the_same_on_any_number_of_ranks("barycenter_clouds", exactly=False)
        with h5py.File(path) as file:
            self.assertEqual(file["support/points"].shape, (90, 2))
            self.assertLess(file.attrs["movement"], 1e-3)
        self.assertEqual(png_size(self.folder / "picture1.png"), (384, 384))

    def test_barycenter_surface(self):
        path = self.barycenters_are_the_same_on_any_number_of_ranks("barycenter_surface", "--barycenter.method",
                                                                 "plain")
        with h5py.File(path) as file:
            self.assertEqual(file["barycenter"].shape, (642,))
            self.assertGreater(file["support/areas"][()].min(), 0.0)
        self.assertEqual(png_size(self.folder / "picture1.png"), (2 * 480 + 2, 480))

    @once
    def test_more_ranks_than_planes_or_measures(self):
        measures = ("--input.measures", "synthetic:phantom?shape=2x16x12&count=1", "--epsilon.target", "2")
        one, many = [self.succeed("hpot-barycenter", *measures, ranks=ranks) for ranks in (1, 5)]
        self.assert_equal_results(one, many, "barycenter", 1e-14)
        pair = ("--input.source", "synthetic:phantom?shape=2x16x12&item=0", "--input.target",
                "synthetic:phantom?shape=2x16x12&item=1")
        one, many = [self.succeed("hpot-sinkhorn", *pair, ranks=ranks) for ranks in (1, 5)]
        self.assert_equal_results(one, many, "potentials/f", 0.0)

    @once
    def test_long_lines(self):
        for family in ("ellipse?n=600", "gaussian?dim=1&n=4096"):
            pair = ("--input.source", f"synthetic:{family}&item=0", "--input.target", f"synthetic:{family}&item=1")
            for precision in ("mixed", "double"):
                with self.subTest(family=family, precision=precision):
                    self.succeed("hpot-sinkhorn", *pair, "--epsilon.unit", "max_cost", "--epsilon.target", "1e-2",
                                 "--stopping.tolerance", "0.01", "--kernel.precision", precision)


if __name__ == "__main__":
    unittest.main()
