"""scripts/run_study.py: studies of many jobs that are killed, go on and are merged."""
import os
import re
import signal
import subprocess
import sys
import time
import unittest

import programs
from programs import BIN, SOURCE, h5py, numpy, png_size

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

    def study_at_a_small_size(self, name, *smaller):
        """A copy of a study of configs/studies into the test's folder, with other sizes."""
        text = (SOURCE / "configs" / "studies" / f"{name}.ini").read_text()
        for old, new in ((f"results/{name}", f"{self.folder}/{name}"), *smaller):
            self.assertIn(old, text)
            text = text.replace(old, new)
        path = self.folder / f"{name}.ini"
        path.write_text(text)
        return path

    def run_in_the_repository(self, study, code=0):
        done = subprocess.run(self.command(study), env=ENVIRONMENT, capture_output=True, text=True, timeout=100, cwd=SOURCE)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def test_an_average_is_sharper_than_the_euclidean_mean(self):
        study = self.study_at_a_small_size("group_average", ("n=48&count=8", "n=24&count=4"))
        said = self.run_in_the_repository(study)
        sizes = {what: float(re.search(rf"{what}: half of the mass in ([\d.,]+)", said)[1].replace(",", ""))
                 for what in ("Euclidean mean", "Wasserstein barycenter")}
        self.assertLess(sizes["Wasserstein barycenter"], sizes["Euclidean mean"])
        self.assertGreater(png_size(self.folder / "group_average.png")[0], 800)
        with h5py.File(self.folder / "group_average" / "average.h5") as file:
            self.assertEqual(file["measures"].shape, (2, 24, 24, 24))
            values = numpy.sort(file["euclidean_mean"][()], axis=None)[::-1]  # its sharpness by another way
        cells = numpy.interp(0.5 * values.sum(), numpy.concatenate([[0], numpy.cumsum(values)]), numpy.arange(values.size + 1))
        self.assertAlmostEqual(sizes["Euclidean mean"] / cells, 1.0, delta=1e-3)
        # of a signed cohort of different masses a part each
        study.write_text(study.read_text().replace("synthetic:phantom?n=24&count=4&seed=1", f"{self.folder}/signed_*.npy")
                         .replace("[jobs]", "input.negative = split\ninput.normalize = false\npenalty.measures = kl:400\n[jobs]"))
        generator = numpy.random.default_rng(1)
        for k in range(3):
            numpy.save(self.folder / f"signed_{k}.npy", generator.standard_normal((9, 8, 7)))
        self.assertIn("negative: Euclidean mean", self.run_in_the_repository(study))

    def test_shapes_stand_between_their_silhouettes(self):
        study = self.study_at_a_small_size("shapes", ("n=64", "n=16"), ("output.picture", "stopping.tolerance = 1e-2\noutput.picture"))
        self.assertIn("25 maps", self.run_in_the_repository(study))
        self.assertGreater(png_size(self.folder / "shapes.png")[0], 600)
        with h5py.File(self.folder / "shapes" / "square.h5") as file:
            self.assertEqual(file["barycenter"].shape, (25, 16, 16))
            numpy.testing.assert_array_equal(file["weights"][12], 4 * [0.25])

    def test_a_photograph_takes_the_colours_of_others(self):
        study = self.study_at_a_small_size("palettes", ("pixels=1500", "pixels=120"), ("points 1500", "points 60"))
        self.assertIn("in the colours of 2 others", self.run_in_the_repository(study))
        self.assertGreater(png_size(self.folder / "palettes.png")[0], 1000)
        states = dict(line.split("\t")[1:3] for line in self.runner_output(study, "--list"))
        self.assertEqual(set(states.values()), {"done"})
        self.assertEqual(len(states), 5)
        with h5py.File(self.folder / "palettes" / "palette.h5") as file:
            numpy.testing.assert_allclose(file["weights"][0], [2 / 3, 1 / 3])
        study.write_text(study.read_text().replace("weights = 2, 1", "weights = 1, 2"))  # and what follows from them
        states = dict(line.split("\t")[1:3] for line in self.runner_output(study, "--list"))
        self.assertEqual([name for name, state in states.items() if state == "changed"], ["palette", "regraded"])
        study.write_text(study.read_text().replace("{palettes}", "{palette}"))
        done = subprocess.run(self.command(study, "--list"), capture_output=True, text=True, cwd=SOURCE)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1))
        self.assertIn("{palette} (unknown name)", done.stderr)

    def runner_output(self, study, *arguments):
        done = subprocess.run(self.command(study, *arguments), env=ENVIRONMENT, capture_output=True, text=True, cwd=SOURCE)
        return done.stdout.splitlines()

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

    def test_failures_are_counted_and_the_rest_is_done(self):
        study = self.write(measures="", jobs="bad = --input.source none.png --input.target none.png\n"
                           "short = --input.source synthetic:ellipse?n=16 --input.target 'synthetic:ellipse?n=16&seed=9'"
                           " --stopping.max_iterations 1\n"
                           "good = --input.source synthetic:ellipse?n=16 --input.target 'synthetic:ellipse?n=16&seed=9'")
        done = self.runner(study, code=2)
        self.assertIn("none.png", done.stderr)
        self.assertEqual([line.split("\t")[2] for line in self.runner(study, "--list").stdout.splitlines()],
                         ["missing", "not converged", "done"])

    def test_bad_studies_are_refused(self):
        for text, saying in (("[study]\nprogram = hpot-sinkhorn\n", "study.config"), ("[stud]\n", "unknown"),
                             ("[study]\nprogram = a\nconfig = none.ini\nfolder = b\n", "none.ini")):
            path = self.folder / "bad.ini"
            path.write_text(text)
            done = self.runner(path, "--list", code=2)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(saying, done.stderr)
        self.assertIn("jobs 0 to 2", self.runner(self.write(), "--job", "6", code=2).stderr)


if __name__ == "__main__":
    unittest.main()
