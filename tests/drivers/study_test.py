"""scripts/run_study.py: studies of many jobs that are killed, go on and are merged."""
import os
import re
import signal
import subprocess
import sys
import time
import unittest

import programs
from programs import BIN, SOURCE, h5py, numpy

ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


class Study(programs.DriverTest):
    def write(self, name="study", measures="synthetic:ellipse?n=20&count=3&seed=3&item={0..2}", options="", jobs=""):
        path = self.folder / f"{name}.ini"
        path.write_text(f"[study]\nprogram = hpot-sinkhorn\nconfig = {SOURCE}/configs/sinkhorn_images.ini\n"
                        f"folder = {self.folder}/{name}\n[pairs]\nmeasures = {measures}\n[options]\n"
                        f"output.picture = none\noutput.plan = none\noutput.map = false\noutput.interpolation = none\n"
                        f"sinkhorn.divergence = false\nepsilon.target = 1\nstopping.tolerance = 1e-10\n"
                        f"checkpoint.every = 0\n{options}\n[jobs]\n{jobs}\n")
        return path

    def command(self, study, *arguments):
        return [sys.executable, "-B", SOURCE / "scripts" / "run_study.py", study, "--bin", BIN, *arguments]

    def runner(self, study, *arguments, code=0):
        done = subprocess.run(self.command(study, *arguments), env=ENVIRONMENT, capture_output=True, text=True,
                              timeout=100, cwd=self.folder)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_a_killed_study_ends_with_the_results_of_one_that_was_not(self):
        whole, killed = self.write("whole"), self.write("killed")
        self.runner(whole)
        jobs = ("0_1", "0_2", "1_2")
        for number, end in enumerate((signal.SIGKILL, signal.SIGUSR1, signal.SIGTERM)):
            process = subprocess.Popen(self.command(killed), env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, start_new_session=True, cwd=self.folder)
            started = self.folder / "killed" / f"{jobs[number]}.log"
            for _ in range(1000):
                if started.exists() and started.stat().st_size > 0 or process.poll() is not None:
                    break
                time.sleep(0.01)
            if end == signal.SIGKILL:
                os.killpg(process.pid, end)  # and the program that it runs
                self.assertEqual(process.wait(), -end)
            else:
                process.send_signal(end)
                self.assertIn(process.wait(timeout=30), (0, 4))
        self.runner(killed)
        with h5py.File(self.folder / "whole" / "0_1.h5") as one, h5py.File(self.folder / "killed" / "0_1.h5") as other:
            numpy.testing.assert_array_equal(one["potentials/f"][()], other["potentials/f"][()])
        for study in (whole, killed):
            self.runner(study, "--merge")
        with h5py.File(self.folder / "whole.h5") as one, h5py.File(self.folder / "killed.h5") as other:
            self.assertEqual(one["pairs/transport_cost"].shape, (3, 3))
            for file in (one, other):
                self.assertTrue(file.attrs["complete"])
            for key in ("pairs/transport_cost", "table/dual_cost", "table/iterations", "jobs/1_2/potentials/g"):
                numpy.testing.assert_array_equal(one[key][()], other[key][()])
            costs = one["pairs/transport_cost"][()]
            numpy.testing.assert_array_equal(costs, costs.T)
            self.assertEqual(numpy.isnan(costs).sum(), 3)
            self.assertEqual(costs[1, 2], one["jobs/1_2"].attrs["transport_cost"])

    def test_what_is_done_is_not_done_again_and_what_changed_is(self):
        study = self.write(measures="synthetic:ellipse?n=16&count=3&item={0..2}")
        self.assertEqual(self.runner(study, "--count").stdout.strip(), "3")
        self.runner(study, "--job", "1")
        self.assertEqual([line.split("\t")[2] for line in self.runner(study, "--list").stdout.splitlines()],
                         ["missing", "done", "missing"])
        self.runner(study, "--merge", code=4)
        with h5py.File(self.folder / "study.h5") as file:
            self.assertFalse(file.attrs["complete"])
            self.assertEqual(list(file["jobs"]), ["0_2"])
        before = (self.folder / "study" / "0_2.h5").stat().st_mtime_ns
        self.runner(study)
        self.assertEqual((self.folder / "study" / "0_2.h5").stat().st_mtime_ns, before)
        self.write(measures="synthetic:ellipse?n=16&count=3&item={0..2}", options="epsilon.unit = cost")
        self.assertEqual({line.split("\t")[2] for line in self.runner(study, "--list").stdout.splitlines()}, {"changed"})
        self.runner(study)
        self.assertGreater((self.folder / "study" / "0_2.h5").stat().st_mtime_ns, before)

    def test_each_of_some_is_projected_on_the_others_and_drawn(self):
        study = self.folder / "alone.ini"
        study.write_text(f"[study]\nprogram = hpot-coordinates\nconfig = {SOURCE}/configs/coordinates_shapes.ini\n"
                         f"folder = {self.folder}/alone\nafter = {SOURCE}/scripts/plot_projections.py {{folder}}.h5 -o {{folder}}.png\n"
                         "[leave_one_out]\nmeasures = synthetic:ellipse?n=16&count=3&item={0..2}\n[options]\n"
                         f"coordinates.sweeps = 10\nstopping.tolerance = 1e-2\noutput.picture = {self.folder}/{{job}}.png\n")
        done = self.runner(study)
        self.assertIn("3 targets", done.stdout)
        with h5py.File(self.folder / "alone.h5") as file:
            self.assertEqual(list(file["jobs"]), ["without_0", "without_1", "without_2"])
            targets = [file[f"jobs/without_{k}/target"][()] for k in range(3)]
            self.assertEqual(file["jobs/without_0/projection/lambda"].shape, (2,))
            self.assertFalse(numpy.array_equal(targets[0], targets[1]))
        for name in ("alone", "without_0", "without_2"):
            self.assertEqual((self.folder / f"{name}.png").read_bytes()[:4], b"\x89PNG")
        study.write_text(study.read_text().replace("after = ", "after = false #"))
        self.assertIn("study.after", self.runner(study, code=1).stderr)

    def test_parts_of_signed_maps_are_merged_and_drawn(self):
        generator = numpy.random.default_rng(1)
        for k in range(3):
            numpy.save(self.folder / f"signed_{k}.npy", generator.standard_normal((9, 8, 7)))
        study = self.packaged("group_average", ("synthetic:phantom?n=48&count=8&seed=1", f"{self.folder}/signed_*.npy"),
                              ("\n[jobs]", "\ninput.negative = split\ninput.normalize = false\npenalty.measures = kl:400\n[jobs]"))
        self.assertIn("negative: Euclidean mean", self.runner(study).stdout)
        with h5py.File(self.folder / "group_average.h5") as file:
            for part in ("positive", "negative"):
                self.assertEqual(file[f"table/{part}/mass"][0], file[f"jobs/average/{part}"].attrs["mass"])

    def test_the_embedding_of_distances_keeps_those_of_points_in_a_plane(self):
        sys.path.insert(0, str(SOURCE / "scripts"))
        import plot_embedding
        points = numpy.random.default_rng(1).standard_normal((9, 2))
        squares = ((points[:, None] - points) ** 2).sum(2)
        found, held = plot_embedding.embed(squares)
        numpy.testing.assert_allclose(((found[:, None] - found) ** 2).sum(2), squares, atol=1e-12)
        self.assertAlmostEqual(held, 1.0)
        with h5py.File(self.folder / "d.h5", "w") as file:
            file["distances"] = squares
        draw = [sys.executable, "-B", SOURCE / "scripts" / "plot_embedding.py", self.folder / "d.h5", "-o", self.folder / "d.png"]
        done = subprocess.run([*draw, "--groups", "4,5"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("100%", done.stdout)
        done = subprocess.run([*draw, "--groups", "4,4"], capture_output=True, text=True)
        self.assertIn("there are 9 measures", done.stderr)

    def packaged(self, name, *changes):
        """A study of configs/studies in this test's folder, with (text, instead) changed."""
        text = (SOURCE / "configs" / "studies" / f"{name}.ini").read_text()
        for old, new in (("results/", f"{self.folder}/"), ("configs/", f"{SOURCE}/configs/"),
                         ("scripts/plot", f"{SOURCE}/scripts/plot"), *changes):
            self.assertIn(old, text)
            text = text.replace(old, new)
        path = self.folder / f"{name}.ini"
        path.write_text(text)
        return path

    def test_the_average_of_a_group_stands_beside_its_euclidean_mean(self):
        done = self.runner(self.packaged("group_average", ("n=48&count=8", "n=16&count=4"), ("measures = 2", "measures = 9")))
        self.assertEqual((self.folder / "group_average.png").read_bytes()[:4], b"\x89PNG")
        sizes = [float(line.split()[-2].replace(",", "")) for line in done.stdout.splitlines() if "half of the mass" in line]
        self.assertEqual(len(sizes), 6)
        self.assertLess(sizes[-1], sizes[-2])  # of the barycenter, of the Euclidean mean
        with h5py.File(self.folder / "group_average" / "average.h5") as file:
            measures, mean = file["measures"][()], file["euclidean_mean"][()]
            self.assertEqual(measures.shape, (4, 16, 16, 16))
            self.assertLess(abs(measures.mean(0) - mean).max(), 1e-15 * mean.max() * 4)
        volume = self.folder / "group_average" / "average_euclidean_mean.nii.gz"
        numpy.testing.assert_array_equal(programs.nibabel.load(volume).get_fdata(), mean.transpose(2, 1, 0))

    def test_means_of_signed_maps_of_different_masses_are_the_same_on_any_number_of_ranks(self):
        maps = numpy.random.default_rng(4).standard_normal((5, 6, 7, 8)) * numpy.array([1, 2, 3, 4, 5])[:, None, None, None]
        numpy.save(self.folder / "maps.npy", maps)
        arguments = ("--input.measures", f"{self.folder}/maps.npy?stack=1", "--input.negative", "split", "--input.normalize",
                     "false", "--penalty.measures", "kl:20", "--barycenter.weights", "1,1,1,1,1; 0,1,2,3,4",
                     "--stopping.tolerance", "1e-2", "--output.euclidean_mean", "true", "--output.measures", "3")
        results = {ranks: self.succeed("hpot-barycenter", *arguments, ranks=ranks) for ranks in (1, 2, 3)}
        rows = self.succeed("hpot-barycenter", *arguments, "--parallel.rows", "2", ranks=2)
        for part, values in (("positive", numpy.maximum(maps, 0)), ("negative", numpy.maximum(-maps, 0))):
            with h5py.File(results[1]) as file:
                numpy.testing.assert_array_equal(file[f"{part}/measures"][()], values[:3])
                means = numpy.tensordot([[0.2] * 5, [0, 0.1, 0.2, 0.3, 0.4]], values, 1)
                self.assertLess(abs(file[f"{part}/euclidean_mean"][()] - means).max(), 1e-15 * means.max() * 4)
            for other in (results[2], results[3], rows):
                for name in ("euclidean_mean", "measures"):
                    self.assert_equal_results(results[1], other, f"{part}/{name}", 0.0)

    def test_clouds_have_no_euclidean_mean(self):
        done = programs.run("hpot-barycenter", "--input.measures", "synthetic:points?n=9&count=2", "--barycenter.method",
                            "free_support", "--output.euclidean_mean", "true", "--output.file", self.folder / "none.h5")
        self.assertEqual((done.code, len(done.messages())), (2, 1), done.err)
        self.assertIn("output.euclidean_mean", done.messages()[0])

    def test_half_of_the_mass_of_an_even_map_is_in_half_of_its_size(self):
        sys.path.insert(0, str(SOURCE / "scripts"))
        import plot_barycenters
        even = numpy.zeros((4, 5))
        even[1, :3] = 2.0
        self.assertAlmostEqual(plot_barycenters.half_mass_size(even, 10.0), 15.0)
        self.assertAlmostEqual(plot_barycenters.half_mass_size(numpy.array([3.0, 1.0, 1.0, 1.0]), 1.0), 1.0)
        self.assertAlmostEqual(plot_barycenters.entropy_size(even, 10.0), 30.0)
        self.assertAlmostEqual(plot_barycenters.entropy_size(numpy.array([2.0, 1.0, 1.0]), 1.0), 2.0 * 2.0**0.5)
        self.assertEqual(plot_barycenters.entropy_size(numpy.zeros(3), 1.0), 0.0)

    def test_shapes_stand_in_a_square(self):
        done = self.runner(self.packaged("shapes", ("n=64", "n=16"), ("[jobs]", "stopping.tolerance = 1e-2\n[jobs]")))
        self.assertIn("25 maps", done.stdout)
        with h5py.File(self.folder / "shapes" / "square.h5") as file:
            weights = file["weights"][()]
            side = numpy.linspace(0, 1, 5)
            for row, (y, x) in zip(weights, ((y, x) for y in side for x in side)):
                numpy.testing.assert_allclose(row, [(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x], atol=1e-15)

    def test_atoms_of_documents_are_of_one_topic_each(self):
        done = self.runner(self.packaged("topics", ("count=60", "count=24"), ("n=120", "n=40"), ("30,30,30,30", "10,10,10,10")))
        shares = [float(share) for share in re.search(r"in one group: (.*)", done.stdout)[1].split(", ")]
        self.assertEqual(len(shares), 4)
        self.assertGreater(min(shares), 0.9)
        self.assertEqual((self.folder / "topics.png").read_bytes()[:4], b"\x89PNG")
        path = self.folder / "topics" / "dictionary.h5"
        with h5py.File(path) as file:
            atoms, weights = file["atoms"][()], file["weights"][()]
            self.assertTrue((numpy.diff(file["steps/loss"][()]) < 0).all())
        found = numpy.array([atom.reshape(4, 10).sum(1) for atom in atoms])
        self.assertEqual(sorted(found.argmax(1)), [0, 1, 2, 3])
        numpy.testing.assert_allclose(found.max(1), shares, atol=1e-4)
        self.assertEqual(weights.shape, (24, 4))
        draw = [sys.executable, "-B", SOURCE / "scripts" / "plot_topics.py", path, "-o", self.folder / "words.png"]
        (self.folder / "words.txt").write_text("".join(f"word{k}\n" for k in range(40)))
        done = subprocess.run([*draw, "--words", self.folder / "words.txt"], capture_output=True, text=True)
        self.assertEqual((done.returncode, "in one group" in done.stdout), (0, False), done.stderr)
        for arguments, saying in ((("--groups", "10,10"), "there are 40 words"), (("--heaviest", "0"), "--heaviest 0"),
                                  (("--words", path), "a word in each line")):
            done = subprocess.run([*draw, *arguments], capture_output=True, text=True)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (1, 1), done.stderr)
            self.assertIn(saying, done.stderr)

    def test_palettes_go_from_job_to_job_and_are_made_anew_where_one_changed(self):
        small = (("pixels=1500", "pixels=60"), ("points 1500", "points 50"), ("?item", "?n=24&item"),
                 ("[options]", "[options]\nstopping.tolerance = 1e-3"))
        self.runner(self.packaged("palettes", *small))
        self.assertEqual((self.folder / "palettes.png").read_bytes()[:4], b"\x89PNG")
        with h5py.File(self.folder / "palettes" / "regraded.h5") as file, \
             h5py.File(self.folder / "palettes" / "palette.h5") as palette:
            numpy.testing.assert_array_equal(file["support/target/points"][()], palette["support/points"][()])
        states = lambda path: [line.split("\t")[2] for line in self.runner(path, "--list").stdout.splitlines()]
        other = self.packaged("palettes", *small, ("weights = 2, 1", "weights = 1, 2"))
        self.assertEqual(states(other), ["done"] * 3 + ["changed"] * 2)
        before = (self.folder / "palettes" / "regraded.png").read_bytes()
        self.runner(other)
        self.assertEqual(states(other), ["done"] * 5)
        self.assertNotEqual((self.folder / "palettes" / "regraded.png").read_bytes(), before)
        (self.folder / "palettes" / "palette.h5").unlink()  # so that it is made again
        self.assertEqual(states(other), ["done"] * 3 + ["missing", "changed"])
        self.assertIn("waits for palette", self.runner(other, "--job", "4", code=1).stdout)
        self.runner(other)
        self.assertEqual(states(other), ["done"] * 5)
        self.assertIn("{wieghts}", self.runner(self.packaged("palettes", ("{weights}", "{wieghts}")), "--list", code=2).stderr)

    def test_failures_are_counted_and_the_rest_is_done(self):
        study = self.write(measures="", jobs="bad = --input.source none.png --input.target none.png\n"
                           "short = --input.source synthetic:ellipse?n=16 --input.target 'synthetic:ellipse?n=16&seed=9'"
                           " --stopping.max_iterations 1\n"
                           "good = --input.source synthetic:ellipse?n=16 --input.target 'synthetic:ellipse?n=16&seed=9'")
        done = self.runner(study, code=2)
        self.assertIn("none.png", done.stderr)
        self.assertEqual([line.split("\t")[2] for line in self.runner(study, "--list").stdout.splitlines()],
                         ["missing", "not converged", "done"])

    def test_keys_on_the_command_line_take_the_place_of_the_files(self):
        study = self.write()
        self.runner(study, "--study.folder", self.folder / "mine", "--options.epsilon.target", "4", "--pairs.measures",
                    "synthetic:ellipse?n=16&count=2&seed=3&item={0..1}")
        self.assertFalse((self.folder / "study").exists())
        with h5py.File(self.folder / "mine" / "0_1.h5") as file:
            self.assertEqual(file.attrs["epsilon"], 4.0)
            self.assertIn("n=16", file.attrs["inputs"][0])
        for arguments, text in ((("--study.folder",), "neither"), (("--folder", "mine"), "neither"),
                                (("--study.place", "mine"), "study.place"), (("--other.key", "1"), "[other]")):
            self.assertIn(text, self.runner(study, *arguments, code=2).stderr)

    def test_bad_studies_are_refused(self):
        for text, saying in (("[study]\nprogram = hpot-sinkhorn\n", "study.config"), ("[stud]\n", "unknown"),
                             ("[study]\nprogram = a\nconfig = none.ini\nfolder = b\n", "none.ini"),
                             (f"[study]\nprogram = a\nconfig = {SOURCE}/configs/scaling.ini\nfolder = b\n[names]\njob = c\n", "names.job")):
            path = self.folder / "bad.ini"
            path.write_text(text)
            done = self.runner(path, "--list", code=2)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(saying, done.stderr)
        self.assertIn("jobs 0 to 2", self.runner(self.write(), "--job", "6", code=2).stderr)


if __name__ == "__main__":
    unittest.main()
