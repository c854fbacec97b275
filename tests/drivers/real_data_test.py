"""Measured data of every kind go through the programs, with the traps that such files hold."""
import hashlib
import sys
import unittest

import programs
from programs import h5py, nibabel, numpy, png_size, real_data


class RealData(programs.DriverTest):
    def setUp(self):
        super().setUp()
        self.data = real_data()

    def test_barycenter_of_pet_maps_keeps_their_affine(self):
        names = sorted((self.data / "volumes" / "pet").glob("5HT1*.nii.gz"))
        result = self.succeed("hpot-barycenter", "--input.measures", f"{names[0]},{names[1]}", "--barycenter.method",
                              "plain", "--acceleration.type", "anderson", "--epsilon.target", "4",
                              "--stopping.tolerance", "0.02", "--output.picture", self.folder / "map.png", ranks=2)
        self.assertEqual(self.assert_barycenter(result).shape, (61, 73, 61))
        volume = nibabel.load(result.with_suffix(".nii.gz"))
        source = nibabel.load(names[0])
        self.assertEqual(volume.shape, source.shape)
        numpy.testing.assert_allclose(volume.affine, source.affine, atol=1e-3)
        self.assertEqual(png_size(self.folder / "map.png"), ((61 + 73 + 61) * 4 + 2 * 8, 73 * 4))

    def test_coordinates_of_a_barycenter_of_six_pet_maps_are_its_weights(self):
        maps = [nibabel.load(path).get_fdata()[::4, ::4, ::4] for path in
                sorted((self.data / "volumes" / "pet").glob("*.nii.gz"))]
        self.assertEqual(len(maps), 6)
        numpy.save(self.folder / "maps.npy", numpy.clip(maps, 0.0, None))
        self.assert_recovers(f"{self.folder / 'maps.npy'}?stack=1", (0.3, 0.1, 0.2, 0.0, 0.25, 0.15), "2",
                             "--coordinates.sweeps", "40", "--stopping.tolerance", "5e-4", ranks=2)

    def test_coordinates_of_a_barycenter_of_four_silhouettes_are_its_weights(self):
        shapes = f"{self.data / 'images' / 'pot_shapes'}/*.png?channel=r&invert=1"
        self.assert_recovers(shapes, (0.1, 0.4, 0.2, 0.3), "4", "--coordinates.sweeps", "300",
                             "--stopping.tolerance", "1e-7")

    def assert_recovers(self, measures, weights, epsilon, *more, ranks=1):
        inputs = ("--input.measures", measures, "--epsilon.target", epsilon, "--output.progress", "none")
        barycenter = self.folder / "barycenter.h5"
        done = programs.run("hpot-barycenter", *inputs, "--barycenter.method", "plain", "--barycenter.weights",
                            ",".join(map(str, weights)), "--stopping.tolerance", "1e-9", "--output.file", barycenter)
        self.assertEqual(done.code, 0, done.err)
        result = self.succeed("hpot-coordinates", *inputs, "--input.target", f"{barycenter}:/barycenter",
                              *more, ranks=ranks, timeout=250)
        with h5py.File(result) as file:
            found = file["projection/lambda"][()]
            self.assertLess(numpy.abs(found - numpy.array(weights)).max(), 1e-3, found)

    def test_five_atoms_of_threes_are_strokes(self):
        images = self.data / "images" / "mnist" / "t10k-images-idx3-ubyte.gz"
        run = ("--input.measures", f"{images}?label=3&count=20", "--dictionary.atoms", "5", "--dictionary.sweeps", "10",
               "--epsilon.target", "2", "--stopping.max_iterations", "15", "--output.progress", "none")
        found = []
        for ranks in (1, 2):
            with h5py.File(self.succeed("hpot-dictionary", *run, ranks=ranks, code=3, timeout=200)) as file:
                found.append([file[name][()] for name in ("steps/loss", "atoms", "weights")])
        for one, other in zip(*found):
            numpy.testing.assert_array_equal(one, other)
        loss, atoms, _ = found[0]
        self.assertTrue((numpy.diff(loss) < 0).all())
        self.assertLess(loss[-1], 0.65 * loss[0])
        support = [(atom > 0.1 * atom.max()).sum() for atom in atoms]
        self.assertLess(max(support), 150)  # strokes, of 784 pixels

    def contrasts(self):
        return sorted((self.data / "volumes" / "fmri_contrasts").glob("*.img"))[:2]

    def fmri(self, negative):
        source, target = self.contrasts()
        return self.succeed("hpot-sinkhorn", "--input.source", source, "--input.target", target, "--input.negative",
                            negative, "--epsilon.target", "8", "--stopping.tolerance", "0.02", ranks=2)

    def test_fmri_contrasts_are_split_into_both_signs(self):
        masked = sum(int(numpy.isnan(nibabel.load(path).get_fdata()).sum()) for path in self.contrasts())
        self.assertGreater(masked, 0)
        with h5py.File(self.fmri("split")) as file:
            for part in ("positive", "negative"):
                self.assertTrue(file[part].attrs["converged"])
                self.assertEqual(file[part].attrs["masked_values"], masked)
                self.assertTrue(numpy.isfinite(file[part]["potentials/f"][()]).all())
                self.assertLess(abs(file[part].attrs["plan_mass"] - 1.0), 0.05)

    def test_fmri_contrasts_are_clipped_and_the_clipped_values_counted(self):
        below = sum(int((nibabel.load(path).get_fdata() < 0).sum()) for path in self.contrasts())
        with h5py.File(self.fmri("clip")) as file:
            self.assertTrue(file.attrs["converged"])
            self.assertEqual(file.attrs["clipped_values"], below)
            self.assertTrue(numpy.isfinite(file["potentials/f"][()]).all())

    def test_signed_maps_are_refused_unless_told_what_to_do(self):
        source, target = self.contrasts()
        done = programs.run("hpot-sinkhorn", "--input.source", source, "--input.target", target, "--output.file",
                            self.folder / "result.h5")
        self.assertEqual((done.code, len(done.messages())), (2, 1))
        self.assertIn("input.negative", done.messages()[0])

    def test_barycenter_of_twenty_handwritten_threes(self):
        images = self.data / "images" / "mnist" / "t10k-images-idx3-ubyte.gz"
        result = self.succeed("hpot-barycenter", "--input.measures", f"{images}?label=3&count=20", "--epsilon.target",
                              "0.5", "--stopping.tolerance", "1e-2", "--acceleration.type", "anderson",
                              "--output.picture", self.folder / "three.png", ranks=3)
        self.assertEqual(self.assert_barycenter(result).shape, (28, 28))
        self.assertEqual(png_size(self.folder / "three.png"), (280, 280))
        with h5py.File(result) as file:
            self.assertEqual(len(file.attrs["inputs"]), 20)

    def test_dotmark_images_lie_as_far_apart_as_an_exact_solver_says(self):
        exact = 6.270162334061  # squared 2-Wasserstein distance in pixels, by a network simplex
        folder = self.data / "images" / "dotmark"
        result = self.succeed("hpot-sinkhorn", "--input.source", folder / "data32_1001.csv", "--input.target",
                              folder / "data32_1002.csv", "--epsilon.target", "0.1", "--stopping.tolerance", "1e-5")
        with h5py.File(result) as file:
            self.assertGreaterEqual(file.attrs["upper_cost"], exact - 1e-9)
            self.assertGreaterEqual(file.attrs["primal_cost"], exact - 1e-9)
            self.assertAlmostEqual(file.attrs["transport_cost"], exact, delta=0.02 * exact)
            pixels = numpy.loadtxt(folder / "data32_1001.csv", delimiter=",")
            self.assertEqual(file.attrs["input_sha256"][0], hashlib.sha256(pixels.astype("<f8").tobytes()).hexdigest())

    def test_silhouettes_in_a_colour_channel(self):
        folder = self.data / "images" / "pot_shapes"
        shapes = f"{folder}/duck.png?channel=r&invert=1,{folder}/heart.png?channel=r&invert=1"
        result = self.succeed("hpot-barycenter", "--input.measures", shapes, "--barycenter.weights", "1,0;1,2;0,1",
                              "--epsilon.target", "4", "--stopping.tolerance", "1e-2", "--acceleration.type",
                              "anderson", "--output.picture", self.folder / "shapes.png", ranks=2)
        self.assertEqual(self.assert_barycenter(result).shape, (3, 128, 128))
        self.assertEqual(png_size(self.folder / "shapes.png"), (2 * 256 + 2, 2 * 256 + 2))


if __name__ == "__main__":
    if real_data() is None:
        print("skipped: no data")
        sys.exit(77)
    unittest.main()
