"""Colours transported from one picture to another, as users do it: two PNG pictures in, one out. JPEG is tests/io's."""
import struct
import unittest
import zlib

import programs
from programs import h5py, numpy

WHOLE = "?as=colors&pixels=1000000"


def write_png(path, pixels):
    """8-bit RGB, (height, width, 3)."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


def predicted(kind, left, up, corner):
    """What a PNG row's filter adds to its bytes."""
    if kind == 4:
        guess = left + up - corner
        distances = [abs(guess - value) for value in (left, up, corner)]
        return (left, up, corner)[distances.index(min(distances))]
    return (0, left, up, (left + up) // 2)[kind]


def read_png(path):
    """(height, width, 3) of an 8-bit RGB file."""
    data, packed, at = path.read_bytes(), b"", 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        content = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", content[:10])
        packed += content if kind == b"IDAT" else b""
        at += 12 + size
    assert (depth, colour) == (8, 2), path
    rows = numpy.frombuffer(zlib.decompress(packed), numpy.uint8).reshape(height, 1 + 3 * width)
    pixels = numpy.zeros((height + 1, 3 * width + 3), int)  # a row above and a pixel to the left
    for y, row in enumerate(rows, start=1):
        for x, value in enumerate(row[1:], start=3):
            near = pixels[y, x - 3], pixels[y - 1, x], pixels[y - 1, x - 3]
            pixels[y, x] = (int(value) + predicted(row[0], *near)) % 256
    return pixels[1:, 3:].reshape(height, width, 3)


def gradients(height, width, low, high, seed):
    """Colours from `low` to `high` along a diagonal, each with a little noise of its own."""
    y, x = numpy.mgrid[0:1:height * 1j, 0:1:width * 1j]
    share = ((x + y) / 2)[..., None] + 0.05 * numpy.random.default_rng(seed).normal(size=(height, width, 3))
    return (numpy.array(low) + share.clip(0, 1) * (numpy.array(high) - low)).round().astype(numpy.uint8)


class Colors(programs.DriverTest):
    def setUp(self):
        super().setUp()
        self.reds = write_png(self.folder / "reds.png", gradients(20, 24, (120, 10, 0), (250, 140, 60), 1))
        self.blues = write_png(self.folder / "blues.png", gradients(22, 18, (10, 40, 110), (90, 200, 255), 2))

    def moved(self, source, target, *more, epsilon=1e-4, ranks=1, name="moved.png"):
        path = self.folder / name
        self.succeed("hpot-sinkhorn", "--input.source", source, "--input.target", target, "--epsilon.unit", "cost",
                     "--epsilon.target", epsilon, "--output.colors", path, *more, ranks=ranks)
        return path

    def refuse(self, source, target, *more, fragments):
        for ranks in (1, 2):
            done = programs.run("hpot-sinkhorn", "--input.source", source, "--input.target", target, "--output.file",
                                self.folder / "refused.h5", *more, ranks=ranks)
            self.assertEqual(done.code, 2, done.err)
            self.assertEqual(len(done.messages()), 1, done.err)
            for fragment in fragments:
                self.assertIn(fragment, done.messages()[0])
            self.assertFalse((self.folder / "refused.h5").exists())

    def test_picture_takes_the_targets_colours_and_keeps_its_shape_on_any_number_of_ranks(self):
        pair = f"{self.reds}{WHOLE}", f"{self.blues}{WHOLE}"
        one, two = [self.moved(*pair, ranks=ranks, name=f"moved{ranks}.png") for ranks in (1, 2)]
        self.assertEqual(one.read_bytes(), two.read_bytes())
        moved, blues = read_png(one), read_png(self.blues)
        self.assertEqual(moved.shape, (20, 24, 3))
        means = [picture.reshape(-1, 3).mean(axis=0) for picture in (moved, blues)]
        numpy.testing.assert_allclose(*means, atol=1.0)
        for channel in range(3):  # the spread too, but for the blur
            numpy.testing.assert_allclose(moved[..., channel].std(), blues[..., channel].std(), rtol=0.1)
        with h5py.File(self.folder / "result1.h5") as file:
            self.assertEqual(file["support/source/points"].shape, (480, 3))

    def test_every_pixel_has_the_barycentric_map_of_its_colour_though_few_were_in_the_plan(self):
        path = self.moved(f"{self.reds}?as=colors&pixels=60", f"{self.blues}?as=colors&pixels=50", "--kernel.type",
                          "stored", epsilon=0.01)
        with h5py.File(self.folder / "result1.h5") as file:
            target, g, epsilon = file["support/target/points"][()], file["potentials/g"][()], file.attrs["epsilon"]
        self.assertEqual(target.shape, (50, 3))
        colours = read_png(self.reds).reshape(-1, 1, 3) / 255
        exponents = (g - ((colours - target) ** 2).sum(axis=-1)) / epsilon
        weights = numpy.exp(exponents - exponents.max(axis=1, keepdims=True))
        expected = 255 * (weights @ target) / weights.sum(axis=1, keepdims=True)
        self.assertLess(numpy.abs(read_png(path).reshape(-1, 3) - expected).max(), 0.5 + 1e-6)

    def test_colours_go_a_share_of_their_way(self):
        pair = f"{self.reds}{WHOLE}", f"{self.blues}{WHOLE}"
        before, after, half, none = [read_png(path).astype(float) for path in (
            self.reds, self.moved(*pair, name="all.png"), self.moved(*pair, "--output.colors_share", "0.5", name="half.png"),
            self.moved(*pair, "--output.colors_share", "0", name="none.png"))]
        numpy.testing.assert_array_equal(none, before)
        self.assertLessEqual(numpy.abs(half - (before + after) / 2).max(), 0.75)  # two roundings
        self.assertGreater(numpy.abs(after - before).max(), 50)

    def test_picture_moved_to_itself_stays_as_it_is_but_for_the_blur(self):
        moved = read_png(self.moved(*2 * (f"{self.reds}{WHOLE}",)))
        self.assertLess(numpy.abs(moved - read_png(self.reds)).max(), 255 * 2 * 1e-4**0.5)

    def test_every_colour_of_a_large_picture_is_moved(self):
        """More colours than are moved at once."""
        y, x = numpy.mgrid[0:270, 0:256]
        source = write_png(self.folder / "many.png", numpy.stack([x, y % 256, 60 + y // 9], axis=-1).astype(numpy.uint8))
        target = write_png(self.folder / "two.png", numpy.array([[[0, 0, 0], [255, 255, 255]]], numpy.uint8))
        pair = f"{source}?as=colors&pixels=100", f"{target}?as=colors"
        one, two = [self.moved(*pair, ranks=ranks, name=f"moved{ranks}.png") for ranks in (1, 2)]
        self.assertEqual(one.read_bytes(), two.read_bytes())
        moved = read_png(one)
        self.assertEqual(set(numpy.unique(moved[10, :20])), {0})  # dark stays dark, bright stays bright
        self.assertEqual(set(numpy.unique(moved[250, 240:])), {255})

    def test_colours_where_there_are_none_are_refused_before_anything_is_solved(self):
        reds, blues, grid = f"{self.reds}?as=colors", f"{self.blues}?as=colors", "synthetic:ellipse?n=16"
        colours = "--output.colors", self.folder / "moved.png"
        self.refuse(grid, grid, *colours, fragments=("output.colors", "?as=colors"))
        self.refuse(f"{self.reds}?as=points&channel=r", f"{self.blues}?as=points", *colours,
                    fragments=("output.colors", "?as=colors"))
        self.refuse(reds, blues, "--output.colors", "moved.jpg", fragments=("output.colors = moved.jpg", ".png"))
        self.refuse(reds, blues, "--output.colors", self.folder / "nowhere" / "a.png", fragments=("folder",))
        self.refuse(reds, f"{self.blues}?as=colors&pixels=0", *colours, fragments=("pixels = 0",))
        self.refuse(reds, f"{self.blues}?as=points", *colours, fragments=("blues.png",))
        self.assertFalse((self.folder / "moved.png").exists())

    def test_jpeg_that_is_none_is_refused(self):
        path = self.folder / "photograph.jpg"
        path.write_bytes(self.reds.read_bytes())
        self.refuse(f"{path}?as=colors", f"{self.blues}?as=colors", fragments=("photograph.jpg", "not a readable JPEG"))

    def test_photographs_by_day_become_sunsets(self):
        folder = programs.real_data()
        if folder is None or not (folder / "color" / "ocean_day.jpg").exists():
            self.skipTest("no data")
        day, sunset = (f"{folder / 'color' / name}?as=colors&pixels=400" for name in ("ocean_day.jpg", "ocean_sunset.jpg"))
        path = self.moved(day, sunset, epsilon=0.01)
        self.assertEqual(programs.png_size(path), (1000, 669))
        with h5py.File(self.folder / "result1.h5") as file:
            source, target = (file[f"support/{name}/points"][()].mean(axis=0) for name in ("source", "target"))
        self.assertLess(source[0], source[2])  # blue
        self.assertGreater(target[0], 2 * target[2])  # red

    def test_dry_run_counts_the_picture(self):
        pair = ("--input.source", f"{self.reds}?as=colors", "--input.target", f"{self.blues}?as=colors")
        done = programs.run("hpot-sinkhorn", *pair, "--output.colors", self.folder / "moved.png", "--dry-run")
        self.assertEqual(done.code, 0, done.err)
        self.assertFalse((self.folder / "moved.png").exists())


if __name__ == "__main__":
    unittest.main()
