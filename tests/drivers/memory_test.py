"""What a run takes: the dry run's number against VmHWM, the bound on barycenters, and resources.memory_limit."""
import gzip
import re
import unittest

import programs
from programs import h5py, nibabel, numpy

MEBIBYTE = 2.0**20
LIBRARIES = 20 * MEBIBYTE  # of MPI, HDF5 and Kokkos, beside the arrays
PLAIN = ("--barycenter.method", "plain")
UNMIXED = ("--acceleration.type", "none")
ANDERSON = ("--acceleration.type", "anderson")
MIXED = (*ANDERSON, "--acceleration.memory", "3")


def few_sweeps(count):
    """On the given grid at once, so that the largest arrays are there soon."""
    return ("--epsilon.multiscale", "false", "--epsilon.schedule", "none", "--epsilon.target", "64",
            "--stopping.tolerance", "1e-12", "--stopping.max_iterations", str(count))


def volumes(side, count):
    return ("--input.measures", f"synthetic:gaussian?dim=3&n={side}&count={count}")


def pair(family, side):
    return tuple(part for name, item in (("source", 0), ("target", 1))
                 for part in (f"--input.{name}", f"synthetic:{family}&n={side}&item={item}"))


def planned_by_dry_run(program, *arguments, ranks=1):
    """(bytes in all, bytes of the program at its start)."""
    done = programs.run(program, *arguments, "--dry-run", ranks=ranks)
    numbers = re.search(r"([\d.]+) MiB  in all, beside the program at its start \((\d+) MiB\)", done.out)
    assert done.code == 0 and numbers, done.err + done.out
    return tuple(float(number) * MEBIBYTE for number in numbers.groups())


