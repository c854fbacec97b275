"""Runs that are stopped, killed or short of disk go on from their checkpoint and end with the bits of the run that was not;
checkpoints that do not fit are refused. HPOT_TEST_KILLS: how many kills (13)."""
import contextlib
import itertools
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import time
import unittest

import programs
from programs import h5py, numpy

KILLS = int(os.environ.get("HPOT_TEST_KILLS", "13"))
QUIET = ("--output.progress", "none")
FREE = ("hpot-barycenter", "--input.measures", "synthetic:points?shape=sphere&n=60&count=3&weights=random",
        "--epsilon.unit", "cost", "--epsilon.target", "0.02", "--stopping.tolerance", "1e-3", "--barycenter.weights",
        "1,2,3;1,1,0", "--barycenter.method")
DICTIONARY = ("--input.measures", "synthetic:ellipse?n=12&count=12&seed=5&hollow=1", "--dictionary.atoms", "3",
              "--dictionary.sweeps", "10", "--epsilon.target", "4")


def pair(family, n, m=None):
    return ("--input.source", f"synthetic:{family}?seed=1&n={n}&item=0", "--input.target",
            f"synthetic:{family}?seed=1&n={m or n}&item=1")


FILES = tempfile.TemporaryDirectory(prefix="hpot-restart-test-")
SIGNED = [f"{FILES.name}/{name}.npy" for name in ("a", "b")]
for name in SIGNED:
    numpy.save(name, numpy.random.default_rng(SIGNED.index(name)).standard_normal((24, 20)).cumsum(0))

WORDS = (f"{FILES.name}/words.npy?stack=1", f"{FILES.name}/costs.npy")
numpy.save(f"{FILES.name}/words.npy", numpy.random.default_rng(5).random((9, 130)) ** 6)
PLACES = numpy.random.default_rng(6).random((130, 3))
numpy.save(f"{FILES.name}/costs.npy", ((PLACES[:, None] - PLACES) ** 2).sum(2))

