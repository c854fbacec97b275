"""Maps on surfaces, as users give them: every format, both operators, masks, hemispheres, and what is refused."""
import csv
import gzip
import unittest

import programs
from programs import h5py, nibabel, numpy, png_size

SPHERE = "synthetic:sphere?subdivisions=3"
HEAT = ("--kernel.type", "heat", "--epsilon.target", "4")
GEODESIC = ("--cost.type", "geodesic", "--epsilon.target", "4")
PLAIN = ("--barycenter.method", "plain")


def icosahedron():
    g = (1 + 5**0.5) / 2
    points = [(-1, g, 0), (1, g, 0), (-1, -g, 0), (1, -g, 0), (0, -1, g), (0, 1, g), (0, -1, -g), (0, 1, -g), (g, 0, -1),
              (g, 0, 1), (-g, 0, -1), (-g, 0, 1)]
    faces = [(0, 11, 5), (0, 5, 1), (0, 1, 7), (0, 7, 10), (0, 10, 11), (1, 5, 9), (5, 11, 4), (11, 10, 2), (10, 7, 6),
             (7, 1, 8), (3, 9, 4), (3, 4, 2), (3, 2, 6), (3, 6, 8), (3, 8, 9), (4, 9, 5), (2, 4, 11), (6, 2, 10), (8, 6, 7),
             (9, 8, 1)]
    return 20.0 * numpy.array(points) / numpy.hypot(1, g), numpy.array(faces)


def subdivided(points, faces, levels):
    for _ in range(levels):
        middles, finer, points = {}, [], list(map(tuple, points))
        for face in faces:
            between = []
            for a, b in ((face[0], face[1]), (face[1], face[2]), (face[2], face[0])):
                key = (min(a, b), max(a, b))
                if key not in middles:
                    middles[key] = len(points)
                    middle = (numpy.array(points[a]) + points[b]) / 2
                    points.append(tuple(20.0 * middle / numpy.linalg.norm(middle)))
                between.append(middles[key])
            ab, bc, ca = between
            finer += [(face[0], ab, ca), (face[1], bc, ab), (face[2], ca, bc), (ab, bc, ca)]
        faces, points = finer, numpy.array(points)
    return numpy.asarray(points), numpy.asarray(faces)


def gifti(arrays, encoding):
    image = nibabel.GiftiImage()
    for values, intent in arrays:
        array = nibabel.gifti.GiftiDataArray(values, intent=intent, datatype={"i": "NIFTI_TYPE_INT32", "f": "NIFTI_TYPE_FLOAT32"}[
            values.dtype.kind])
        array.encoding = nibabel.gifti.gifti.gifti_encoding_codes.code[encoding]
        image.add_gifti_data_array(array)
    return image.to_bytes()