class Memory(programs.DriverTest):
    def growth(self, program, *arguments, ranks=1, code=3, at_least=50):
        """Runs; the plan must be within 20% of what was taken, `at_least` MiB, which is returned."""
        result = self.succeed(program, *arguments, ranks=ranks, code=code)
        with h5py.File(result) as file:
            grown, planned = (float(file.attrs[name]) for name in ("memory_growth_max", "memory_planned"))
        dry, _ = planned_by_dry_run(program, *arguments, "--output.file", result, ranks=ranks)
        self.assertLess(abs(dry - planned), 0.06 * MEBIBYTE)
        self.assertGreater(grown, at_least * MEBIBYTE)
        self.assertLess(abs(planned - grown), 0.2 * grown, f"planned {planned}, taken {grown}")
        return grown

    def test_barycenter_of_volumes_takes_4_arrays_for_each_owned_measure_and_4_more(self):
        side = 96
        volume = 8.0 * side**3
        for more, count, ranks in (((), 6, 1), ((), 16, 2), (PLAIN, 6, 1), (UNMIXED, 6, 2)):
            with self.subTest(more=more, count=count, ranks=ranks):
                grown = self.growth("hpot-barycenter", *volumes(side, count), *more, *few_sweeps(3), ranks=ranks,
                                    at_least=60)
                self.assertLess(grown, (4 * count / ranks + 4) * volume + LIBRARIES)

    def test_dry_run_of_barycenters_is_near_what_they_take(self):
        for measures, more, ranks in (
                (volumes(80, 8), (*UNMIXED, *few_sweeps(2), "--parallel.rows", "2"), 2),
                (volumes(64, 4), (*PLAIN, *MIXED, *few_sweeps(3)), 1),
                (volumes(72, 4), (*PLAIN, *MIXED, *few_sweeps(3), "--parallel.rows", "2"), 2),
                (volumes(72, 6), (*PLAIN, *MIXED, *few_sweeps(3)), 2),
                (volumes(80, 3), (*UNMIXED, *few_sweeps(2), "--barycenter.weights", "1,1,1;1,2,3;3,2,1"), 1),
                (volumes(80, 5), (*UNMIXED, *few_sweeps(2), "--output.euclidean_mean", "true", "--output.measures", "5"), 2)):
            with self.subTest(measures=measures, more=more, ranks=ranks):
                self.growth("hpot-barycenter", *measures, *more, ranks=ranks)

    def test_dry_run_of_coordinates_is_near_what_they_take(self):
        for side, more, ranks in ((64, (), 1), (72, ("--parallel.rows", "2"), 2), (64, ("--epsilon.multiscale", "false"), 1),
                                  (72, ("--coordinates.gradient", "implicit"), 1),
                                  (64, ("--coordinates.loss", "wasserstein", "--coordinates.loss_tolerance", "1e-2"), 1)):
            with self.subTest(more=more, ranks=ranks):
                self.growth("hpot-coordinates", *volumes(side, 4), "--input.target",
                            f"synthetic:gaussian?dim=3&n={side}&item=7", "--epsilon.target", "64", "--coordinates.sweeps",
                            "6", "--stopping.max_iterations", "1", *more, ranks=ranks)

    def test_dry_run_of_dictionaries_is_near_what_they_take(self):
        for side, more, ranks in ((56, (), 1), (64, ("--parallel.rows", "2"), 2), (56, ("--dictionary.batch", "2"), 2),
                                  (48, ("--dictionary.loss", "wasserstein", "--dictionary.loss_tolerance", "1e-2"), 1),
                                  (48, ("--dictionary.loss", "wasserstein", "--dictionary.loss_tolerance", "1e-2",
                                        "--parallel.rows", "2"), 2)):
            with self.subTest(more=more, ranks=ranks):
                self.growth("hpot-dictionary", *volumes(side, 4), "--dictionary.atoms", "2", "--epsilon.target", "64",
                            "--dictionary.sweeps", "4", "--stopping.max_iterations", "1", *more, ranks=ranks)
        # by a cost matrix; the loss has the same one
        words = ("--cost.type", "matrix", "--cost.matrix", "synthetic:words?n=3600&m=3600&dim=5&topics=5", "--epsilon.unit",
                 "max_cost", "--epsilon.target", "0.1", "--input.measures", "synthetic:waves?dim=1&n=3600&count=4",
                 "--dictionary.atoms", "2", "--dictionary.sweeps", "4", "--stopping.max_iterations", "1")
        plain = ("--dictionary.loss", "wasserstein_plain", "--dictionary.loss_tolerance", "1e-2")
        for more, ranks in (((), 1), (("--parallel.rows", "2", "--cost.storage", "float"), 2), (plain, 1)):
            with self.subTest("matrix", more=more, ranks=ranks):
                self.growth("hpot-dictionary", *words, *more, ranks=ranks, at_least=20)
        # gradients on record, and their copies at the checkpoint that its end leaves
        self.growth("hpot-dictionary", *volumes(44, 3), "--dictionary.atoms", "2", "--epsilon.target", "64", "--dictionary.sweeps",
                    "2", "--dictionary.memory", "4", "--stopping.max_iterations", "20", "--stopping.tolerance", "1e-12")

    def test_dry_run_on_surfaces_is_near_what_coordinates_and_dictionaries_take(self):
        few = ("--epsilon.target", "64", "--stopping.max_iterations", "1")
        for subdivisions, kernel, loss, ranks in ((5, ("--kernel.type", "heat", "--kernel.heat_steps", "3"), "quadratic", 1),
                                                  (5, ("--kernel.type", "heat", "--kernel.heat_steps", "3"), "wasserstein", 1),
                                                  (4, ("--cost.type", "geodesic", "--cost.radius", "60"), "quadratic", 2)):
            sphere = f"synthetic:sphere?subdivisions={subdivisions}"
            for program, more in (("coordinates", ("--input.target", f"{sphere}&item=7")),
                                  ("dictionary", ("--dictionary.atoms", "2"))):
                with self.subTest(program=program, kernel=kernel, loss=loss, ranks=ranks):
                    self.growth(f"hpot-{program}", "--input.mesh", sphere, "--input.measures", f"{sphere}&count=3", *more,
                                *kernel, *few, f"--{program}.sweeps", "4", f"--{program}.loss", loss,
                                f"--{program}.loss_tolerance", "1e-2", "--parallel.rows", ranks, ranks=ranks, at_least=15)

    def test_less_memory_holds_fewer_sweeps_and_finds_the_same_weights(self):
        run = ("--input.measures", "synthetic:ellipse?n=128&count=3&seed=5", "--input.target",
               "synthetic:ellipse?n=128&item=5&seed=5", "--epsilon.target", "8", "--coordinates.sweeps", "80",
               "--stopping.max_iterations", "2")
        planned, at_start = planned_by_dry_run("hpot-coordinates", *run)
        # four megabytes from all sweeps and from too few alike: what programs take when they start differs by one
        limit = ("--resources.memory_limit", f"{int(at_start + 0.85 * planned)}")
        plan = programs.run("hpot-coordinates", *run, *limit, "--dry-run").out
        each = 20  # of four grids
        held, made = map(int, re.search(rf"of {each} sweeps (\d+) are held: (\d+) are made", plan).groups())
        self.assertIn(f"before them {each} on each of 3 coarser grids", plan)
        self.assertLess(held, each)
        self.assertGreater(made, each)
        with h5py.File(self.succeed("hpot-coordinates", *run, code=3)) as file:
            weights = file["projection/lambda"][()]
        with h5py.File(self.succeed("hpot-coordinates", *run, *limit, code=3)) as file:
            self.assertAlmostEqual(file.attrs["sweeps_for_a_gradient"], made + 3 * each, delta=10)  # its start takes more or less
            numpy.testing.assert_allclose(file["projection/lambda"][()], weights, rtol=0, atol=1e-12)
        refused = programs.run("hpot-coordinates", *run, "--resources.memory_limit", "1MiB")
        self.assertEqual((refused.code, len(refused.messages())), (2, 1), refused.err)
        self.assertIn("resources.memory_limit", refused.messages()[0])

    def test_dry_run_of_transport_is_near_what_it_takes(self):
        for measures, more, ranks in (
                (("gaussian?dim=3", 80), (*UNMIXED, *few_sweeps(2)), 1),
                (("gaussian?dim=3", 104), (*UNMIXED, *few_sweeps(2)), 2),
                (("gaussian?dim=3", 72), (*MIXED, *few_sweeps(3), "--penalty.target", "kl:10"), 1),
                (("gaussian?dim=3", 80), (*few_sweeps(3),), 2),
                (("gaussian?dim=3", 80), (*UNMIXED, *few_sweeps(2), "--sinkhorn.divergence", "true"), 1),
                (("gaussian?dim=2", 800), (*UNMIXED, *few_sweeps(1)), 1),
                (("ellipse?seed=1", 62), (*UNMIXED, *few_sweeps(2), "--kernel.type", "stored"), 1),
                (("ellipse?seed=1", 72), (*UNMIXED, *few_sweeps(2), "--kernel.type", "stored"), 2)):
            with self.subTest(measures=measures, more=more, ranks=ranks):
                family, side = measures
                self.growth("hpot-sinkhorn", *pair(family, side), *more, "--acceleration.finish", "none", ranks=ranks)

    def test_dry_run_of_newton_steps_is_near_what_they_take(self):
        for measures, more, code in (
                (("gaussian?dim=3", 72), few_sweeps(6), 3),
                (("waves?seed=1", 448), ("--epsilon.target", "1"), 0)):
            with self.subTest(measures=measures):
                self.growth("hpot-sinkhorn", *pair(*measures), *UNMIXED, *more, "--acceleration.finish_below", "1", code=code,
                            at_least=50)

    def test_dry_run_is_near_what_is_taken_whether_newton_steps_come_or_not(self):
        for measures, more, ranks in ((("waves?dim=3", 64), ("--epsilon.target", "0.5"), 1),
                                      (("waves?dim=3", 64), ("--epsilon.target", "4"), 1),
                                      (("waves?seed=1", 512), ("--epsilon.target", "1"), 2),
                                      (("ellipse?seed=1", 512), ("--epsilon.target", "1"), 1),
                                      (("waves?seed=1", 512), ("--epsilon.target", "1", "--penalty.target", "kl:100"), 1)):
            with self.subTest(measures=measures, more=more):
                self.growth("hpot-sinkhorn", *pair(*measures), *more, ranks=ranks, code=0, at_least=40)

    def test_dry_run_of_maps_is_near_what_they_take(self):
        cold = ("--epsilon.multiscale", "false", "--epsilon.schedule", "none", "--stopping.max_iterations", "1",
                "--stopping.tolerance", "1e-12", "--acceleration.finish", "none")
        way = ("--output.interpolation", self.folder / "way.png", "--output.frames", "5")
        for measures, more, ranks in (
                (("gaussian?dim=3", 88), ("--output.map", "true"), 2),
                (("ellipse?seed=1", 700), ("--output.plan", "0.1"), 1),
                (("ellipse?seed=1", 700), way, 1),
                (("ellipse?seed=1", 700), (*way, "--output.keep_frames", "true", "--output.map", "true"), 2)):
            with self.subTest(measures=measures, more=more, ranks=ranks):
                family, side = measures
                self.growth("hpot-sinkhorn", *pair(family, side), *UNMIXED, *cold, *more, ranks=ranks)

    def test_dry_run_of_clouds_matrices_and_many_pairs_is_near_what_they_take(self):
        once = ("--epsilon.multiscale", "false", "--epsilon.schedule", "none", "--stopping.max_iterations", "2",
                "--stopping.tolerance", "1e-12")
        cost = (*once, "--epsilon.unit", "cost", "--epsilon.target")
        words = ("--cost.type", "matrix", "--cost.matrix", "synthetic:words?n=1600&m=1600&dim=5&topics=5", *once,
                 "--epsilon.unit", "max_cost", "--epsilon.target", "0.1")
        for name, program, arguments, ranks in (
                ("truncated clouds", "hpot-sinkhorn", (*pair("points?dim=2", 60000), *cost, "3e-5"), 1),
                ("truncated clouds, divided", "hpot-sinkhorn", (*pair("points?dim=3", 60000), *cost, "6e-4"), 2),
                ("truncated clouds while their kernel is made", "hpot-sinkhorn", (*pair("points?dim=2", 300000), *UNMIXED, *cost, "1e-5"), 2),
                ("clouds, Newton's steps", "hpot-sinkhorn", (*pair("points?dim=3", 20000), *UNMIXED, *cost, "4e-3",
                                                             "--acceleration.finish", "newton", "--acceleration.finish_below",
                                                             "1", "--kernel.type", "truncated"), 2),
                ("dense clouds", "hpot-sinkhorn", (*pair("points?dim=64", 6000), *cost, "10", "--kernel.type", "dense"), 2),
                ("matrix", "hpot-sinkhorn", (*pair("waves?dim=1", 1600), *words), 2),
                ("free support", "hpot-barycenter", ("--input.measures", "synthetic:points?n=20000&count=4",
                                                     "--barycenter.method", "free_support", *cost, "1e-4"), 1),
                ("distances", "hpot-sinkhorn", ("--input.measures", "synthetic:phantom?n=32&count=6", *once), 2),
                ("unbalanced barycenter", "hpot-barycenter", (*volumes(48, 4), "--penalty.measures", "kl:20",
                                                              "--input.normalize", "false", *few_sweeps(2)), 2)):
            with self.subTest(name):
                self.growth(program, *arguments, ranks=ranks, at_least=15)

    def test_two_ranks_divide_a_cloud_s_arrays_but_for_the_columns_of_its_kernel(self):
        points = 300000
        arguments = (*pair("points?dim=2", points), "--epsilon.unit", "cost", "--epsilon.target", "1e-5", "--epsilon.multiscale",
                     "false", "--epsilon.schedule", "none", "--stopping.max_iterations", "1", "--stopping.tolerance", "1e-12")
        one, two = (self.growth("hpot-sinkhorn", *arguments, ranks=ranks, at_least=15) for ranks in (1, 2))
        # both clouds' coordinates and orders, their boxes, what is gathered and what is made of it
        columns = (2 * (2 + 0.5 + 0.3) + 2) * 8.0 * points
        self.assertLess(two, 0.5 * (one + columns) + 5 * MEBIBYTE)  # half of the libraries' buffers

    def test_dry_run_through_all_levels_is_near_what_they_take(self):
        for measures, mixing in ((volumes(80, 6), UNMIXED), (volumes(56, 4), ANDERSON)):
            with self.subTest(mixing=mixing):
                self.growth("hpot-barycenter", *measures, *mixing, "--epsilon.target", "16", "--stopping.tolerance", "0.1",
                            code=0)

    def test_newton_steps_keep_less_then_are_left_out_where_they_alone_do_not_fit(self):
        arguments = (*pair("gaussian?dim=2", 512), "--dry-run")
        plan = {limit: programs.run("hpot-sinkhorn", *arguments, "--resources.memory_limit", limit)
                for limit in ("1GiB", "105MiB", "75MiB")}
        self.assertIn("weights of averages", plan["1GiB"].out, plan["1GiB"].err)
        self.assertEqual(plan["105MiB"].code, 0, plan["105MiB"].err)
        self.assertNotIn("weights of averages", plan["105MiB"].out)
        self.assertEqual(plan["75MiB"].code, 0, plan["75MiB"].err)
        self.assertNotIn("Newton", plan["75MiB"].out)
        asked = programs.run("hpot-sinkhorn", *arguments, "--resources.memory_limit", "75MiB", "--acceleration.finish", "newton")
        self.assertEqual(asked.code, 2, asked.out)

    def test_operator_on_the_fly_takes_no_matrix(self):
        arguments = (*pair("ellipse?seed=1", 40), *UNMIXED, *few_sweeps(2), "--kernel.type", "dense")
        result = self.succeed("hpot-sinkhorn", *arguments, code=3)
        with h5py.File(result) as file:
            self.assertLess(file.attrs["memory_growth_max"], LIBRARIES)
            self.assertLess(file.attrs["memory_planned"], LIBRARIES)

    def test_dry_run_of_the_benchmark_is_near_what_it_takes(self):
        arguments = ("--bench.size", "64", "--bench.image", "64", "--bench.points", "16", "--bench.memory", "48",
                     "--bench.repetitions", "1", "--bench.seconds", "0", "--output.file", self.folder / "bench.csv")
        planned, _ = planned_by_dry_run("hpot-bench", *arguments)
        done = programs.run("hpot-bench", *arguments)
        taken = float(re.search(r"memory taken: ([\d.]+) MiB", done.out).group(1)) * MEBIBYTE
        self.assertGreater(taken, 100 * MEBIBYTE)
        self.assertLess(abs(planned - taken), 0.2 * taken)


