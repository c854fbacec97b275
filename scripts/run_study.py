#!/usr/bin/python3
"""Runs a study of many jobs, each a run of one program; goes on where it was stopped; merges the results.

    scripts/run_study.py STUDY.ini [--launch 'mpirun -n 4']    all jobs that are not done, one after the other; then --merge
                                                               and the command study.after, where there is one
    scripts/run_study.py STUDY.ini --job 7                     this one only: an element of a job array
    scripts/run_study.py STUDY.ini --list | --count            names and states | how many there are
    scripts/run_study.py STUDY.ini --merge                     results so far into FOLDER.h5
    scripts/run_study.py STUDY.ini --section.key value ...     with other values of the study's keys, as the programs take theirs:
                                                               --study.folder results/mine --leave_one_out.measures 'maps/*.nii.gz'

The INI file is explained in configs/studies/pairs.ini, leave_one_out.ini and palettes.ini. A job is done when its result says so; one that was stopped goes on from
its checkpoint with the bits of a run that was not. SIGUSR1 and SIGTERM stop the job that runs, with its state kept.
Exit codes: 0 all done; 2 bad input; 3 a job did not converge; 4 stopped, go on with the same command; 1 a job failed.
"""
import argparse
import configparser
import fcntl
import glob
import hashlib
import itertools
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys

import h5py
import numpy

FINAL = ("converged", "max_iterations", "diverged")


def fail(place, why, what_to_do):
    sys.stderr.write(f"run_study.py: {place} ({why}) [{what_to_do}]\n")
    sys.exit(2)


def expand(text):
    """Names of a comma list: files that a glob finds, in order; {a..b} as numbers."""
    names = []
    for item in filter(None, (part.strip() for part in text.replace("\n", ",").split(","))):
        numbers = re.search(r"\{(\d+)\.\.(\d+)\}", item)
        if numbers:
            for number in range(int(numbers[1]), int(numbers[2]) + 1):
                names.append(item[: numbers.start()] + str(number) + item[numbers.end():])
        elif re.search(r"[*\[]", item) or ("?" in item and not item.startswith("synthetic:") and "=" not in item):
            found = sorted(glob.glob(item))
            if not found:
                fail(f"pairs.measures = {item}", "no such files", "check the pattern")
            names += found
        else:
            names.append(item)
    return names


def parts_of(file):
    """{prefix of its numbers' names: group} of a result: itself, or both parts of signed measures (input.negative = split)."""
    if "positive" not in file:
        return {"": file}
    return {f"{part}/": file[part] for part in ("positive", "negative")}


def overrides_of(arguments):
    """[(section, key, value)] of `--section.key value ...`; a key may have dots."""
    if len(arguments) % 2 or not all(re.fullmatch(r"--\w+\.\S+", key) for key in arguments[::2]):
        fail(" ".join(arguments), "neither an option of this script nor --section.key value", "see --help")
    return [(*key[2:].split(".", 1), value) for key, value in zip(arguments[::2], arguments[1::2])]