class Surfaces(programs.DriverTest):
    def setUp(self):
        super().setUp()
        self.points, self.faces = subdivided(*icosahedron(), 2)
        random = numpy.random.default_rng(2)
        self.maps = [numpy.exp(-((self.points - centre) ** 2).sum(1) / 150) for centre in 20 * random.normal(size=(3, 3)) / 1.7]

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def surface(self, name, encoding):
        content = gifti([(self.points.astype("f4"), "NIFTI_INTENT_POINTSET"), (self.faces.astype("i4"), "NIFTI_INTENT_TRIANGLE")],
                        encoding)
        return self.write(name, gzip.compress(content) if name.endswith(".gz") else content)

    def names(self):
        for k, values in enumerate(self.maps):
            numpy.save(self.folder / f"map{k}.npy", values)
        return ",".join(str(self.folder / f"map{k}.npy") for k in range(len(self.maps)))

    def barycenter(self, mesh, measures, *more, **options):
        path = self.succeed("hpot-barycenter", "--input.mesh", mesh, "--input.measures", measures, *PLAIN, *more, **options)
        with h5py.File(path) as file:
            return file["barycenter"][()], dict(file.attrs), file["support/areas"][()]

    def refused(self, *arguments, program="hpot-barycenter", ranks=1):
        done = programs.run(program, "--output.file", self.folder / "refused.h5", *arguments, ranks=ranks)
        self.assertEqual(done.code, 2, done.out + done.err)
        self.assertEqual(len(done.messages()), 1, done.err)
        self.assertFalse([path for path in self.folder.iterdir() if path.name.startswith("refused")])
        return done.messages()[0]

    def test_every_format_of_nibabel_gives_the_same_barycenter(self):
        reference, _, areas = self.barycenter(self.surface("a.gii", "ASCII"), self.names(), *HEAT)
        self.assertAlmostEqual(areas.sum(), 4 * numpy.pi * 400, delta=0.05 * 4 * numpy.pi * 400)
        self.assertLess(abs(reference.sum() - 1.0), 1e-12)
        nibabel.freesurfer.write_geometry(self.folder / "lh.white", self.points, self.faces)
        meshes = [self.surface(f"{e}.gii", e) for e in ("B64BIN", "B64GZ")] + [self.surface("z.gii.gz", "B64GZ"), self.folder / "lh.white"]
        for mesh in meshes:
            with self.subTest(mesh=mesh.name):
                self.assertLess(abs(self.barycenter(mesh, self.names(), *HEAT)[0] - reference).max(), 1e-7)
        for k, values in enumerate(self.maps):
            nibabel.freesurfer.write_morph_data(self.folder / f"lh.m{k}", values)
            self.write(f"m{k}.func.gii", gifti([(values.astype("f4"), "NIFTI_INTENT_NONE")] * 2, "B64GZ"))
        for measures in (f"{self.folder}/lh.m[0-2]", ",".join(f"{self.folder}/m{k}.func.gii?frame=1" for k in range(3))):
            found, attributes, _ = self.barycenter(self.folder / "lh.white", measures, *HEAT)
            self.assertLess(abs(found - reference).max(), 1e-7)
            self.assertEqual(len(attributes["inputs"]), 4, "the surface is an input")

    def test_results_are_a_functional_map_and_a_picture(self):
        picture = self.folder / "p.png"
        found, attributes, _ = self.barycenter(self.surface("a.gii", "B64GZ"), self.names(), *HEAT, "--output.picture", picture)
        written = nibabel.load(self.folder / "result1.func.gii").darrays[0].data
        self.assertLess(abs(written - found).max(), 1e-8)
        self.assertEqual(png_size(picture), (962, 480))
        self.assertAlmostEqual(attributes["mass"], 1.0, delta=1e-12)

    def test_heat_and_geodesic_costs_agree_and_ranks_too(self):
        for kind, name in ((HEAT, "x.npy"), (GEODESIC, "y.npy")):
            path = self.succeed("hpot-barycenter", "--input.mesh", SPHERE, "--input.measures", f"{SPHERE}&count=3", *kind,
                                *PLAIN)
            with h5py.File(path) as file:
                numpy.save(self.folder / name, file["barycenter"][()])
                edge = file["support"].attrs["mean_edge"]
        pair = self.succeed("hpot-sinkhorn", "--input.mesh", SPHERE, "--input.source", self.folder / "x.npy", "--input.target",
                            self.folder / "y.npy", "--cost.type", "geodesic", "--epsilon.target", "0.05")
        with h5py.File(pair) as file:
            self.assertLess(file.attrs["upper_cost"], (2 * edge) ** 2)
            self.assertLessEqual(file.attrs["lower_cost"], file.attrs["upper_cost"])
            self.assertLessEqual(file.attrs["dual_cost"], file.attrs["primal_cost"])
        for kind in (HEAT, GEODESIC, (*GEODESIC, "--cost.radius", "120")):
            arguments = ("--input.mesh", SPHERE, "--input.source", f"{SPHERE}&item=0", "--input.target", f"{SPHERE}&item=1", *kind)
            one, three = [self.succeed("hpot-sinkhorn", *arguments, ranks=ranks) for ranks in (1, 3)]
            self.assert_equal_results(one, three, "potentials/f", 1e-6)  # of matrices to rounding, then stopped
            one, three = [self.succeed("hpot-barycenter", "--input.mesh", SPHERE, "--input.measures", f"{SPHERE}&count=2", *kind,
                                       *PLAIN, "--parallel.rows", ranks, ranks=ranks) for ranks in (1, 3)]
            self.assert_equal_results(one, three, "barycenter", 1e-6)

    def test_what_has_no_explicit_cost_is_left_out_not_invented(self):
        pair = ("--input.mesh", SPHERE, "--input.source", f"{SPHERE}&item=0", "--input.target", f"{SPHERE}&item=1")
        # of long times and many steps, whose cost is d^2 farther off
        heat = ("--kernel.type", "heat", "--epsilon.target", "30", "--kernel.heat_steps", "300")
        with h5py.File(self.succeed("hpot-sinkhorn", *pair, *heat, "--sinkhorn.divergence", "true")) as file:
            for name in ("transport_cost", "primal_cost", "gap", "lower_cost", "upper_cost"):
                self.assertNotIn(name, file.attrs)
            self.assertGreater(file.attrs["divergence"], 0.0)
            heat = file.attrs["dual_cost"]
        with h5py.File(self.succeed("hpot-sinkhorn", *pair, *GEODESIC, "--cost.radius", "130")) as file:
            near = dict(file.attrs)
            self.assertNotIn("primal_cost", near)
        with h5py.File(self.succeed("hpot-sinkhorn", *pair, "--cost.type", "geodesic", "--epsilon.target", "30")) as file:
            self.assertAlmostEqual(heat / file.attrs["dual_cost"], 1.0, delta=0.1)
        with h5py.File(self.succeed("hpot-sinkhorn", *pair, *GEODESIC)) as file:
            self.assertAlmostEqual(near["transport_cost"] / file.attrs["transport_cost"], 1.0, delta=1e-3)
            self.assertAlmostEqual(near["dual_cost"] / file.attrs["dual_cost"], 1.0, delta=1e-3)
            self.assertLess(file.attrs["gap"], 0.01 * file.attrs["primal_cost"])

    def test_distances_between_maps(self):
        arguments = ("--input.mesh", SPHERE, "--input.measures", f"{SPHERE}&count=3", "--sinkhorn.divergence", "true", *HEAT)
        one, two = [self.succeed("hpot-sinkhorn", *arguments, ranks=ranks) for ranks in (1, 2)]
        with h5py.File(one) as file:
            distances = file["distances"][()]
        self.assertTrue((numpy.diag(distances) == 0).all() and (distances[numpy.triu_indices(3, 1)] > 0).all())
        self.assert_equal_results(one, two, "distances", 1e-9)

    def test_weights_of_a_barycenter_are_found_again(self):
        sphere, weights = "synthetic:sphere?subdivisions=2", numpy.array([0.5, 0.3, 0.2, 0])
        maps = ("--input.mesh", sphere, "--input.measures", f"{sphere}&count=4")
        for kind, loss in ((HEAT, "quadratic"), (GEODESIC, "wasserstein")):
            made = self.succeed("hpot-barycenter", *maps, *kind, *PLAIN, "--barycenter.weights", ",".join(map(str, weights)),
                                "--stopping.tolerance", "1e-9", "--kernel.precision", "double")
            target = made.rename(self.folder / "made.h5")
            run = (*maps, "--input.target", f"{target}:/barycenter", *kind, "--coordinates.loss", loss, "--stopping.tolerance",
                   "1e-5", "--coordinates.sweeps", "30")
            with h5py.File(self.succeed("hpot-coordinates", *run)) as file, h5py.File(target) as known:
                self.assertLess(abs(file["projection/lambda"][()] - weights).max(), 1e-3)
                self.assertLess(abs(file["projection/map"][()] - known["barycenter"][()]).max(), 1e-3 / 162)
                self.assertEqual(file["support"].attrs["type"], "surface")
                self.assertEqual([name.split("?")[0] for name in file.attrs["inputs"][4:]], ["synthetic:sphere", f"{target}:/barycenter"])
            few = ("--coordinates.sweeps", "6", "--stopping.max_iterations", "2")
            one, three = [self.succeed("hpot-coordinates", *run[:-2], *few, ranks=ranks, code=3) for ranks in (1, 3)]
            for name in ("projection/lambda", "projection/map", "euclidean/map"):
                self.assert_equal_results(one, three, name, 1e-8)

    def test_coordinates_and_atoms_are_maps_and_pictures_and_leave_masked_vertices_out(self):
        mask = numpy.where(self.points[:, 0] > 12, 0.0, 1.0)
        numpy.save(self.folder / "mask.npy", mask)
        out = mask == 0
        on = ("--input.mesh", self.surface("a.gii", "B64GZ"), "--input.mask", self.folder / "mask.npy", *HEAT, "--output.picture",
              self.folder / "p.png", "--stopping.max_iterations", "3", "--stopping.tolerance", "1e-9")
        names = self.names().split(",")
        path = self.succeed("hpot-coordinates", *on, "--input.measures", ",".join(names[:2]), "--input.target", names[2],
                            "--coordinates.sweeps", "10", code=3)
        self.assertEqual(png_size(self.folder / "p.png"), (962, 3 * 480 + 2 * 2))
        with h5py.File(path) as file:
            q = file["support/areas"][()][~out]
            q /= q.mean()
            target = file["target"][()]
            for name in ("projection", "euclidean"):
                values = file[name]["map"][()]
                self.assertTrue((values[out] == 0).all() and abs(values.sum() - 1.0) < 1e-12)
                square = ((values - target)[~out] ** 2 / q).sum() / (2 * (target[~out] ** 2 / q).sum())
                self.assertAlmostEqual(file[name].attrs["quadratic"] / square, 1.0, delta=1e-10)
                written = nibabel.load(self.folder / f"result1_{name}.func.gii").darrays[0].data
                self.assertLess(abs(written - values).max(), 1e-8)
        atoms = self.succeed("hpot-dictionary", *on, "--input.measures", ",".join(names), "--dictionary.atoms", "2",
                             "--dictionary.sweeps", "8", code=3)
        kept = atoms.rename(self.folder / "atoms.h5")
        self.assertEqual(png_size(self.folder / "p.png"), (962, 2 * 480 + 2))
        with h5py.File(kept) as file:
            values, loss = file["atoms"][()], file["losses"][()]
            self.assertEqual(values.shape, (2, len(self.points)))
            self.assertTrue((values[:, out] == 0).all())
            for k in range(2):
                written = nibabel.load(self.folder / f"result1_{k}.func.gii").darrays[0].data
                self.assertLess(abs(written - values[k]).max(), 1e-8)
        # other programs read the atoms
        path = self.succeed("hpot-coordinates", *on, "--input.measures", f"{kept}:/atoms?stack=1", "--input.target", names[1],
                            "--coordinates.sweeps", "8", code=3)
        with h5py.File(path) as file:
            self.assertLess(file["projection"].attrs["loss"], 1.05 * loss[1])
        again = self.succeed("hpot-dictionary", *on, "--input.measures", ",".join(names), "--input.atoms", f"{kept}:/atoms?stack=1",
                             "--dictionary.sweeps", "8", code=3)
        with h5py.File(again) as file, h5py.File(kept) as before:
            self.assertLess(file["steps/loss"][-1], before["steps/loss"][-1])

    def test_mask_and_nan_are_dropped_and_counted(self):
        mask = numpy.where(self.points[:, 0] > 12, 0.0, 1.0)
        mask[self.points[:, 0] > 16] = numpy.nan
        self.maps[0][5] = numpy.nan
        numpy.save(self.folder / "mask.npy", mask)
        found, attributes, areas = self.barycenter(self.surface("a.gii", "B64GZ"), self.names(), *HEAT, "--input.mask",
                                                   self.folder / "mask.npy")
        out = ~(mask > 0)
        self.assertTrue((found[out] == 0).all() and (areas[out] == 0).all() and (found[~out] > 0).all())
        self.assertEqual(attributes["masked_values"], 0 if out[5] else 1)
        with h5py.File(self.folder / "result1.h5") as file:
            self.assertEqual(file["support"].attrs["vertices_left_out"], out.sum())

    def test_two_hemispheres_are_components(self):
        left, right = self.surface("l.gii", "B64GZ"), self.surface("r.gii", "ASCII")
        double = [numpy.concatenate([values, values[::-1]]) for values in self.maps]
        self.maps = [values / values.sum() for values in double]
        found, _, _ = self.barycenter(f"{left},{right}", self.names(), *HEAT)
        n = len(self.points)
        self.assertAlmostEqual(found[:n].sum(), 0.5, delta=1e-6)
        self.maps[1][:n] *= 2
        message = self.refused("--input.mesh", f"{left},{right}", "--input.measures", self.names(), *HEAT, *PLAIN)
        self.assertIn("no mass goes between components", message)
        mesh = ("--input.mesh", f"{left},{right}", *HEAT)
        for pairs in (("--input.source", self.folder / "map0.npy", "--input.target", self.folder / "map1.npy"),
                      ("--input.measures", self.names())):
            for ranks in (1, 2):
                message = self.refused(*mesh, *pairs, program="hpot-sinkhorn", ranks=ranks)
                self.assertIn("no mass goes between components", message)
        self.barycenter(f"{left},{right}", self.names(), *HEAT, "--penalty.measures", "kl:100")

    def test_what_is_refused(self):
        self.names()
        mesh, name = self.surface("a.gii", "B64GZ"), self.folder / "map0.npy"
        numpy.save(self.folder / "short.npy", numpy.ones(7))
        on = ("--input.mesh", mesh, "--input.measures", f"{name},{self.folder}/map1.npy")
        cases = [
            ((*on, *HEAT[:2], "--epsilon.target", "0.2"), "heat of so short a time is noise"),
            (on, "measures on a surface go along it"),
            (("--input.mesh", "none.gii", *on[2:], *HEAT), "none.gii (no such file)"),
            (("--input.mesh", mesh, "--input.measures", self.folder / "short.npy", *HEAT), "7 values, and the surface"),
            (("--input.measures", f"{SPHERE}&count=2", *HEAT), "set input.mesh = FILE"),
            (("--input.measures", "synthetic:ellipse?n=8&count=2", *HEAT), "it goes along a surface"),
            ((*on, *HEAT, "--cost.radius", "5"), "cost.radius"),
            ((*on, *HEAT, "--cost.type", "euclidean"), "heat stands for geodesic costs"),
            ((*on, *HEAT, "--input.mask", self.folder / "short.npy"), "7 values"),
            ((*on[2:], "--input.mask", name), "input.mesh names none"),
            ((*on, *HEAT, "--barycenter.method", "free_support"), "lives on its vertices"),
            ((*on, *GEODESIC, "--cost.radius", "1.5", *PLAIN), "no balanced plan exists"),
        ]
        for arguments, text in cases:
            for ranks in (1, 3):
                with self.subTest(text=text, ranks=ranks):
                    self.assertIn(text, self.refused(*arguments, ranks=ranks))
        numpy.save(self.folder / "both.npy", numpy.concatenate([self.maps[0], self.maps[1]]))
        both, two = self.folder / "both.npy", ("--input.mesh", f"{mesh},{mesh}", *HEAT)
        for ranks in (1, 3):
            message = self.refused(*two, "--input.measures", f"{both},{both}", "--input.target", both, "--coordinates.loss",
                                   "wasserstein", program="hpot-coordinates", ranks=ranks)
            self.assertIn("components", message)
        pair = ("--input.mesh", mesh, "--input.source", name, "--input.target", self.folder / "map1.npy")
        for more, text in (((*GEODESIC, "--cost.radius", "1.5"), "no balanced plan exists"),
                           ((*GEODESIC, "--output.map", "true"), "output.map"), ((*HEAT, "--epsilon.unit", "mean_cost"), "mean_cost")):
            self.assertIn(text, self.refused(*pair, *more, program="hpot-sinkhorn"))

    def test_effect_maps_on_fsaverage(self):
        """Thinner cortex in five diseases (ENIGMA): minus the effects, of which negative values count as zero."""
        data = programs.real_data()
        if data is None:
            self.skipTest("skipped: no data")
        labels = numpy.loadtxt(data / "surfaces/enigma/aparc_fsa5.csv", dtype=int)[:10242]  # the left hemisphere's
        regions = [label for label in range(1, 36) if label != 4]  # no corpus callosum
        for path in sorted((data / "surfaces/enigma").glob("*_CortThick*.csv")):
            with open(path) as file:
                effects = [float(row["d_icv"]) for row in csv.DictReader(file) if row["Structure"].startswith("L_")]
            values = numpy.full(10242, numpy.nan)
            for label, effect in zip(regions, effects, strict=True):
                values[labels == label] = -effect
            numpy.save(self.folder / f"{path.name.split('_')[0]}.npy", values)
        numpy.save(self.folder / "mask", numpy.isin(labels, regions))
        maps = sorted(path for path in self.folder.glob("*.npy") if path.name != "mask.npy")
        self.assertEqual(len(maps), 5)
        found, attributes, _ = self.barycenter(
            data / "surfaces/fsaverage5_left/white_left.gii.gz", ",".join(map(str, maps)), "--kernel.type", "heat", "--input.mask",
            self.folder / "mask.npy", "--epsilon.target", "12", "--input.negative", "clip", "--stopping.tolerance", "1e-2", timeout=600)
        self.assertLess(abs(found.sum() - 1.0), 1e-12)
        self.assertTrue((found[~numpy.isin(labels, regions)] == 0).all() and (found >= 0).all())
        self.assertGreater(attributes["clipped_values"], 0)

    def test_barycenters_by_heat_and_by_geodesics_are_near_one_another(self):
        """An upper bound of W2 in mean edges, with few steps and with many."""
        apart = {}
        maps = f"{SPHERE}&count=4"
        between = "--cost.type", "geodesic", "--epsilon.target", "0.1", "--stopping.tolerance", "1e-5"
        for name, *kernel in (("geodesic", "--cost.type", "geodesic"), ("few", "--kernel.type", "heat"),
                              ("many", "--kernel.type", "heat", "--kernel.heat_steps", "100")):
            self.barycenter(SPHERE, maps, "--epsilon.target", "12", *kernel)
            (self.folder / "result1.func.gii").rename(self.folder / f"{name}.func.gii")
            if name == "geodesic":
                continue
            path = self.succeed("hpot-sinkhorn", "--input.mesh", SPHERE, "--input.source", self.folder / "geodesic.func.gii",
                                "--input.target", self.folder / f"{name}.func.gii", *between)
            with h5py.File(path) as file:
                apart[name] = file.attrs["upper_cost"] ** 0.5 / file["support"].attrs["mean_edge"]
        self.assertLess(apart["few"], 0.6, apart)
        self.assertLess(apart["many"], 0.85 * apart["few"], apart)

    def test_a_radius_beyond_all_ways_of_mass_changes_nothing_though_it_ends_before_some_vertices(self):
        for k in (0, 1):
            caps = numpy.exp(-((self.points - self.points[[0, 40][k]]) ** 2).sum(1) / 40)
            caps[caps < 0.1] = 0.0
            numpy.save(self.folder / f"cap{k}.npy", caps)
        mesh = self.surface("cap.gii", "ASCII")
        maps = ",".join(str(self.folder / f"cap{k}.npy") for k in (0, 1))
        found = {}
        for radius in ("none", "50", "51"):
            for ranks in (1, 2):
                found[radius, ranks], attributes, _ = self.barycenter(mesh, maps, "--cost.type", "geodesic", "--epsilon.target", "1",
                                                                     "--cost.radius", radius, "--stopping.tolerance", "1e-8", ranks=ranks)
                self.assertLess(attributes["error_floor"], 1e-9)
        for radius in ("50", "51"):
            self.assertLess(numpy.abs(found[radius, 1] - found[radius, 2]).sum(), 1e-12)
            self.assertLess(numpy.abs(found[radius, 1] - found["none", 1]).sum(), 1e-6, radius)

    def test_memory_plan_counts_the_factor(self):
        sphere = "synthetic:sphere?subdivisions=5"
        path = self.succeed("hpot-barycenter", "--input.mesh", sphere, "--input.measures", f"{sphere}&count=2", *HEAT, *PLAIN,
                            "--stopping.tolerance", "0.05", "--kernel.heat_steps", "3", "--acceleration.type", "none")
        with h5py.File(path) as file:
            planned, taken = file.attrs["memory_planned"], file.attrs["memory_growth_max"]
        self.assertLess(abs(taken / planned - 1.0), 0.2, f"{planned} {taken}")


if __name__ == "__main__":
    unittest.main()