RUNS = {  # every way to run a program with a checkpoint
    "barycenter": ("hpot-barycenter", "--input.measures", "synthetic:phantom?n=12&count=3", "--epsilon.target", "4",
                   "--acceleration.type", "anderson", "--barycenter.weights", "1,1,1;1,2,3"),
    "plain barycenter": ("hpot-barycenter", "--input.measures", "synthetic:phantom?n=12&count=3", "--epsilon.target", "4",
                         "--barycenter.method", "plain", "--acceleration.type", "momentum"),
    "unbalanced barycenter": ("hpot-barycenter", "--input.measures", "synthetic:phantom?n=12&count=3", "--epsilon.target",
                              "4", "--penalty.measures", "kl:20", "--input.normalize", "false"),
    "barycenter of bounded entropy": ("hpot-barycenter", "--input.measures", "synthetic:phantom?n=12&count=3",
                                      "--epsilon.target", "4", "--barycenter.method", "entropy_bounded"),
    "barycenter smoothed by total variation": ("hpot-barycenter", "--input.measures", "synthetic:ellipse?n=24&count=3",
                                               "--epsilon.target", "4", "--barycenter.tv", "1", "--parallel.batches", "1"),
    "free support": (*FREE, "free_support"),
    "debiased free support": (*FREE, "debiased_free_support"),
    "transport": ("hpot-sinkhorn", *pair("phantom", 14), "--sinkhorn.divergence", "true"),
    "both signs": ("hpot-sinkhorn", "--input.source", SIGNED[0], "--input.target", SIGNED[1], "--input.negative", "split"),
    "newton": ("hpot-sinkhorn", *pair("waves", 48), "--epsilon.target", "0.25", "--stopping.tolerance",
               "1e-8"),
    "newton in heaps": ("hpot-sinkhorn", "--input.source", "synthetic:points?dim=3&shape=clusters&n=400&item=0",
                        "--input.target", "synthetic:points?dim=3&shape=clusters&n=300&item=1", "--epsilon.target", "9",
                        "--acceleration.finish", "newton"),
    "clouds": ("hpot-sinkhorn", *pair("points", 900, 800), "--penalty.target", "kl:10"),
    "truncated clouds": ("hpot-sinkhorn", *pair("points", 1200, 1000), "--kernel.type", "truncated",
                         "--sinkhorn.divergence", "true", "--epsilon.unit", "cost", "--epsilon.target", "0.01"),
    "matrix": ("hpot-sinkhorn", "--input.source", "synthetic:waves?dim=1&n=300&item=0", "--input.target",
               "synthetic:waves?dim=1&n=250&item=1", "--cost.type", "matrix", "--cost.matrix",
               "synthetic:words?n=300&m=250&dim=20&topics=9", "--epsilon.unit", "max_cost", "--epsilon.target", "0.01"),
    "distances": ("hpot-sinkhorn", "--input.measures", "synthetic:ellipse?n=20&count=5", "--sinkhorn.divergence", "true",
                  "--stopping.tolerance", "1e-6"),
    "distances of clouds": ("hpot-sinkhorn", "--input.source", "synthetic:points?n=150&item=0", "--input.target",
                            "synthetic:points?n=150&count=5", "--epsilon.unit", "cost", "--epsilon.target", "0.01"),
    "coordinates": ("hpot-coordinates", "--input.measures", "synthetic:phantom?n=20&count=4", "--input.target",
                    "synthetic:phantom?n=20&item=4", "--epsilon.target", "4", "--stopping.tolerance", "1e-8",
                    "--coordinates.sweeps", "20"),
    "dictionary": ("hpot-dictionary", *DICTIONARY, "--dictionary.memory", "2", "--stopping.tolerance", "3e-3"),
    "dictionary by a matrix": ("hpot-dictionary", "--input.measures", WORDS[0], "--cost.type", "matrix", "--cost.matrix",
                               WORDS[1], "--epsilon.unit", "max_cost", "--epsilon.target", "0.1", "--dictionary.atoms", "3",
                               "--dictionary.sweeps", "10", "--dictionary.memory", "2", "--stopping.tolerance", "2e-2"),
    "coordinates by a matrix": ("hpot-coordinates", "--input.measures", WORDS[0], "--input.target",
                                WORDS[0].replace("stack=1", "stack=1&item=0"), "--cost.type", "matrix", "--cost.matrix",
                                WORDS[1], "--epsilon.unit", "max_cost", "--epsilon.target", "0.1", "--stopping.tolerance",
                                "1e-6"),
    "coordinates on a surface": ("hpot-coordinates", "--input.mesh", "synthetic:sphere?subdivisions=2", "--input.measures",
                                 "synthetic:sphere?subdivisions=2&count=3", "--input.target",
                                 "synthetic:sphere?subdivisions=2&item=5", "--kernel.type", "heat", "--epsilon.target", "4",
                                 "--coordinates.sweeps", "20", "--stopping.tolerance", "1e-6"),
    "dictionary on a surface": ("hpot-dictionary", "--input.mesh", "synthetic:sphere?subdivisions=2", "--input.measures",
                                "synthetic:sphere?subdivisions=2&count=5", "--cost.type", "geodesic", "--epsilon.target", "4",
                                "--dictionary.atoms", "2", "--dictionary.sweeps", "8", "--stopping.tolerance", "1e-2"),
    "dictionary of batches": ("hpot-dictionary", *DICTIONARY, "--dictionary.batch", "5", "--stopping.tolerance", "0.1"),
}
UNEQUAL = {"seconds", "memory_growth_max", "config"}  # config names output.file


def contents(path):
    """Everything in a result but times: {name: bytes or value}."""
    found = {}

    def take(name, item):
        for key, value in item.attrs.items():
            if key not in UNEQUAL:
                found[f"{name}@{key}"] = numpy.asarray(value).tolist()
        if isinstance(item, h5py.Dataset):
            value = item[()]
            if value.dtype.names:
                value = value[[column for column in value.dtype.names if column != "seconds"]]
                found[name] = value.tolist()
            else:
                found[name] = value.tobytes()

    with h5py.File(path) as file:
        take("/", file)
        file.visititems(take)
    return found


def descendants(pid):
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                pass
    found = [pid]
    for candidate in found:
        found += [child for child, parent in parents.items() if parent == candidate]
    return found


def start(program, *arguments, ranks=1):
    command, environment = programs.command(program, *arguments, ranks=ranks)
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ranks_of(process):
    """The programs themselves, without mpirun."""
    return [pid for pid in descendants(process.pid) if "hpot-" in os.path.basename(os.readlink(f"/proc/{pid}/exe"))]