class Study:
    """[(name, arguments)] of all jobs, in the order of their numbers. Arguments that begin with a program are all that there is of
    this job; others follow the study's INI and options. A job may read files of those before it, {folder}/NAME.h5."""

    def __init__(self, path, overrides=()):
        parser = configparser.ConfigParser(comment_prefixes=("#",), interpolation=None, strict=True)
        parser.optionxform = str
        try:
            with open(path) as file:
                parser.read_file(file)
        except (OSError, configparser.Error) as error:
            fail(path, str(error).replace("\n", " "), "see configs/studies/pairs.ini")
        for section, key, value in overrides:
            if section not in parser:
                parser.add_section(section)
            parser[section][key] = value
        sections = ("study", "names", "pairs", "leave_one_out", "options", "jobs")
        unknown = set(parser.sections()) - set(sections)
        if unknown:
            fail(f"{path}: [{sorted(unknown)[0]}]", "unknown", f"sections are {', '.join(sections)}")
        study = dict(parser["study"]) if "study" in parser else {}
        for key in ("program", "config", "folder"):
            if not study.get(key):
                fail(f"{path}: study.{key}", "is required", "see configs/studies/pairs.ini")
        keys = ("program", "config", "folder", "after")
        if set(study) - set(keys):
            fail(f"{path}: study.{sorted(set(study) - set(keys))[0]}", "unknown key", f"keys are {', '.join(keys)}")
        self.program, self.config, self.folder = study["program"], study["config"], pathlib.Path(study["folder"])
        if not os.path.isfile(self.config):
            fail(f"{path}: study.config = {self.config}", "no such file", "name an INI file of the program")
        self.path, self.names = path, {"folder": str(self.folder)}
        for name, value in parser["names"].items() if "names" in parser else ():
            if not re.fullmatch(r"[A-Za-z_]\w*", name) or name in ("folder", "job"):
                fail(f"{path}: names.{name}", "names are letters, digits and _, and neither folder nor job", "choose another")
            self.names[name] = self.filled(" ".join(value.splitlines()))
        self.after = [self.filled(part) for part in shlex.split(study.get("after", ""))]
        self.options = [part for key, value in (parser["options"].items() if "options" in parser else ())
                        for part in ("--" + key, " ".join(value.splitlines()))]
        self.measures = expand(self.filled(parser.get("pairs", "measures", fallback="")))
        self.pairs = list(itertools.combinations(range(len(self.measures)), 2))
        width = len(str(max(len(self.measures) - 1, 0)))
        self.jobs = [(f"{a:0{width}}_{b:0{width}}", ["--input.source", self.measures[a], "--input.target", self.measures[b]])
                     for a, b in self.pairs]
        alone = expand(self.filled(parser.get("leave_one_out", "measures", fallback="")))
        width = len(str(max(len(alone) - 1, 0)))
        for k, target in enumerate(alone if len(alone) > 1 else ()):
            others = ", ".join(alone[:k] + alone[k + 1:])
            self.jobs.append((f"without_{k:0{width}}", ["--input.target", target, "--input.measures", others]))
        for name, text in parser["jobs"].items() if "jobs" in parser else ():
            if not re.fullmatch(r"[\w.-]+", name) or name in dict(self.jobs):
                fail(f"{path}: jobs.{name}", "names are letters, digits, _ . -, each once", "choose another name")
            self.jobs.append((name, [self.filled(part, job=name) for part in shlex.split(text)]))
        if not self.jobs:
            fail(path, "no jobs: pairs.measures and leave_one_out.measures name fewer than two, and [jobs] is empty",
                 "name some")

    def filled(self, text, **more):
        """`text` with the value of every {name} in it."""
        names = {**self.names, **more}

        def value(match):
            if match[1] not in names:
                fail(f"{self.path}: {match[0]}", "unknown name", f"names are {', '.join(names)}: [names] makes more")
            return names[match[1]]
        return re.sub(r"\{([A-Za-z_]\w*)\}", value, text)

    def result(self, name):
        return self.folder / f"{name}.h5"

    def run_of(self, name, own):
        """(program, arguments)."""
        program, arguments = self.program, own
        if own and own[0].startswith("hpot-"):
            program, *arguments = own
        else:
            options = [self.filled(part, job=name) for part in self.options]
            arguments = ["--config", self.config, *options, *own]
        return program, [*arguments, "--output.file", str(self.result(name)), "--restart", "auto"]

    def state(self, name, own):
        """done, not converged, stopped, changed (a result of other options or files), or missing."""
        try:
            with h5py.File(self.result(name), "r") as file:
                reasons = [part.attrs["stop_reason"] for part in parts_of(file).values()]
        except (OSError, KeyError):
            stopped = self.result(name).with_suffix(".checkpoint.h5").exists()
            return "stopped" if stopped else "missing"
        reasons = {reason.decode() if isinstance(reason, bytes) else reason for reason in reasons}
        if self.command_of(name) != self.command(name, own):
            return "changed"
        if not reasons <= set(FINAL):
            return "stopped"
        return "done" if reasons == {"converged"} else "not converged"

    def command(self, name, own):
        """What a result belongs to, as it is kept beside it: its command, the INI, and the same of jobs whose files it reads."""
        program, arguments = self.run_of(name, own)
        text = f"{program} {shlex.join(arguments)}\n"
        config = arguments[arguments.index("--config") + 1] if "--config" in arguments[:-1] else ""
        if os.path.isfile(config):
            text += f"# sha256 of {config}: {hashlib.sha256(pathlib.Path(config).read_bytes()).hexdigest()}\n"
        for other, others_own in self.before(name, own):
            result = self.result(other)
            made = f"{result.stat().st_mtime_ns} {result.stat().st_size}" if result.exists() else "missing"
            text += f"# after {other}, {made}: {hashlib.sha256(self.command(other, others_own).encode()).hexdigest()}\n"
        return text

    def before(self, name, own):
        """Jobs whose files this one reads."""
        read = [part for part in self.run_of(name, own)[1]
                if f"{self.folder}/" in part and not part.startswith(f"{self.folder}/{name}.")]
        if not read:  # of thousands of jobs nearly all
            return []
        return [job for job in self.jobs[:[other for other, _ in self.jobs].index(name)]
                if any(f"{self.folder}/{job[0]}." in part for part in read)]

    def command_of(self, name):
        try:
            return (self.folder / f"{name}.command").read_text()
        except OSError:
            return None


