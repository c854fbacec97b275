"""Runs HPOT's programs the way a user does. Shared by the driver tests.

ctest sets HPOT_BIN (folder of the programs), HPOT_SOURCE_DIR and HPOT_MPIEXEC.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import h5py
    import nibabel
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)  # ctest: skipped

SOURCE = pathlib.Path(os.environ.get("HPOT_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BIN = pathlib.Path(os.environ.get("HPOT_BIN", SOURCE / "build" / "drivers"))
MPIEXEC = os.environ.get("HPOT_MPIEXEC", "mpirun")
PROGRAMS = ("hpot-sinkhorn", "hpot-barycenter")


class Run:
    """What a finished program left: exit code, stdout, stderr, seconds."""

    def __init__(self, program, code, out, err, seconds):
        self.program, self.code, self.out, self.err, self.seconds = program, code, out, err, seconds

    def messages(self):
        """Lines of stderr that the program itself begins with its name; mpirun adds others."""
        return [line for line in self.err.splitlines() if line.startswith(self.program + ":")]


def command(program, *arguments, ranks=1, odd_rank=None):
    """(argv, environment). `odd_rank` changes what rank 1 is: options of mpirun and a command that wraps the program."""
    argv = [str(BIN / program), *map(str, arguments)]
    several = [MPIEXEC, "--oversubscribe", "--bind-to", "none"]
    if odd_rank is not None:
        options, wrapper = odd_rank
        argv = [*several, "-n", "1", *argv, ":", *map(str, options), "-n", "1", *wrapper, *argv, ":",
                "-n", str(ranks - 2), *argv]
    elif ranks > 1:
        argv = [*several, "-n", str(ranks), *argv]
    return argv, dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                      OMPI_MCA_mca_base_param_files=str(SOURCE / "tests" / "openmpi.conf"))


def run(program, *arguments, ranks=1, odd_rank=None, cwd=SOURCE, timeout=100):
    argv, environment = command(program, *arguments, ranks=ranks, odd_rank=odd_rank)
    start = time.monotonic()
    done = subprocess.run(argv, cwd=cwd, env=environment, timeout=timeout, capture_output=True, text=True)
    return Run(program, done.returncode, done.stdout, done.stderr, time.monotonic() - start)


def real_data():
    """The folder of real data, or None."""
    folder = pathlib.Path(os.environ.get("HPOT_DATA_DIR") or SOURCE.parent / "shared" / "data")
    return folder if folder.is_dir() else None


class DriverTest(unittest.TestCase):
    """A test with a folder of its own and assertions about runs and result files."""

    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="hpot-driver-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def succeed(self, program, *arguments, ranks=1, code=0, **more):
        """Runs into self.folder; returns the path of the result file."""
        result = self.folder / f"result{ranks}.h5"
        done = run(program, "--output.file", result, *arguments, ranks=ranks, **more)
        self.assertEqual(done.code, code, f"{done.out}\n{done.err}")
        self.assertEqual(done.messages(), [])
        return result

    def assert_equal_results(self, one, other, dataset, tolerance):
        """Largest difference, relative to the largest value."""
        with h5py.File(one) as a, h5py.File(other) as b:
            self.assertEqual(a[dataset].shape, b[dataset].shape)
            scale = numpy.abs(a[dataset][()]).max()
            self.assertLessEqual(numpy.abs(a[dataset][()] - b[dataset][()]).max(), tolerance * scale, dataset)

    def assert_barycenter(self, path, group="/"):
        """Non-negative, finite, of mass 1 to 1e-12, every row of weights."""
        with h5py.File(path) as file:
            values = file[group]["barycenter"][()]
            rows = file[group]["weights"].shape[0]
            self.assertTrue(numpy.isfinite(values).all())
            self.assertGreaterEqual(values.min(), 0.0)
            for row in values.reshape(rows, -1):
                self.assertLess(abs(row.sum() - 1.0), 1e-12)
        return values


def of_a_grid(folder, maps):
    """The arguments that are of maps (count, rows, columns) as images, and as entries of the matrix of their pixels' costs."""
    numpy.save(folder / "images.npy", maps)
    numpy.save(folder / "entries.npy", maps.reshape(len(maps), -1))
    places = numpy.stack(numpy.meshgrid(*map(numpy.arange, maps.shape[1:]), indexing="ij"), -1).reshape(-1, 2)
    numpy.save(folder / "costs.npy", ((places[:, None] - places) ** 2).sum(2).astype(float))
    matrix = ("--cost.type", "matrix", "--cost.matrix", folder / "costs.npy", "--epsilon.unit", "cost")
    return ((f"{folder}/images.npy?stack=1", ("--epsilon.unit", "cost")), (f"{folder}/entries.npy?stack=1", matrix))


def png_size(path):
    """(width, height) from the header; the signature is checked."""
    data = pathlib.Path(path).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", path
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