class Restart(programs.DriverTest):
    def arguments(self, run, name, *more):
        return (*RUNS[run][1:], *QUIET, "--output.file", self.folder / f"{name}.h5", *more)

    def whole(self, run, ranks):
        done = programs.run(RUNS[run][0], *self.arguments(run, "whole"), ranks=ranks)
        self.assertEqual(done.code, 0, done.err)
        return contents(self.folder / "whole.h5")

    def assert_same_as_whole(self, name, whole):
        self.assertEqual(contents(self.folder / f"{name}.h5"), whole)
        self.assertFalse((self.folder / f"{name}.checkpoint.h5").exists())
        self.assertEqual([p.name for p in self.folder.iterdir() if ".tmp." in p.name], [])

    def test_time_limit_keeps_the_state_and_the_restart_has_the_bits_of_the_whole_run(self):
        for run, ranks, larger in (("barycenter", 2, "n=20"), ("transport", 1, "n=40"), ("coordinates", 2, "n=20"),
                                   ("dictionary", 2, "n=20"), ("dictionary of batches", 2, "n=20")):
            with self.subTest(run=run, ranks=ranks):
                program, *inputs = [text.replace("n=12", larger).replace("n=14", larger) for text in RUNS[run]]
                done = programs.run(program, *inputs, *QUIET, "--output.file", self.folder / "whole.h5", ranks=ranks)
                self.assertEqual(done.code, 0, done.err)
                codes = []
                while not codes or codes[-1] == 4:
                    limit = 0.3 * 1.7 ** len(codes) if codes else 0.01  # the first is over before any solve is
                    done = programs.run(program, *inputs, *QUIET, "--output.file", self.folder / "parts.h5", "--restart",
                                        "auto", "--stopping.time_limit", str(limit), ranks=ranks)
                    codes.append(done.code)
                    if done.code == 4:
                        self.assertIn("--restart", done.err)
                    self.assertLess(len(codes), 30)
                self.assertEqual(codes[-1], 0, done.err)
                self.assertGreater(len(codes), 1)
                self.assert_same_as_whole("parts", contents(self.folder / "whole.h5"))

    def test_signals_keep_the_state(self):
        for number in (signal.SIGUSR1, signal.SIGTERM):
            for ranks in (1, 2):
                with self.subTest(signal=number, ranks=ranks):
                    arguments = self.arguments("barycenter", "signalled", "--stopping.tolerance", "1e-13")
                    process = start("hpot-barycenter", *arguments, ranks=ranks)
                    time.sleep(1.5)
                    os.kill(ranks_of(process)[-1], number)
                    _, err = process.communicate(timeout=60)
                    self.assertEqual(process.returncode, 4, err)
                    self.assertIn("interrupted", err)
                    with h5py.File(self.folder / "signalled.h5") as file:
                        self.assertEqual(file.attrs["stop_reason"], "interrupted")
                    checkpoint = self.folder / "signalled.checkpoint.h5"
                    done = programs.run("hpot-barycenter", "--restart", checkpoint, "--stopping.tolerance", "1e-2",
                                        ranks=ranks)
                    self.assertEqual(done.code, 0, done.err)
                    self.assertFalse(checkpoint.exists())

    def goes_on_with_more_sweeps(self, program, sweeps, *inputs):
        first = programs.run(program, *inputs, *QUIET, "--output.file", self.folder / "more.h5",
                             "--stopping.max_iterations", str(sweeps))
        self.assertEqual(first.code, 3, first.err)
        again = programs.run(program, "--restart", self.folder / "more.checkpoint.h5", *QUIET,
                             "--stopping.max_iterations", "5000")
        self.assertEqual(again.code, 0, again.err)
        alone = programs.run(program, *inputs, *QUIET, "--output.file", self.folder / "alone.h5",
                             "--stopping.max_iterations", "5000")
        self.assertEqual(alone.code, 0, alone.err)
        self.assertEqual(contents(self.folder / "more.h5"), contents(self.folder / "alone.h5"))

    def test_a_run_out_of_sweeps_goes_on_with_more(self):
        for run, sweeps in (("unbalanced barycenter", 20), ("newton", 20), ("newton in heaps", 60), ("clouds", 20), ("matrix", 20),
                            ("coordinates", 3), ("dictionary", 20), ("dictionary of batches", 3)):
            with self.subTest(run=run):
                program, *inputs = RUNS[run]
                self.goes_on_with_more_sweeps(program, sweeps, *inputs)

    def test_every_acceleration_goes_on_with_its_memory(self):
        images = ("--input.source", "synthetic:ellipse?n=24&item=0", "--input.target", "synthetic:ellipse?n=24&item=1")
        for mixing in ("none", "momentum", "overrelaxation", "anderson"):
            with self.subTest(mixing=mixing):
                self.goes_on_with_more_sweeps("hpot-sinkhorn", 42, *images, "--stopping.tolerance", "1e-6",
                                              "--acceleration.finish", "none", "--acceleration.type", mixing)

    def test_a_run_stopped_among_newton_steps_goes_on_with_their_bits(self):
        pair = ("--input.source", "synthetic:waves?n=32&item=0", "--input.target", "synthetic:waves?n=32&item=1",
                "--epsilon.target", "0.25", "--stopping.tolerance", "1e-10", *QUIET)
        for ranks in (1, 2):
            done = programs.run("hpot-sinkhorn", *pair, "--output.file", self.folder / "whole.h5", ranks=ranks)
            self.assertEqual(done.code, 0, done.err)
            whole = contents(self.folder / "whole.h5")
            with h5py.File(self.folder / "whole.h5") as file:
                iterations = file["history"]["iteration"]
                self.assertLess(file.attrs["gap"], 1e-7)
            steps = numpy.nonzero(numpy.diff(iterations) > 5)[0]  # more than a sweep between two entries
            self.assertGreater(len(steps), 2)
            for step in steps[:-1]:
                limit = str(iterations[step + 1])
                first = programs.run("hpot-sinkhorn", *pair, "--output.file", self.folder / "parts.h5",
                                     "--stopping.max_iterations", limit, ranks=ranks)
                self.assertEqual(first.code, 3, first.err)
                again = programs.run("hpot-sinkhorn", "--restart", self.folder / "parts.checkpoint.h5", *QUIET,
                                     "--stopping.max_iterations", "20000", ranks=ranks)
                self.assertEqual(again.code, 0, again.err)
                self.assert_same_as_whole("parts", whole)

    def kill_at_random(self, process, seconds):
        """True when it was killed, within `seconds`; else it ended well by itself."""
        try:
            _, err = process.communicate(timeout=seconds)
            self.assertEqual(process.returncode, 0, err)
            return False
        except subprocess.TimeoutExpired:
            for pid in descendants(process.pid):
                with contextlib.suppress(ProcessLookupError):  # it ended by itself, or by its parent's death
                    os.kill(pid, signal.SIGKILL)
            process.communicate()
            return True

    def test_killed_runs_end_with_the_bits_of_the_whole_run(self):
        chance = random.Random(1)
        first = [(run, chance.choice((1, 2))) for run in RUNS]
        turns = [*first, *((run, 3 - ranks) for run, ranks in first)]
        most = -(-KILLS // len(turns))  # of one run
        kills = 0
        for run, ranks in itertools.cycle(turns):
            if kills >= KILLS:
                break
            begin = time.monotonic()
            whole = self.whole(run, ranks)
            seconds = 1.2 * (time.monotonic() - begin)
            for turn in range(most + 1):
                every = chance.choice(("0", "0.02")) if turn < most else "0.2"
                process = start(RUNS[run][0], *self.arguments(run, "killed", "--restart", "auto", "--checkpoint.every",
                                                             every), ranks=ranks)
                killed = self.kill_at_random(process, chance.uniform(0.1, seconds) if turn < most else 300)
                for path in self.folder.glob("killed*.h5"):  # whatever has its name is whole
                    with h5py.File(path) as file:
                        if ".checkpoint." in path.name:
                            self.assertEqual(len(file["header/sha256"][0]), 64)
                        else:
                            self.assertTrue(len(file.attrs) > 0, path.name)
                if not killed:
                    break
                kills += 1
                seconds *= 1.1
            with self.subTest(run=run, ranks=ranks, kills=kills):
                self.assertFalse(killed)
                self.assert_same_as_whole("killed", whole)
            if KILLS > 100:
                print(f"{kills} kills: {run} on {ranks} ranks, {turn} of them", flush=True)

    def interrupted(self, ranks=1):
        """A checkpoint of the transport to go on from."""
        done = programs.run("hpot-sinkhorn", *self.arguments("transport", "stopped", "--stopping.time_limit", "0.01"),
                            ranks=ranks)
        self.assertEqual(done.code, 4, done.err)
        return self.folder / "stopped.checkpoint.h5"

    def assert_refused(self, checkpoint, *more, saying, program="hpot-sinkhorn", ranks=1):
        before = sorted(self.folder.iterdir())
        done = programs.run(program, "--restart", checkpoint, *more, ranks=ranks)
        self.assertEqual(done.code, 2, done.out + done.err)
        self.assertEqual(len(done.messages()), 1, done.err)
        self.assertIn(saying, done.messages()[0])
        self.assertEqual(sorted(self.folder.iterdir()), before)

    def test_checkpoints_that_do_not_fit_are_refused(self):
        for ranks in (1, 3):
            good = self.interrupted(ranks=ranks)
            self.assert_refused(self.folder / "none.h5", saying="there is no such file", ranks=ranks)
            self.assert_refused(self.folder / "stopped.h5", saying="no checkpoint", ranks=ranks)
            self.assert_refused(good, "--epsilon.target", "7", saying="epsilon.target", ranks=ranks)
            self.assert_refused(good, program="hpot-barycenter", saying="stopped.checkpoint.h5", ranks=ranks)
            self.assert_refused(good, saying="start as many ranks as before", ranks=2)
        text = self.folder / "text.h5"
        text.write_text("no HDF5")
        self.assert_refused(text, saying="no checkpoint")

    def test_inputs_that_changed_are_refused(self):
        table = self.folder / "a.csv"
        table.write_text("1,2,3,4\n")
        inputs = ("--input.source", table, "--input.target", table)
        done = programs.run("hpot-sinkhorn", *inputs, "--output.file", self.folder / "stopped.h5",
                            "--stopping.max_iterations", "1", "--stopping.tolerance", "1e-14")
        self.assertEqual(done.code, 3, done.err)
        table.write_text("1,2,3,5\n")
        self.assert_refused(self.folder / "stopped.checkpoint.h5", saying="the inputs have changed")

    def test_damaged_checkpoints_are_refused(self):
        undamaged = self.folder / "undamaged.h5"
        self.interrupted(ranks=2).rename(undamaged)
        good = undamaged.read_bytes()
        bad = self.folder / "bad.h5"
        chance = random.Random(2)
        for size in (0, 7, len(good) // 2, len(good) - 1):
            bad.write_bytes(good[:size])
            done = programs.run("hpot-sinkhorn", "--restart", bad, *QUIET, ranks=2)
            self.assertEqual((done.code, len(done.messages())), (2, 1), done.err)
        refused = 0
        for _ in range(10):
            damaged = bytearray(good)
            damaged[chance.randrange(len(good))] ^= 1 << chance.randrange(8)
            bad.write_bytes(damaged)
            done = programs.run("hpot-sinkhorn", "--restart", bad, *QUIET, "--stopping.max_iterations", "10",
                                "--stopping.time_limit", "none", ranks=2)
            if done.code == 2:
                refused += 1
                self.assertEqual(len(done.messages()), 1, done.err)
            else:  # a byte that holds nothing: unused space of the file
                self.assertEqual(done.code, 3, done.err)
                with h5py.File(bad) as one, h5py.File(undamaged) as other:
                    names = []
                    other.visit(names.append)
                    datasets = [name for name in names if isinstance(other[name], h5py.Dataset)]
                    self.assertGreater(len(datasets), 10)
                    for name in datasets:
                        numpy.testing.assert_array_equal(one[name][()], other[name][()])
        self.assertGreater(refused, 0)

    @unittest.skipUnless(os.geteuid() == 0, "only root can make a small file system")
    def test_full_disk_ends_the_run_and_leaves_the_older_checkpoint(self):
        disk = self.folder / "disk"
        disk.mkdir()
        for ranks in (1, 2):
            older = self.interrupted(ranks=ranks)
            before = older.read_bytes()
            pages = len(before) // 4096 + 64
            if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={4 * pages}k", "tmpfs", disk],
                              capture_output=True).returncode:
                self.skipTest("mount is not permitted here")
            try:
                name = disk / "small.checkpoint.h5"
                name.write_bytes(before)
                (disk / "filler").write_bytes(bytes(max(0, os.statvfs(disk).f_bavail - 4) * 4096))
                done = programs.run("hpot-sinkhorn", "--restart", older, *QUIET, "--checkpoint.file", name,
                                    "--checkpoint.every", "0", "--stopping.time_limit", "none", ranks=ranks)
                self.assertEqual(done.code, 2, done.out + done.err)
                self.assertEqual(len(done.messages()), 1, done.err)
                self.assertIn("small.checkpoint.h5", done.messages()[0])
                self.assertIn("No space left", done.messages()[0])
                self.assertEqual(name.read_bytes(), before)
                self.assertEqual(sorted(p.name for p in disk.iterdir()), ["filler", "small.checkpoint.h5"])
            finally:
                subprocess.run(["umount", disk], check=True)


if __name__ == "__main__":
    unittest.main()
