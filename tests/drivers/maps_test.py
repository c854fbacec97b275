"""What hpot-sinkhorn makes of a plan: its entries, its map, the frames between the measures. Files are opened as users
open them, and compared with the plan of the potentials in the same file."""
import subprocess
import sys
import unittest

import programs
from programs import SOURCE, h5py, nibabel, numpy, png_size


def plan_of(file, a, b, spacing=1.0):
    """All of P_ij = a_i b_j exp((f_i + g_j - C_ij)/eps), |x-y|^2, from a result file."""
    f, g = (file[f"potentials/{name}"][()] for name in "fg")
    points = numpy.stack(numpy.indices(f.shape), axis=-1).reshape(-1, f.ndim) * spacing
    cost = ((points[:, None] - points[None]) ** 2).sum(axis=-1)
    return numpy.outer(a, b) * numpy.exp((f.reshape(-1, 1) + g.reshape(1, -1) - cost) / file.attrs["epsilon"]), points


class Maps(programs.DriverTest):
    def pair(self, shape, seed=1, zeros=0.4):
        """Two random arrays as files, and their weights."""
        generator = numpy.random.default_rng(seed)
        arguments, weights = [], []
        for name in ("source", "target"):
            values = generator.random(shape) * (generator.random(shape) > zeros)
            numpy.save(self.folder / f"{name}.npy", values)
            arguments += [f"--input.{name}", self.folder / f"{name}.npy"]
            weights.append(values.ravel() / values.sum())
        return arguments, weights

    def test_plan_is_exactly_the_entries_of_its_share_on_any_number_of_ranks(self):
        for shape, epsilon in (((13, 17), "2"), ((90,), "5"), ((5, 6, 7), "1")):
            for penalty in ("balanced", "kl:20"):
                with self.subTest(shape=shape, penalty=penalty):
                    arguments, (a, b) = self.pair(shape)
                    results = [self.succeed("hpot-sinkhorn", *arguments, "--epsilon.target", epsilon, "--output.plan",
                                            "0.01", "--penalty.source", penalty, "--penalty.target", penalty,
                                            "--stopping.tolerance", "1e-7", ranks=ranks) for ranks in (1, 2, 3)]
                    for other in results[1:]:
                        for dataset in ("plan/source", "plan/target", "plan/value"):
                            self.assert_equal_results(results[0], other, dataset, 0.0)
                    with h5py.File(results[0]) as file:
                        expected, _ = plan_of(file, a, b)
                        plan = file["plan"]
                        wanted = (expected >= 0.01 * expected.sum(axis=1, keepdims=True)) | (
                            expected >= 0.01 * expected.sum(axis=0))
                        wanted &= expected > 0
                        numpy.testing.assert_array_equal(numpy.stack(numpy.nonzero(wanted)),
                                                         [plan["source"][()], plan["target"][()]])
                        numpy.testing.assert_allclose(plan["value"][()], expected[wanted], rtol=1e-11)
                        self.assertEqual(plan.attrs["entries"], wanted.sum())
                        self.assertEqual((plan.attrs["sources"], plan.attrs["targets"]), expected.shape)
                        self.assertAlmostEqual(plan.attrs["mass"], expected[wanted].sum(), delta=1e-12)
                        self.assertAlmostEqual(plan.attrs["plan_mass"], file.attrs["plan_mass"], delta=1e-14)

    def volumes(self, shift):
        """A blob and its translate by `shift` voxels (x, y, z), 3 mm voxels, x from right to left, y and z exchanged."""
        affine = numpy.array([[-3.0, 0, 0, 30], [0, 0, 3, -20], [0, 3, 0, 10], [0, 0, 0, 1]])
        blob = numpy.zeros((16, 14, 12))
        blob[4:7, 3:6, 4:6] = numpy.random.default_rng(3).random((3, 3, 2)) + 0.2
        arguments = []
        for name, values in (("source", blob), ("target", numpy.roll(blob, shift, axis=(0, 1, 2)))):
            nibabel.save(nibabel.Nifti1Image(values, affine), self.folder / f"{name}.nii.gz")
            arguments += [f"--input.{name}", self.folder / f"{name}.nii.gz"]
        return arguments, affine, blob > 0

    def test_map_of_a_translation_is_the_translation_in_hdf5_and_in_nifti(self):
        shift = numpy.array([5, 4, 3])
        arguments, affine, inside = self.volumes(shift)
        results = [self.succeed("hpot-sinkhorn", *arguments, "--output.map", "true", "--epsilon.target", "0.1",
                                "--stopping.tolerance", "1e-8", ranks=ranks) for ranks in (1, 3)]
        self.assert_equal_results(*results, "map/displacement", 0.0)
        with h5py.File(results[0]) as file:
            displacement, mask = file["map/displacement"][()], file["map/mask"][()]
        self.assertEqual(displacement.shape, (12, 14, 16, 3))
        self.assertTrue(numpy.isfinite(displacement).all())
        numpy.testing.assert_array_equal(mask.transpose(2, 1, 0) == 1, inside)
        numpy.testing.assert_allclose(displacement[mask == 1], numpy.tile(3.0 * shift, (inside.sum(), 1)), atol=1e-3)
        volume = nibabel.load(self.folder / "result1_map.nii.gz")
        self.assertEqual(volume.header.get_intent()[0], "displacement vector")
        self.assertEqual(volume.shape, (16, 14, 12, 1, 3))
        numpy.testing.assert_allclose(volume.affine, affine, atol=1e-6)
        numpy.testing.assert_allclose(volume.header.get_zooms()[:3], 3.0)
        vectors = volume.get_fdata()[:, :, :, 0, :]
        expected = displacement.transpose(2, 1, 0, 3) / 3.0 @ affine[:3, :3].T
        numpy.testing.assert_allclose(vectors, expected, atol=1e-12)
        numpy.testing.assert_allclose(vectors[inside], numpy.tile(affine[:3, :3] @ shift, (inside.sum(), 1)), atol=1e-3)

    def test_map_is_the_barycentric_projection_of_an_unbalanced_plan_too(self):
        arguments, (a, b) = self.pair((11, 12))
        result = self.succeed("hpot-sinkhorn", *arguments, "--output.map", "1", "--penalty.target", "kl:5",
                              "--epsilon.target", "2")
        self.assertFalse((self.folder / "result1_map.nii.gz").exists())  # no volume
        with h5py.File(result) as file:
            plan, points = plan_of(file, a, b)
            displacement = file["map/displacement"][()].reshape(-1, 2)
        rows = a > 0
        expected = (plan[rows] @ points) / plan[rows].sum(axis=1, keepdims=True) - points[rows]
        numpy.testing.assert_allclose(displacement[rows], expected[:, ::-1], atol=1e-9)

    def test_frames_lead_from_one_measure_to_the_other(self):
        for shape, size in (((20, 24), (5 * 312 + 4 * 2, 260)), ((60,), (512, 5 * 256 + 4 * 2)), ((8, 9, 10), None)):
            with self.subTest(shape=shape):
                arguments, (a, b) = self.pair(shape, seed=4)
                results = []
                for ranks in (1, 2):
                    picture = self.folder / f"way{ranks}.png"
                    results.append(self.succeed("hpot-sinkhorn", *arguments, "--output.interpolation", picture,
                                                "--output.frames", "5", "--output.keep_frames", "true",
                                                "--stopping.tolerance", "1e-6", ranks=ranks))
                    if size:
                        self.assertEqual(png_size(picture), size)
                self.assert_equal_results(*results, "interpolation/frames", 0.0)
                self.assertEqual((self.folder / "way1.png").read_bytes(), (self.folder / "way2.png").read_bytes())
                with h5py.File(results[0]) as file:
                    frames, times = file["interpolation/frames"][()], file["interpolation/times"][()]
                    plan, points = plan_of(file, a, b)
                self.assertEqual(frames.shape, (5, *shape))
                numpy.testing.assert_allclose(times, [0, 0.25, 0.5, 0.75, 1])
                frames = frames.reshape(5, -1)
                numpy.testing.assert_allclose(frames.sum(axis=1), plan.sum(), rtol=1e-12)
                numpy.testing.assert_allclose(frames[0], plan.sum(axis=1), atol=1e-12)
                self.assertLess(numpy.abs(frames[4] - plan.sum(axis=0)).sum(), 2e-6)
                means = frames @ points
                numpy.testing.assert_allclose(means, numpy.outer(1 - times, means[0]) + numpy.outer(times, means[4]),
                                              atol=1e-11)

    def test_both_parts_of_signed_measures_have_theirs(self):
        generator = numpy.random.default_rng(8)
        arguments = []
        for name in ("source", "target"):
            numpy.save(self.folder / f"{name}.npy", generator.normal(size=(9, 10)))
            arguments += [f"--input.{name}", self.folder / f"{name}.npy"]
        result = self.succeed("hpot-sinkhorn", *arguments, "--input.negative", "split", "--output.plan", "0.1",
                              "--output.map", "true", "--output.interpolation", self.folder / "way.png", ranks=2)
        with h5py.File(result) as file:
            for part in ("positive", "negative"):
                self.assertGreater(file[part]["plan/value"].shape[0], 0)
                self.assertEqual(file[part]["map/displacement"].shape, (9, 10, 2))
                self.assertGreater(png_size(self.folder / f"way_{part}.png")[0], 256)

    def test_run_that_ends_before_its_epsilon_has_no_maps_and_says_so(self):
        arguments, _ = self.pair((16, 16))
        for ranks in (1, 3):
            result = self.folder / "early.h5"
            done = programs.run("hpot-sinkhorn", *arguments, "--output.plan", "0.1", "--output.map", "true",
                                "--stopping.max_iterations", "1", "--output.file", result, ranks=ranks)
            self.assertEqual(done.code, 3)
            self.assertEqual(done.err.count("no plan, map, gradient or interpolation is given"), 1, done.err)
            with h5py.File(result) as file:
                self.assertNotIn("plan", file)
                self.assertNotIn("map", file)

    def test_plan_of_nothing_but_one_point_each(self):
        values = numpy.zeros((7, 7))
        values[2, 3] = 2.0
        numpy.save(self.folder / "one.npy", values)
        result = self.succeed("hpot-sinkhorn", "--input.source", self.folder / "one.npy", "--input.target",
                              self.folder / "one.npy", "--output.plan", "1", "--output.keep_frames", "true", ranks=3)
        with h5py.File(result) as file:
            self.assertEqual((file["plan/source"][()], file["plan/target"][()]), ([17], [17]))
            numpy.testing.assert_allclose(file["plan/value"][()], [1.0], rtol=1e-12)
            numpy.testing.assert_allclose(file["interpolation/frames"][()], 7 * [values / 2.0], atol=1e-12)

    def test_displacements_are_drawn_of_clouds_and_images(self):
        def draw(result, code=0):
            done = subprocess.run([sys.executable, "-B", SOURCE / "scripts" / "plot_displacement.py", result, "-o",
                                   self.folder / "moves.png"], capture_output=True, text=True, timeout=100)
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
            return done
        for cloud, family in ((True, "points?dim=3&n=200"), (False, "ellipse?n=24")):
            pair = ("--input.source", f"synthetic:{family}&item=0", "--input.target", f"synthetic:{family}&item=1")
            result = self.succeed("hpot-sinkhorn", *pair, "--output.map", "true")
            said = draw(result).stdout
            self.assertGreater(png_size(self.folder / "moves.png")[0], 1500 if cloud else 500)
            with h5py.File(result) as file:
                moves = file["map/displacement"][()][file["map/mask"][()] > 0]
            self.assertIn(f"{len(moves)} points", said)
            self.assertIn(f"{numpy.linalg.norm(moves, axis=1).max():.4g} at most", said)
        # one pixel to another of an image that is no square: x runs along the rows, y over them
        for name, place in (("source", (3, 10)), ("target", (4, 14))):
            values = numpy.zeros((8, 20))
            values[place] = 1.0
            numpy.save(self.folder / f"{name}.npy", values)
        one = self.succeed("hpot-sinkhorn", "--input.source", self.folder / "source.npy", "--input.target",
                           self.folder / "target.npy", "--output.map", "true")
        sys.path.insert(0, str(SOURCE / "scripts"))
        import plot_displacement
        points, moves, _ = plot_displacement.read(one, "/")
        with h5py.File(one) as file:
            numpy.testing.assert_allclose(points[0], numpy.array([10, 3]) + file["support/origin"][()][::-1])
        numpy.testing.assert_allclose(moves, [[4, 1]], atol=1e-9)
        self.assertIn("--output.map true", draw(self.succeed("hpot-sinkhorn", *pair), code=1).stderr)


if __name__ == "__main__":
    unittest.main()
