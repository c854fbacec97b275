"""Bad input ends within ten seconds, at any number of ranks, with one message that names what is wrong, exit code 2 and
no file left behind. HPOT_TEST_RANKS: the number of ranks."""
import gzip
import os
import unittest

import programs
from programs import h5py, nibabel, numpy

RANKS = int(os.environ.get("HPOT_TEST_RANKS", "1"))
A = "synthetic:ellipse?n=16&seed=1&item=0"
B = "synthetic:ellipse?n=16&seed=1&item=1"
PAIR = ("--input.source", A, "--input.target", B)
FOUR = ("--input.measures", "synthetic:ellipse?n=16&seed=1&count=4")


class BadInput(programs.DriverTest):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"
        self.output = self.folder / "output"
        self.data.mkdir()
        self.output.mkdir()

    def refuse(self, program, arguments, *fragments, file=None):
        """Runs and checks all that is promised; every fragment must be in the message."""
        result = file or self.output / "result.h5"
        inputs = sorted(self.data.iterdir())
        done = programs.run(program, *arguments, "--output.file", result, ranks=RANKS, timeout=10)
        self.assertEqual(done.code, 2, done.err + done.out)
        self.assertEqual(len(done.messages()), 1, done.err)
        if RANKS == 1:
            self.assertEqual(done.err.splitlines(), done.messages())
        for fragment in fragments:
            self.assertIn(str(fragment), done.messages()[0])
        self.assertEqual(list(self.output.iterdir()), [])
        self.assertEqual(sorted(self.data.iterdir()), inputs)

    def ini(self, text):
        path = self.data / "study.ini"
        path.write_text(text)
        return path

    def npy(self, name, values):
        numpy.save(self.data / name, values)
        return self.data / f"{name}.npy"

    # --- the command line and the INI file

    def test_configuration_file_that_does_not_exist(self):
        self.refuse("hpot-sinkhorn", ("--config", "nowhere.ini"), "nowhere.ini")

    def test_unknown_key_is_answered_with_a_likely_one(self):
        path = self.ini("[epsilon]\ntraget = 1\n")
        self.refuse("hpot-sinkhorn", ("--config", path, *PAIR), path, "epsilon.traget", "epsilon.target")

    def test_unknown_section(self):
        path = self.ini("[epsilonn]\ntarget = 1\n")
        self.refuse("hpot-sinkhorn", ("--config", path, *PAIR), path, "unknown section")

    def test_duplicate_key(self):
        path = self.ini("[epsilon]\ntarget = 1\ntarget = 2\n")
        self.refuse("hpot-sinkhorn", ("--config", path, *PAIR), path, "epsilon.target", "twice")

    def test_abbreviated_key(self):
        self.refuse("hpot-sinkhorn", (*PAIR, "--epsilon.targ", "1"), "epsilon.targ", "epsilon.target")

    def test_bad_number(self):
        self.refuse("hpot-sinkhorn", (*PAIR, "--epsilon.target", "one"), "epsilon.target = one")

    def test_nan(self):
        self.refuse("hpot-sinkhorn", (*PAIR, "--epsilon.target", "nan"), "epsilon.target = nan")

    def test_infinity(self):
        self.refuse("hpot-sinkhorn", (*PAIR, "--stopping.tolerance", "inf"), "stopping.tolerance = inf")

    def test_negative_epsilon(self):
        self.refuse("hpot-barycenter", (*FOUR, "--epsilon.target", "-1"), "epsilon.target = -1", "greater than 0")

    def test_fraction_where_a_whole_number_is_needed(self):
        self.refuse("hpot-sinkhorn", (*PAIR, "--stopping.max_iterations", "1.5"), "stopping.max_iterations = 1.5")

    def test_unknown_name_is_answered_with_the_known_ones(self):
        self.refuse("hpot-barycenter", (*FOUR, "--barycenter.method", "sharp"), "plain", "debiased")
        self.refuse("hpot-barycenter", (*FOUR, "--barycenter.entropy_bound", "-1"), "bounds no entropy")
        self.refuse("hpot-barycenter", (*FOUR, "--barycenter.method", "entropy_bounded", "--barycenter.entropy_bound", "-99"),
                    "one point")

    def test_a_variation_of_points_that_move(self):
        self.refuse("hpot-barycenter", (*FOUR, "--barycenter.tv", "1", "--barycenter.method", "free_support"), "no neighbours")

    def test_required_key_that_is_missing(self):
        self.refuse("hpot-sinkhorn", ("--input.source", A), "input.target")

    def test_unknown_penalty(self):
        self.refuse("hpot-sinkhorn", (*PAIR, "--penalty.source", "hellinger:1"), "penalty.source", "balanced", "kl:RHO")

    def test_penalty_without_its_number(self):
        self.refuse("hpot-sinkhorn", (*PAIR, "--penalty.target", "kl"), "penalty.target")

    def test_shares_of_a_plan_that_are_none(self):
        for share in ("0", "-0.1", "1.5", "nan", "few"):
            self.refuse("hpot-sinkhorn", (*PAIR, "--output.plan", share), f"output.plan = {share}")

    def test_frames_that_make_no_way(self):
        for frames in ("1", "0", "2.5", "1001"):
            self.refuse("hpot-sinkhorn", (*PAIR, "--output.frames", frames), f"output.frames = {frames}")

    def test_interpolation_that_is_no_png(self):
        self.refuse("hpot-sinkhorn", (*PAIR, "--output.interpolation", self.output / "way.jpg"), "output.interpolation",
                    ".png")

    def test_folder_of_the_interpolation_that_does_not_exist(self):
        self.refuse("hpot-sinkhorn", (*PAIR, "--output.interpolation", self.output / "nowhere" / "way.png"), "folder")

    def test_map_that_is_neither_wanted_nor_not(self):
        self.refuse("hpot-sinkhorn", (*PAIR, "--output.map", "perhaps"), "output.map = perhaps")

    def test_coordinates_of_nothing_or_of_several(self):
        self.refuse("hpot-coordinates", FOUR, "input.target")
        self.refuse("hpot-coordinates", (*FOUR, "--input.target", "synthetic:ellipse?n=16&seed=1&count=2"), "input.target",
                    "2 measures", "item")

    def test_coordinates_that_cannot_be(self):
        target = (*FOUR, "--input.target", A)
        self.refuse("hpot-coordinates", (*target, "--coordinates.loss", "l2"), "coordinates.loss = l2", "quadratic",
                    "wasserstein")
        self.refuse("hpot-coordinates", (*target, "--coordinates.sweeps", "0"), "coordinates.sweeps = 0")
        self.refuse("hpot-coordinates", (*target, "--input.normalize", "false"), "input.normalize = false", "true")
        self.refuse("hpot-coordinates", (*target, "--input.negative", "split"), "input.negative = split", "clip")
        self.refuse("hpot-coordinates", (*target, "--cost.type", "cosine"), "cost.type = cosine")
        self.refuse("hpot-coordinates", (*target, "--epsilon.unit", "mean_cost"), "epsilon.unit = mean_cost")

    def test_dictionary_that_cannot_be(self):
        self.refuse("hpot-dictionary", (), "input.measures")
        self.refuse("hpot-dictionary", (*FOUR, "--dictionary.atoms", "5"), "dictionary.atoms = 5", "4 maps", "input.atoms")
        self.refuse("hpot-dictionary", (*FOUR, "--dictionary.loss", "l2"), "dictionary.loss = l2", "quadratic")
        self.refuse("hpot-dictionary", (*FOUR, "--dictionary.batch", "some"), "dictionary.batch = some", "all")
        self.refuse("hpot-dictionary", (*FOUR, "--dictionary.rate", "0"), "dictionary.rate = 0")
        self.refuse("hpot-dictionary", (*FOUR, "--input.normalize", "false"), "input.normalize = false", "true")
        self.refuse("hpot-dictionary", (*FOUR, "--input.negative", "split"), "input.negative = split", "clip")
        self.refuse("hpot-dictionary", (*FOUR, "--cost.type", "cosine"), "cost.type = cosine")
        self.refuse("hpot-dictionary", (*FOUR, "--input.atoms", "nowhere.npy"), "nowhere.npy")

    def test_coordinates_and_dictionaries_on_surfaces_that_cannot_be(self):
        sphere = "synthetic:sphere?subdivisions=2"
        heat = ("--kernel.type", "heat", "--epsilon.target", "4")
        for program, more in (("coordinates", ("--input.target", f"{sphere}&item=4")),
                              ("dictionary", ("--dictionary.atoms", "2"))):
            run = (*more, "--input.measures", f"{sphere}&count=3", f"--{program}.sweeps", "2")
            on, key = (*run, "--input.mesh", sphere), f"{program}.loss = wasserstein"
            program = f"hpot-{program}"
            self.refuse(program, run, "set input.mesh = FILE")
            self.refuse(program, on, "measures on a surface go along it", "kernel.type = heat")
            self.refuse(program, (*on, *heat[:2], "--epsilon.target", "0.2"), "epsilon.target", "heat of so short a time is noise")
            self.refuse(program, (*run, "--input.mesh", "synthetic:sphere?subdivisions=1", *heat), "162 values", "42 vertices")
            self.refuse(program, (*on, "--cost.type", "geodesic", "--cost.radius", "60", key.split(" =")[0].join(("--", "")),
                                  "wasserstein"), key, "cost.radius", "quadratic")
            self.refuse(program, (*on, *heat, "--epsilon.unit", "mean_cost"), "epsilon.unit = mean_cost")

    def test_maps_by_a_cost_matrix_that_cannot_be(self):
        generator = numpy.random.default_rng(0)
        maps = f"{self.npy('maps', generator.random((4, 5)))}?stack=1"
        costs = generator.random((5, 5))
        matrix = ("--cost.type", "matrix", "--cost.matrix")
        unitless = (*matrix, self.npy("good", costs + costs.T), "--epsilon.target", "0.1")
        good = (*unitless, "--epsilon.unit", "cost")
        for program, section, more in (("hpot-dictionary", "dictionary", ("--dictionary.atoms", "2")),
                                       ("hpot-coordinates", "coordinates", ("--input.target", f"{maps}&item=0"))):
            run = (*more, "--input.measures", maps)
            self.refuse(program, (*run, *matrix, self.npy("wide", costs[:4]), "--epsilon.unit", "cost"), "wide.npy", "4 x 5",
                        "5 and 5")
            self.refuse(program, (*run, *matrix, self.npy("small", costs[:4, :4]), "--epsilon.unit", "cost"), "small.npy", "4 x 4")
            for value in (-1.0, numpy.nan):
                bad = costs.copy()
                bad[1, 2] = value
                self.refuse(program, (*run, *matrix, self.npy("bad", bad), "--epsilon.unit", "cost"), "row 1, column 2")
            longer = self.npy("longer", generator.random(6))
            self.refuse(program, (*more, "--input.measures", f"{maps},{longer}", *good), "longer.npy", "6 weights", "5 entries")
            points = self.npy("points", generator.random((5, 2)))
            self.refuse(program, (*more, "--input.measures", f"{points}?as=points,{points}?as=points", *good), "points.npy", "array of weights")
            self.refuse(program, (*run, *good, "--output.picture", self.output / "a.png"), "output.picture", "no places")
            self.refuse(program, (*run, *good, "--kernel.type", "dense"), "kernel.type")
            self.refuse(program, (*run, *unitless), "epsilon.unit", "max_cost")
            asymmetric = (*run, *matrix, self.npy("asymmetric", costs), "--epsilon.unit", "cost")
            for key, value in (("method", "debiased"), ("loss", "wasserstein")):
                self.refuse(program, (*asymmetric, f"--{section}.{key}", value), "asymmetric.npy", "not symmetric", "plain")
        shorter = self.npy("shorter", generator.random(4))
        self.refuse("hpot-coordinates", ("--input.measures", maps, "--input.target", shorter, *good), "shorter.npy", "4 weights",
                    "5 entries")
        self.refuse("hpot-dictionary", ("--input.measures", maps, "--input.atoms", shorter, *good), "shorter.npy", "4 weights",
                    "5 entries")
        self.refuse("hpot-dictionary", ("--input.measures", maps, "--dictionary.atoms", "2", *matrix, "none.npy"), "none.npy")
        negative = self.npy("negative", generator.random((4, 5)) - 0.5)
        self.refuse("hpot-dictionary", ("--input.measures", f"{negative}?stack=1", "--dictionary.atoms", "2", *good),
                    "negative.npy", "input.negative")

    def test_atoms_on_another_grid_or_without_mass(self):
        path = self.npy("atom", numpy.ones((8, 9)))
        self.refuse("hpot-dictionary", (*FOUR, "--input.atoms", path), path, "9 x 8", "16 x 16")
        path = self.npy("nothing", numpy.zeros((16, 16)))
        self.refuse("hpot-dictionary", (*FOUR, "--input.atoms", path), path, "no positive value")

    def test_target_on_another_grid(self):
        path = self.npy("target", numpy.ones((8, 9)))
        self.refuse("hpot-coordinates", (*FOUR, "--input.target", path), path, "that of the measures", "9 x 8", "16 x 16")

    def test_target_without_mass(self):
        path = self.npy("target", numpy.zeros((16, 16)))
        self.refuse("hpot-coordinates", (*FOUR, "--input.target", path), path, "no positive value")

    # --- measures

    def test_measure_that_does_not_exist(self):
        self.refuse("hpot-sinkhorn", ("--input.source", A, "--input.target", "nowhere.nii.gz"), "nowhere.nii.gz")

    def test_pattern_that_matches_nothing(self):
        self.refuse("hpot-barycenter", ("--input.measures", self.data / "*.nii"), "*.nii")

    def test_unknown_extension(self):
        path = self.data / "measure.docx"
        path.write_text("words")
        self.refuse("hpot-barycenter", ("--input.measures", path), path, "unknown extension", ".nii")

    def test_unknown_family(self):
        self.refuse("hpot-barycenter", ("--input.measures", "synthetic:brain?n=8"), "brain", "phantom")

    def test_unknown_qualifier(self):
        path = self.npy("a", numpy.ones((8, 8)))
        self.refuse("hpot-barycenter", ("--input.measures", f"{path}?label=3"), path, "label")

    def test_several_measures_where_one_is_needed(self):
        self.refuse("hpot-sinkhorn", ("--input.source", "synthetic:ellipse?n=16&count=3", "--input.target", B),
                    "input.source", "3 measures")

    def test_mismatched_shapes(self):
        path = self.npy("a", numpy.ones((8, 9)))
        self.refuse("hpot-sinkhorn", ("--input.source", A, "--input.target", path), path, "grid", "9 x 8", "16 x 16")

    def test_mismatched_affines(self):
        paths = []
        for shift in (0.0, 3.0):
            affine = numpy.diag([2.0, 2.0, 2.0, 1.0])
            affine[0, 3] = shift
            paths.append(self.data / f"volume{shift}.nii.gz")
            nibabel.save(nibabel.Nifti1Image(numpy.ones((4, 5, 6)), affine), paths[-1])
        self.refuse("hpot-barycenter", ("--input.measures", f"{paths[0]},{paths[1]}"), paths[1], "affine")

    def test_negative_values(self):
        values = numpy.ones((16, 16))
        values[3, 4] = -0.25
        path = self.npy("a", values)
        self.refuse("hpot-sinkhorn", ("--input.source", A, "--input.target", path), path, "-0.25", "input.negative")

    def test_infinite_values(self):
        values = numpy.ones((16, 16))
        values[0, 0] = numpy.inf
        path = self.npy("a", values)
        self.refuse("hpot-sinkhorn", ("--input.source", A, "--input.target", path), path)

    def test_measure_without_mass(self):
        path = self.npy("a", numpy.zeros((16, 16)))
        self.refuse("hpot-sinkhorn", ("--input.source", A, "--input.target", path), path, "no positive value")

    def test_measure_of_nan_only(self):
        path = self.npy("a", numpy.full((16, 16), numpy.nan))
        self.refuse("hpot-barycenter", ("--input.measures", path), path, "NaN")

    def test_masses_that_no_plan_can_match(self):
        paths = [self.npy(name, numpy.full((16, 16), value)) for name, value in (("a", 1.0), ("b", 2.0))]
        self.refuse("hpot-sinkhorn", ("--input.source", paths[0], "--input.target", paths[1], "--input.normalize",
                                      "false"), "input.normalize", "256", "512")

    # --- files that are not what they seem

    def test_volume_that_is_cut_short(self):
        whole = nibabel.Nifti1Image(numpy.random.default_rng(1).random((8, 8, 8)), numpy.eye(4)).to_bytes()
        path = self.data / "cut.nii.gz"
        path.write_bytes(gzip.compress(whole[:2000]))
        self.refuse("hpot-barycenter", ("--input.measures", path), path)

    def test_gzip_stream_that_is_cut_short(self):
        whole = nibabel.Nifti1Image(numpy.random.default_rng(1).random((8, 8, 8)), numpy.eye(4)).to_bytes()
        path = self.data / "cut.nii.gz"
        path.write_bytes(gzip.compress(whole)[:1500])
        self.refuse("hpot-barycenter", ("--input.measures", path), path)

    def test_array_that_is_cut_short(self):
        path = self.npy("a", numpy.ones((16, 16)))
        path.write_bytes(path.read_bytes()[:500])
        self.refuse("hpot-barycenter", ("--input.measures", path), path)

    def test_empty_image(self):
        path = self.data / "empty.png"
        path.touch()
        self.refuse("hpot-barycenter", ("--input.measures", path), path)

    def test_table_with_a_word_in_it(self):
        path = self.data / "table.csv"
        path.write_text("1,2\n3,four\n")
        self.refuse("hpot-barycenter", ("--input.measures", path), path, "four")

    def test_dataset_that_is_not_in_the_file(self):
        path = self.data / "maps.h5"
        with h5py.File(path, "w") as file:
            file["group/map"] = numpy.ones((8, 8))
        self.refuse("hpot-barycenter", ("--input.measures", f"{path}:/map"), path, "/map", "group/map")

    # --- what does not fit together

    def test_weights_of_another_length(self):
        self.refuse("hpot-barycenter", (*FOUR, "--barycenter.weights", "1,1,1"), "barycenter.weights", "3", "4")

    def test_weights_that_are_all_zero(self):
        self.refuse("hpot-barycenter", (*FOUR, "--barycenter.weights", "1,1,1,1 ; 0,0,0,0"), "barycenter.weights",
                    "positive")

    def test_negative_weight(self):
        self.refuse("hpot-barycenter", (*FOUR, "--barycenter.weights", "1,1,1,-1"), "barycenter.weights", "-1")

    def test_barycenter_of_masses_left_as_they_are(self):
        self.refuse("hpot-barycenter", (*FOUR, "--input.normalize", "false"), "input.normalize")
        self.refuse("hpot-barycenter", (*FOUR, "--penalty.measures", "kl:-1"), "penalty.measures", "rho must be positive")

    def test_separable_kernel_for_a_cost_that_is_not(self):
        self.refuse("hpot-sinkhorn", (*PAIR, "--cost.type", "euclidean", "--kernel.type", "separable"), "kernel.type",
                    "dense")

    def test_process_grid_that_does_not_fit_the_ranks(self):
        self.refuse("hpot-barycenter", (*FOUR, "--parallel.rows", "2", "--parallel.batches", "2"), "parallel.rows")

    def test_output_folder_that_does_not_exist(self):
        self.refuse("hpot-sinkhorn", PAIR, "folder", file=self.output / "nowhere" / "result.h5")

    def test_folder_of_the_picture_that_does_not_exist(self):
        self.refuse("hpot-sinkhorn", (*PAIR, "--output.picture", self.output / "nowhere" / "a.png"), "folder")

    def test_output_file_that_is_a_folder(self):
        self.refuse("hpot-sinkhorn", PAIR, "folder", file=self.data)

    def cloud(self, name, text):
        path = self.data / name
        path.write_text(text)
        return f"{path}?as=points"

    def test_points_that_are_wrong(self):
        good = self.cloud("good.csv", "0,0\n1,0\n0,1\n")
        for name, text, fragments in (("nan.csv", "0,0\n1,nan\n", ("point = 1", "NaN")),
                                      ("ragged.csv", "0,0\n1\n", ("ragged.csv:2",)),
                                      ("space.csv", "0,0,0\n1,1,1\n", ("3 dimensions", "2 dimensions"))):
            with self.subTest(name=name):
                self.refuse("hpot-sinkhorn", ("--input.source", good, "--input.target", self.cloud(name, text)), *fragments)
        negative = self.cloud("negative.csv", "0,0,1\n1,0,-1\n") + "&weights=last"
        self.refuse("hpot-sinkhorn", ("--input.source", good, "--input.target", negative), "negative")
        self.refuse("hpot-sinkhorn", ("--input.source", good, "--input.target", self.cloud("obj.obj", "v 1 2 3\nv 1 2\n")
                                      .removesuffix("?as=points")), "obj.obj:2")

    def test_tables_of_points_that_every_rank_reads_a_part_of(self):
        points = numpy.random.default_rng(0).random((40, 2))
        good = f"{self.npy('good', points)}?as=points"
        points[33, 1] = numpy.nan
        files = {"nan": self.npy("nan", points), "cut": self.npy("cut", points), "cube": self.npy("cube", points.reshape(8, 5, 2))}
        files["cut"].write_bytes(files["cut"].read_bytes()[:-100])
        with h5py.File(self.data / "all.h5", "w") as h5:
            h5["nan"], h5["cube"], h5["text"] = points, points.reshape(8, 5, 2), "words"
            h5["empty"] = numpy.zeros((0, 2))
        files |= {f"h5 {name}": f"{self.data}/all.h5:/{name}" for name in ("nan", "cube", "text", "empty", "missing")}
        whole = (self.data / "all.h5").read_bytes()
        (self.data / "cut.h5").write_bytes(whole[:len(whole) // 2])
        files["h5 cut"] = f"{self.data}/cut.h5:/nan"
        fragments = {"nan": ("point = 33", "NaN"), "h5 nan": ("point = 33", "NaN"), "cube": ("3 dimensions",),
                     "h5 cube": ("3 dimensions",), "h5 text": ("not numbers",), "h5 missing": ("no such dataset",),
                     "h5 empty": ("no points",), "cut": ("cut.npy",), "h5 cut": ("cut.h5",)}
        for name, path in files.items():
            with self.subTest(name=name):
                self.refuse("hpot-sinkhorn", ("--input.source", good, "--input.target", f"{path}?as=points"),
                            *fragments[name])

    def test_what_clouds_do_not_have(self):
        good = self.cloud("good.csv", "0,0\n1,0\n0,1\n")
        pair = ("--input.source", good, "--input.target", good)
        self.refuse("hpot-sinkhorn", (*pair, "--output.interpolation", "way.png"), "output.interpolation")
        self.refuse("hpot-sinkhorn", (*pair, "--kernel.type", "separable"), "kernel.type", "dense")
        self.refuse("hpot-sinkhorn", (*pair, "--sinkhorn.divergence", "true"), "epsilon.unit", "cost")
        self.refuse("hpot-sinkhorn", ("--input.source", good, "--input.target", A), "grid", "points")
        self.refuse("hpot-sinkhorn", ("--input.source", good.replace("points", "cloud"), "--input.target", good), "as = cloud")
        self.refuse("hpot-barycenter", ("--input.measures", f"{good},{good}"), "cloud", "free_support")

    def test_free_supports_that_are_wrong(self):
        flat, deep = self.cloud("flat.csv", "0,0\n1,0\n0,1\n"), self.cloud("deep.csv", "0,0,0\n1,0,0\n")
        free = ("--barycenter.method", "free_support", "--input.measures")
        self.refuse("hpot-barycenter", (*free, f"{flat},{deep}"), "deep.csv", "3 dimensions", "have 2")
        self.refuse("hpot-barycenter", (*free, f"{flat},{A}"), A, "a grid", "as=voxels")
        self.refuse("hpot-barycenter", (*free, A), "a grid", "barycenter.method")
        self.refuse("hpot-barycenter", (*free, flat, "--cost.type", "euclidean"), "cost.type", "squared_euclidean")
        self.refuse("hpot-barycenter", (*free, flat, "--cost.type", "matrix", "--cost.matrix", "c.npy"), "cost.type",
                    "squared_euclidean")
        self.refuse("hpot-barycenter", (*free, flat, "--kernel.type", "separable"), "kernel.type", "dense")
        self.refuse("hpot-barycenter", (*free, flat, "--epsilon.unit", "mean_cost"), "epsilon.unit", "max_cost")
        self.refuse("hpot-barycenter", (*free, flat, "--barycenter.points", "4"), "barycenter.points", "fewer")
        self.refuse("hpot-barycenter", (*free, f"{flat},{flat}", "--barycenter.points", "4"), "barycenter.points",
                    "3 different places")
        self.refuse("hpot-barycenter", (*free, flat, "--barycenter.points", "0"), "barycenter.points")
        self.refuse("hpot-barycenter", (*free, flat, "--barycenter.start", deep), "deep.csv", "dimension")
        self.refuse("hpot-barycenter", (*free, flat, "--barycenter.start", "none.csv?as=points"), "none.csv")
        self.refuse("hpot-barycenter", (*free, flat, "--barycenter.start", flat, "--barycenter.points", "2"),
                    "barycenter.points", "3 points")
        self.refuse("hpot-barycenter", (*FOUR, "--barycenter.points", "4"), "barycenter.points", "free_support")
        same = self.cloud("same.csv", "1,1\n1,1\n")
        self.refuse("hpot-barycenter", (*free, same), "epsilon.unit", "cost")

    def test_directions_that_are_not_there(self):
        cloud = self.cloud("origin.csv", "1,0\n0,1\n0,0\n")
        self.refuse("hpot-sinkhorn", ("--input.source", cloud, "--input.target", cloud, "--cost.type", "cosine"), "point 2",
                    "direction")
        self.refuse("hpot-sinkhorn", (*PAIR, "--cost.type", "cosine"), "cosine", "grid")
        self.refuse("hpot-barycenter", ("--input.measures", f"{A},{A}", "--cost.type", "cosine"), "cost.type")

    def test_divergence_at_three_values_of_eps(self):
        self.refuse("hpot-sinkhorn", (*PAIR, "--sinkhorn.divergence", "true", "--epsilon.unit", "max_cost"), "epsilon.unit",
                    "three problems")

    def test_synthetic_matrices_and_pictures_that_are_not_there(self):
        pair = [part for side in ("source", "target") for part in (f"--input.{side}", "synthetic:uniform?dim=1&n=5")]
        for matrix, *fragments in (("synthetic:sentences", "known: words"), ("synthetic:words?n=5&size=3", "no such key"),
                                   ("synthetic:words?n=6&m=5", "6 x 5")):
            self.refuse("hpot-sinkhorn", (*pair, "--cost.type", "matrix", "--cost.matrix", matrix), *fragments)
        self.refuse("hpot-sinkhorn", ("--input.source", "synthetic:scene?hour=3", "--input.target", "synthetic:scene?item=1"),
                    "hour", "no such key")

    def test_cost_matrices_that_are_wrong(self):
        costs = numpy.arange(12.0).reshape(3, 4)
        weights = [f"synthetic:uniform?dim=1&n={n}" for n in (3, 4)]

        def matrix(name, values):
            path = self.data / name
            numpy.save(path, values)
            return path

        def arguments(path, source=weights[0], target=weights[1], unit="cost"):
            return ("--cost.type", "matrix", "--cost.matrix", path, "--input.source", source, "--input.target", target,
                    "--epsilon.unit", unit)

        good = matrix("good.npy", costs)
        for place, value in (((1, 2), -1.0), ((2, 3), numpy.nan), ((0, 0), numpy.inf)):
            bad = costs.copy()
            bad[place] = value
            with self.subTest(value=value):
                self.refuse("hpot-sinkhorn", arguments(matrix("bad.npy", bad)), f"row {place[0]}, column {place[1]}")
        self.refuse("hpot-sinkhorn", arguments(matrix("flat.npy", costs.ravel())), "1 dimensions")
        self.refuse("hpot-sinkhorn", (*arguments(matrix("huge.npy", costs * 1e300)), "--cost.storage", "float"), "too large")
        self.refuse("hpot-sinkhorn", arguments(good, target=weights[0]), "3 x 4", "3 and 3")
        self.refuse("hpot-sinkhorn", arguments(good, unit="spacing2"), "epsilon.unit", "max_cost")
        self.refuse("hpot-sinkhorn", arguments(self.data / "none.npy"), "no such file")
        self.refuse("hpot-sinkhorn", arguments(self.data / "good.txt"), "format")
        self.refuse("hpot-sinkhorn", (*arguments(good), "--output.map", "true"), "output.map")
        self.refuse("hpot-sinkhorn", (*arguments(good), "--sinkhorn.divergence", "true"), "sinkhorn.divergence")
        self.refuse("hpot-sinkhorn", (*arguments(good), "--kernel.type", "dense"), "kernel.type")
        self.refuse("hpot-sinkhorn", (*arguments(good), "--acceleration.finish", "newton"), "acceleration.finish", "cloud")
        self.refuse("hpot-sinkhorn", (*PAIR, "--cost.matrix", good), "cost.matrix", "cost.type")
        self.refuse("hpot-sinkhorn", (*PAIR, "--cost.type", "matrix"), "cost.matrix")
        self.refuse("hpot-barycenter", (*FOUR, "--cost.type", "matrix", "--cost.matrix", good), "cost.type")
        cut = self.data / "cut.npy"
        cut.write_bytes(good.read_bytes()[:-8])
        self.refuse("hpot-sinkhorn", arguments(cut), "cut short")


if __name__ == "__main__":
    unittest.main()