class Limit(programs.DriverTest):
    def refusal(self, limit, *arguments, ranks=1, program="hpot-barycenter"):
        done = programs.run(program, *arguments, "--resources.memory_limit", limit, "--output.file",
                            self.folder / "result.h5", ranks=ranks)
        self.assertEqual(done.code, 2, done.out + done.err)
        self.assertEqual(len(done.messages()), 1, done.err)
        self.assertFalse((self.folder / "result.h5").exists())
        return done.messages()[0]

    def test_a_dictionary_that_does_not_fit_is_refused(self):
        arguments = (*volumes(200, 30), "--dictionary.atoms", "6")
        self.assertIn("L-BFGS", self.refusal("2GiB", *arguments, program="hpot-dictionary"))
        self.assertRegex(self.refusal("8GiB", *arguments, "--dictionary.batch", "1", program="hpot-dictionary"), r"\d+ ranks\]")

    def test_what_cannot_fit_is_refused_before_voxels_are_read(self):
        header = nibabel.Nifti1Image(numpy.zeros((400, 400, 400), numpy.uint8), numpy.eye(4)).to_bytes()[:400]
        path = self.folder / "no_voxels.nii.gz"
        path.write_bytes(gzip.compress(header))
        message = self.refusal("1GiB", "--input.measures", path, *ANDERSON, ranks=2)
        for fragment in ("resources.memory_limit = 1GiB", "a rank would hold", "acceleration", "what would fit", "ranks"):
            self.assertIn(fragment, message)

    def test_what_is_offered_fits(self):
        arguments = (*volumes(96, 6), "--resources.memory_limit", "750MiB", "--output.file", self.folder / "result.h5")
        message = self.refusal("750MiB", *volumes(96, 6), *ANDERSON)
        memory = re.search(r"acceleration.memory = (\d+)", message).group(1)
        ranks = int(re.search(r"(\d+) ranks", message).group(1))
        for fitting in ((*ANDERSON, "--acceleration.memory", memory), UNMIXED):
            self.assertEqual(programs.run("hpot-barycenter", *arguments, *fitting, "--dry-run").code, 0)
        self.assertEqual(programs.run("hpot-barycenter", *arguments, *ANDERSON, "--acceleration.memory",
                                      str(int(memory) + 1), "--dry-run").code, 2)
        self.assertEqual(programs.run("hpot-barycenter", *arguments, *ANDERSON, "--dry-run", ranks=ranks).code, 0)
        # auto takes what was offered; momentum where no mixing fits; and momentum where nothing limits it
        self.assertIn(f"acceleration: anderson, memory {memory}\n",
                      programs.run("hpot-barycenter", *arguments, "--dry-run").out)
        for limit in ("280MiB", "none"):
            done = programs.run("hpot-barycenter", *volumes(96, 6), "--resources.memory_limit", limit, "--dry-run")
            self.assertIn("acceleration: momentum\n", done.out, done.err)

    def test_run_within_its_limit_obeys_it(self):
        arguments = (*pair("gaussian?dim=3", 80), *UNMIXED, *few_sweeps(2), "--acceleration.finish", "none")
        planned, at_start = planned_by_dry_run("hpot-sinkhorn", *arguments)
        limit = planned + at_start + 2 * MEBIBYTE
        result = self.succeed("hpot-sinkhorn", *arguments, "--resources.memory_limit", f"{limit:.0f}B", code=3)
        with h5py.File(result) as file:
            self.assertLess(file.attrs["memory_growth_max"] + at_start, limit)
        self.refusal(f"{limit - 6 * MEBIBYTE:.0f}B", *arguments, program="hpot-sinkhorn")

    def test_where_no_number_of_ranks_helps_it_says_so(self):
        self.assertIn("no number of ranks", self.refusal("30MiB", *pair("gaussian?dim=3", 400), program="hpot-sinkhorn"))

    def test_volumes_that_no_rank_can_hold_fit_more_ranks(self):
        one_array = 400**3 * 8 / 2**20
        self.assertGreater(one_array, 2 * 200)
        self.assertRegex(self.refusal("200MiB", *pair("gaussian?dim=3", 400), program="hpot-sinkhorn"), r"\d+ ranks\]")

    def test_sizes_that_are_none_are_refused(self):
        for size in ("8GX", "-1GiB", "0", "much", "nan", "1e400GiB"):
            self.assertIn("resources.memory_limit", self.refusal(size, *volumes(8, 2)))


if __name__ == "__main__":
    unittest.main()
