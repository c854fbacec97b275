"""hpot-dictionary: atoms that are known are found again, every loss falls, and other programs read what is written."""
import unittest

import programs
from programs import h5py, numpy, png_size

QUIET = ("--output.progress", "none")
RINGS = "synthetic:ellipse?n=20&count=2&seed=5&hollow=1"
SMALL = ("--input.measures", "synthetic:ellipse?n=16&count=7&seed=5&hollow=1", "--dictionary.atoms", "3", "--epsilon.target",
         "2", "--dictionary.sweeps", "10", *QUIET)
WEIGHTS = numpy.array([[1, 0], [0.8, 0.2], [0.6, 0.4], [0.5, 0.5], [0.3, 0.7], [0.1, 0.9], [0, 1]])


def results(path):
    with h5py.File(path) as file:
        return {name: file[name][()] for name in ("atoms", "weights", "losses", "steps/loss")}


class Dictionary(programs.DriverTest):
    def barycenters(self):
        """Those of two rings, by the program that makes nothing else."""
        path = self.folder / "barycenters.h5"
        done = programs.run("hpot-barycenter", "--input.measures", RINGS, "--barycenter.method", "plain",
                            "--barycenter.weights", ";".join(",".join(map(str, row)) for row in WEIGHTS),
                            "--epsilon.target", "2", "--stopping.tolerance", "1e-9", "--kernel.precision", "double",
                            "--output.file", path, *QUIET)
        self.assertEqual(done.code, 0, done.err)
        return f"{path}:/barycenter?stack=1"

    def test_two_atoms_of_which_all_maps_are_barycenters_are_found_again(self):
        found = results(self.succeed("hpot-dictionary", "--input.measures", self.barycenters(), "--dictionary.atoms", "2",
                                     "--dictionary.sweeps", "30", "--epsilon.target", "2", "--stopping.max_iterations",
                                     "120", "--stopping.tolerance", "1e-6", *QUIET, code=3, timeout=200))
        loss = found["steps/loss"]
        self.assertTrue((numpy.diff(loss) < 0).all())
        self.assertLess(loss[-1], 1e-3 * loss[0])
        weights = found["weights"]
        error = min(numpy.abs(w - WEIGHTS).max() for w in (weights, weights[:, ::-1]))
        self.assertLess(error, 0.02, weights)
        self.assertAlmostEqual(found["losses"].mean(), loss[-1], delta=1e-12)

    def test_every_loss_falls_with_every_step(self):
        for loss in ("quadratic", "l1", "kl", "wasserstein", "wasserstein_plain"):
            for method in ("plain", "debiased"):
                with self.subTest(loss=loss, method=method):
                    found = results(self.succeed("hpot-dictionary", *SMALL, "--dictionary.loss", loss, "--dictionary.method",
                                                 method, "--stopping.max_iterations", "8", "--stopping.tolerance", "1e-9",
                                                 code=3, timeout=200))
                    self.assertTrue((numpy.diff(found["steps/loss"]) < 0).all(), found["steps/loss"])
                    self.assertEqual(len(found["steps/loss"]), 9)
                    self.assertTrue(numpy.isfinite(found["atoms"]).all())

    def test_results_are_the_same_on_any_number_of_ranks(self):
        for more, steps in (((), "12"), (("--dictionary.batch", "3"), "4")):
            runs = [self.succeed("hpot-dictionary", *SMALL, *more, "--stopping.max_iterations", steps, "--stopping.tolerance",
                                 "1e-9", *divided, code=3, ranks=ranks)
                    for ranks, divided in ((1, ()), (2, ()), (3, ()), (2, ("--parallel.rows", "2")))]
            with self.subTest(more=more):
                one, *others = [results(run) for run in runs]
                for number, other in enumerate(others):
                    for name, values in one.items():
                        most = 1e-10 * numpy.abs(values).max()
                        self.assertLess(numpy.abs(other[name] - values).max(), most, f"{name}, {number}")

    def test_the_costs_of_a_grid_as_a_matrix_give_the_dictionary_of_the_grid(self):
        maps = numpy.random.default_rng(3).random((6, 12, 13)) ** 8
        (images, grid), (entries, matrix) = programs.of_a_grid(self.folder, maps)
        run = ("--epsilon.target", "3", "--dictionary.atoms", "3", "--dictionary.sweeps", "8", "--stopping.max_iterations", "8",
               "--stopping.tolerance", "1e-9", *QUIET)
        for loss in ("kl", "wasserstein"):
            options = (*run, "--dictionary.loss", loss, "--dictionary.loss_tolerance", "1e-11")
            expected = results(self.succeed("hpot-dictionary", "--input.measures", images, *grid, *options, code=3))
            for ranks, divided in ((1, ()), (2, ()), (3, ("--parallel.rows", "3")), (1, ("--dictionary.batch", "6"))):
                with self.subTest(loss=loss, ranks=ranks, divided=divided):
                    path = self.succeed("hpot-dictionary", "--input.measures", entries, *matrix, *options, *divided, code=3,
                                        ranks=ranks)
                    with h5py.File(path) as file:
                        self.assertEqual(file["support"].attrs["type"], "entries of a cost matrix")
                        self.assertTrue(file.attrs["inputs"][-1].endswith("costs.npy"))
                    found = results(path)
                    if "--dictionary.batch" in divided:
                        self.assertLess(found["steps/loss"][-1], found["steps/loss"][0])
                        continue
                    self.assertEqual(found["atoms"].shape, (3, 156))
                    for name, values in expected.items():
                        numpy.testing.assert_allclose(found[name].ravel(), values.ravel(), rtol=0,
                                                      atol=1e-9 * numpy.abs(values).max(), err_msg=name)
        again = self.succeed("hpot-dictionary", "--input.measures", entries, *matrix, *run, "--input.atoms",
                             f"{path}:/atoms?stack=1", code=3)
        self.assertLess(results(again)["steps/loss"][0], found["steps/loss"][0])

    def test_ranks_without_maps_and_unequal_shares_of_long_sweeps_end_alike(self):
        for measures, ranks in (("ellipse?n=12&count=2", 3), ("gaussian?dim=3&n=52&count=4", 3)):
            run = ("--input.measures", f"synthetic:{measures}", "--dictionary.atoms", "2", "--dictionary.sweeps", "2",
                   "--epsilon.target", "64", "--stopping.max_iterations", "1", *QUIET)
            one = results(self.succeed("hpot-dictionary", *run, code=3))
            several = results(self.succeed("hpot-dictionary", *run, "--parallel.batches", ranks, ranks=ranks, code=3))
            for name, values in one.items():
                numpy.testing.assert_array_equal(several[name], values)

    def test_batches_lower_the_loss(self):
        found = results(self.succeed("hpot-dictionary", *SMALL, "--dictionary.batch", "3", "--stopping.max_iterations", "30",
                                     "--stopping.tolerance", "1e-9", code=3))
        loss = found["steps/loss"]
        self.assertEqual(len(loss), 30)
        self.assertLess(loss[-1], 0.7 * loss[0])
        self.assertAlmostEqual(found["losses"].mean() / loss[-1], 1.0, delta=0.2)  # the mean on the way to it

    def test_batches_whose_loss_rises_have_not_converged(self):
        run = ("hpot-dictionary", *SMALL, "--stopping.tolerance")
        start = self.folder / "start.h5"
        self.succeed(*run, "1e-9", "--stopping.max_iterations", "40", code=3).rename(start)
        found = results(self.succeed(*run, "0.02", "--input.atoms", f"{start}:/atoms?stack=1", "--dictionary.batch", "7",
                                     "--dictionary.rate", "2000", "--stopping.max_iterations", "11", code=3))
        loss = found["steps/loss"]
        self.assertGreater(loss[-1], 1.02 * loss[0])

    def test_other_programs_read_the_atoms(self):
        path = self.succeed("hpot-dictionary", *SMALL)
        found = results(path)
        atoms = ("--input.measures", f"{path}:/atoms?stack=1", "--epsilon.target", "2", *QUIET)
        weights = ",".join(map(repr, map(float, found["weights"][2])))
        done = programs.run("hpot-barycenter", *atoms, "--barycenter.method", "plain", "--barycenter.weights", weights,
                            "--output.file", self.folder / "b.h5")
        self.assertEqual(done.code, 0, done.err)
        done = programs.run("hpot-coordinates", *atoms, "--input.target", "synthetic:ellipse?n=16&item=2&seed=5&hollow=1",
                            "--coordinates.sweeps", "10", "--stopping.tolerance", "1e-6", "--output.file",
                            self.folder / "c.h5")
        self.assertIn(done.code, (0, 3), done.err)
        with h5py.File(self.folder / "c.h5") as file:  # the weights of fixed atoms can only be better
            self.assertLess(file["projection"].attrs["loss"], found["losses"][2] * (1.0 + 1e-6))
            self.assertGreater(file["projection"].attrs["loss"], 0.7 * found["losses"][2])

    def test_a_dictionary_goes_on_from_given_atoms(self):
        first = self.succeed("hpot-dictionary", *SMALL)
        kept = self.folder / "first.h5"
        first.rename(kept)
        again = results(self.succeed("hpot-dictionary", *SMALL, "--input.atoms", f"{kept}:/atoms?stack=1"))
        fresh = results(kept)
        self.assertLess(again["steps/loss"][5], 0.95 * fresh["steps/loss"][5])
        self.assertLess(again["losses"].mean(), 1.02 * fresh["losses"].mean())
        corner = numpy.full((2, 16, 16), 1.0)
        corner[0, :8] = 0.0
        corner[1, :, 8:] = 0.0
        numpy.save(self.folder / "corner.npy", corner)
        held = results(self.succeed("hpot-dictionary", *SMALL, "--input.atoms", f"{self.folder}/corner.npy?stack=1"))
        self.assertEqual(held["atoms"].shape, (2, 16, 16))
        self.assertEqual(held["atoms"][0, :8].max(), 0.0)
        self.assertGreater(held["atoms"][0, 8:].max(), 0.0)

    def test_volumes_are_written_with_their_affine_and_a_picture(self):
        path = self.succeed("hpot-dictionary", "--input.measures", "synthetic:phantom?n=10&count=3&seed=1",
                            "--dictionary.atoms", "2", "--dictionary.sweeps", "6", "--epsilon.target", "4",
                            "--stopping.max_iterations", "2", "--output.picture", self.folder / "atoms.png", *QUIET, code=3)
        for k in range(2):
            image = programs.nibabel.load(path.with_name(f"{path.stem}_{k}.nii.gz"))
            with h5py.File(path) as file:
                atom = file["atoms"][k]
            numpy.testing.assert_allclose(numpy.asarray(image.dataobj).T, atom, rtol=1e-6)
        self.assertEqual(png_size(self.folder / "atoms.png")[1], 2 * 260 + 2)


if __name__ == "__main__":
    unittest.main()
