#!/usr/bin/python3
"""Runs hpot-scaling on several numbers of ranks; every run adds a row to one CSV table.

    scripts/run_scaling.py --ranks 1,2,4,8 -o results/scaling.csv [--config configs/scaling.ini] [--operators separable,dense]
        [--launch 'mpirun --oversubscribe -n {ranks}'] [-- --scaling.n 128 ...]

Rows that are in the table already (the same command) are not run again: a sweep that was stopped goes on.
"""
import argparse
import os
import pathlib
import shlex
import subprocess
import sys

import scaling_model


OPERATORS = ("separable", "dense", "stored", "truncated", "matrix", "heat", "geodesic", "barycenter", "coordinates")
ON_SURFACES = ("heat", "geodesic")


def done_before(table, operator, ranks, options):
    if not table.exists() or table.stat().st_size == 0:
        return False
    wanted = {"operator": operator, "ranks": str(ranks), "scaling": "weak" if options.get("weak") == "true" else "strong"}
    wanted.update({key: options[key] for key in ("dimension", "precision", "debiased", "epsilon") if key in options})
    if "n" in options and (wanted["scaling"] == "strong" or operator in scaling_model.ON_GRIDS):
        wanted["n"] = options["n"]
    if "n" in options and wanted["scaling"] == "weak" and operator == "truncated":
        wanted["n"] = str(int(options["n"]) * ranks)
    return any(all(row[key] == value for key, value in wanted.items()) for row in scaling_model.read(table))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", default="1,2,4,8")
    parser.add_argument("--operators", help="default: all, of weak scaling those without heat and geodesic")
    parser.add_argument("--config", default="configs/scaling.ini")
    parser.add_argument("--launch", default="mpirun -n {ranks}", help="{ranks} stands for the number of ranks")
    parser.add_argument("--bin", default="build/drivers", help="folder of the programs")
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path, metavar="TABLE.csv")
    parser.add_argument("options", nargs="*", help="keys of hpot-scaling, after --")
    arguments = parser.parse_args()
    given = dict(zip((key.removeprefix("--scaling.") for key in arguments.options[::2]), arguments.options[1::2]))
    failed = 0
    operators = arguments.operators.split(",") if arguments.operators else [
        name for name in OPERATORS if name not in ON_SURFACES or given.get("weak") != "true"]
    for operator in operators:
        for ranks in map(int, arguments.ranks.split(",")):
            if done_before(arguments.output, operator, ranks, given):
                print(f"{operator} on {ranks} ranks: in the table already", flush=True)
                continue
            command = [*shlex.split(arguments.launch.format(ranks=ranks)), os.path.join(arguments.bin, "hpot-scaling"),
                       "--config", arguments.config, "--scaling.operator", operator, "--output.file", str(arguments.output),
                       *arguments.options]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                failed += 1
                sys.stderr.write(f"run_scaling.py: {shlex.join(command)}\n{done.stdout}{done.stderr}")
                continue
            row = scaling_model.read(arguments.output)[-1]
            print(f"{operator} on {ranks} ranks: {row['seconds_median']} s a sweep, {row['interactions_per_second']} "
                  f"interactions/s, {row['bytes_per_sweep']} bytes", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