class Runner:
    def __init__(self, study, launch, bin_folder):
        self.study, self.launch, self.bin = study, shlex.split(launch), pathlib.Path(bin_folder)
        self.process, self.stopped = None, False
        for number in (signal.SIGUSR1, signal.SIGTERM):
            signal.signal(number, self.stop)

    def stop(self, *_):
        self.stopped = True
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGUSR1)

    def run(self, name, own):
        """Exit code of the job, 0 where it was done before; None where another process runs it."""
        study = self.study
        with open(study.folder / f"{name}.lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return None
            state = study.state(name, own)
            if state == "done":
                return 0
            if state == "not converged":
                return 3
            for other in study.before(name, own):
                if study.state(*other) not in ("done", "not converged"):
                    print(f"{name}: waits for {other[0]}, which is not done", flush=True)
                    return 1
            (program, arguments), command = study.run_of(name, own), study.command(name, own)
            if study.command_of(name) != command:  # begins anew
                for path in (study.result(name), study.result(name).with_suffix(".checkpoint.h5")):
                    path.unlink(missing_ok=True)
                (study.folder / f"{name}.command").write_text(command)
            with open(study.folder / f"{name}.log", "a") as log:
                self.process = subprocess.Popen([*self.launch, str(self.bin / program), *arguments], stdout=log,
                                                stderr=subprocess.STDOUT)
                if self.stopped:
                    self.stop()
                code = self.process.wait()
            print(f"{name}: {study.state(name, own)}" + (f" (exit code {code})" if code not in (0, 3, 4) else ""),
                  flush=True)
            return code


def run(study, launch, bin_folder, only):
    study.folder.mkdir(parents=True, exist_ok=True)
    runner = Runner(study, launch, bin_folder)
    worst = 0
    for name, own in [study.jobs[only]] if only is not None else study.jobs:
        if runner.stopped:
            return 4
        code = runner.run(name, own)
        if code is None:
            print(f"{name}: runs elsewhere")
        elif code == 4:
            return 4
        elif code == 2:
            sys.stderr.write((study.folder / f"{name}.log").read_text().splitlines()[-1] + "\n")
            worst = 2
        elif code != 0 and worst not in (1, 2):
            worst = 3 if code == 3 else 1
    return worst


def merge(study, copy):
    """/jobs/NAME with the attributes of each result, its data as links or copies; /table/NUMBER over jobs; /pairs/COST of
    pairs as a symmetric matrix; of signed measures /table/positive/NUMBER and so on."""
    path = study.folder.with_suffix(".h5")
    states = [study.state(name, own) for name, own in study.jobs]
    missing = [name for (name, _), state in zip(study.jobs, states) if state not in ("done", "not converged")]
    study.folder.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp.{os.getpid()}")
    with h5py.File(temporary, "w") as out:
        out.attrs["jobs"] = len(study.jobs)
        out.attrs["complete"] = not missing
        out["name"] = [name for name, _ in study.jobs]
        out["state"] = states
        if study.measures:
            out["measures"] = study.measures
        numbers = {}  # attribute: value by job
        for row, (name, _) in enumerate(study.jobs):
            if name in missing:
                continue
            with h5py.File(study.result(name), "r") as file:
                group = out.create_group(f"jobs/{name}")
                for key, value in file.attrs.items():
                    group.attrs[key] = value
                for prefix, part in {"": file, **parts_of(file)}.items():
                    for key, value in part.attrs.items():
                        if numpy.isscalar(value) and numpy.issubdtype(type(value), numpy.number):
                            numbers.setdefault(prefix + key, {})[row] = value
                for key in file:
                    if copy:
                        file.copy(key, group)
                    else:
                        group[key] = h5py.ExternalLink(f"{study.folder.name}/{name}.h5", f"/{key}")
        for key, values in numbers.items():
            column = numpy.full(len(study.jobs), numpy.nan)
            column[list(values)] = list(values.values())
            out[f"table/{key}"] = column
            if study.pairs:
                matrix = numpy.full(2 * (len(study.measures),), numpy.nan)
                for (a, b), value in zip(study.pairs, column):
                    matrix[a, b] = matrix[b, a] = value
                if key.endswith(("_cost", "divergence")):
                    out[f"pairs/{key}"] = matrix
    os.replace(temporary, path)
    print(f"{path}: {len(study.jobs) - len(missing)} of {len(study.jobs)} jobs"
          + (f"; missing: {', '.join(missing[:5])}{' ...' if len(missing) > 5 else ''}" if missing else ""))
    return 4 if missing else 0


def finish(study):
    """Merges, and runs what the study wants after it."""
    code = merge(study, copy=False)
    if code != 0 or not study.after:
        return code
    done = subprocess.run(study.after)
    if done.returncode != 0:
        sys.stderr.write(f"run_study.py: study.after = {shlex.join(study.after)} (exit code {done.returncode})\n")
    return 1 if done.returncode != 0 else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", metavar="STUDY.ini")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--job", type=int, metavar="K", help="only this one, from 0")
    what.add_argument("--list", action="store_true")
    what.add_argument("--count", action="store_true")
    what.add_argument("--merge", action="store_true")
    parser.add_argument("--copy", action="store_true", help="with --merge: datasets too, instead of links to the results")
    parser.add_argument("--launch", default="", help="what stands before the program, e.g. 'mpirun -n 4'")
    parser.add_argument("--bin", default="build/drivers", help="folder of the programs")
    arguments, rest = parser.parse_known_args()
    study = Study(arguments.study, overrides_of(rest))
    if arguments.job is not None and not 0 <= arguments.job < len(study.jobs):
        fail(f"--job {arguments.job}", f"the study has jobs 0 to {len(study.jobs) - 1}", "see --list")
    if arguments.count:
        print(len(study.jobs))
        return 0
    if arguments.list:
        for number, (name, own) in enumerate(study.jobs):
            print(f"{number}\t{name}\t{study.state(name, own)}\t{shlex.join(own)}")
        return 0
    if arguments.merge:
        return merge(study, arguments.copy)
    code = run(study, arguments.launch, arguments.bin, arguments.job)
    if arguments.job is not None or not study.after or code not in (0, 3):
        return code
    return max(code, finish(study))


if __name__ == "__main__":
    sys.exit(main())
