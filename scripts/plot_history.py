#!/usr/bin/python3
"""Draws how the marginal error of one or more runs fell, over iterations and over seconds.

Reads /history (iteration, level, epsilon, marginal_error, seconds) of result.h5 files. Vertical lines mark where a run
changed its grid level (solid) or its epsilon (dotted), with their values where one run is drawn.
"""
import argparse
import os
import sys

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

FIELDS = ("iteration", "level", "epsilon", "marginal_error", "seconds")


def fail(file, why, what_to_do):
    sys.exit(f"plot_history.py: {file} ({why}) [{what_to_do}]")


def read_history(path):
    """The rows of /history, and the stop reason that the file states, if any."""
    if not os.path.exists(path):
        fail(path, "no such file", "name a result.h5 of an HPOT program")
    try:
        with h5py.File(path, "r") as file:
            if "history" not in file:
                held = ", ".join(file) or "nothing"
                fail(path, f"has no /history; it holds: {held}", "name a result.h5 of an HPOT program")
            history = file["history"][()]
            reason = file.attrs.get("stop_reason", "")
    except OSError as error:
        fail(path, f"cannot be read as HDF5: {error}", "name a result.h5 of an HPOT program")
    missing = [field for field in FIELDS if field not in (history.dtype.names or ())]
    if missing:
        fail(f"{path}: /history", f"lacks {', '.join(missing)}", "write it with this version of HPOT")
    if history.size == 0:
        fail(f"{path}: /history", "is empty", "run at least one recorded sweep")
    return history, reason.decode() if isinstance(reason, bytes) else str(reason)


def stages(history):
    """(row, True for a new level and False for a new epsilon only) of each change."""
    new_level = np.diff(history["level"]) != 0
    new_epsilon = np.diff(history["epsilon"]) != 0
    return [(row + 1, bool(new_level[row])) for row in np.flatnonzero(new_level | new_epsilon)]


def draw(axes, history, label, colour, abscissa, annotate):
    error = np.where(history["marginal_error"] > 0, history["marginal_error"], np.nan)  # a log axis has no zero
    axes.plot(history[abscissa], error, color=colour, label=label, linewidth=1.5)
    for row, is_level in stages(history):
        style = dict(linestyle="-", alpha=0.5) if is_level else dict(linestyle=":", alpha=0.6)
        axes.axvline(history[abscissa][row], color=colour, linewidth=0.8, **style)
        if annotate:
            axes.annotate(f"level {history['level'][row]}, eps {history['epsilon'][row]:.3g}",
                          (history[abscissa][row], 0.99), xycoords=("data", "axes fraction"), rotation=90, ha="right",
                          va="top", fontsize=6, color=colour)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", metavar="result.h5")
    parser.add_argument("-o", "--output", required=True, metavar="PNG", help="the picture to write")
    arguments = parser.parse_args()
    runs = [(path, *read_history(path)) for path in arguments.results]

    figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), sharey=True, constrained_layout=True)
    for number, (path, history, reason) in enumerate(runs):
        label = os.path.basename(path) + (f" ({reason})" if reason else "")
        for axis, abscissa in zip(axes, ("iteration", "seconds")):
            draw(axis, history, label, f"C{number % 10}", abscissa, annotate=len(runs) == 1)
    for axis, text in zip(axes, ("iterations", "seconds")):
        axis.set_yscale("log")
        axis.set_xlabel(text)
        axis.grid(True, which="major", alpha=0.3)
    axes[0].set_ylabel("marginal error (L1, relative to the mass)")
    axes[0].legend(loc="lower left", fontsize=8)
    try:
        figure.savefig(arguments.output, dpi=150)
    except (OSError, ValueError) as error:
        fail(arguments.output, str(error), "choose a name ending in .png in a folder that exists")
    print(arguments.output)


if __name__ == "__main__":
    main()
