#!/usr/bin/python3
"""Draws a study of barycentric coordinates: for every job its target, the Wasserstein projection and the closest mixture, with
the loss of both, and their weights.

Reads the file into which scripts/run_study.py merged results of hpot-coordinates (jobs/NAME with /target, /projection and
/euclidean), or one result. Volumes are shown by their middle slice along the first axis; all three maps of a row have one scale.
"""
import argparse
import os
import sys

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

MAPS = {"target": "target", "projection/map": "Wasserstein projection", "euclidean/map": "Euclidean projection"}


def fail(place, why, what_to_do):
    sys.exit(f"plot_projections.py: {place} ({why}) [{what_to_do}]")


def slice_of(values):
    return values[values.shape[0] // 2] if values.ndim == 3 else np.atleast_2d(values)


def read(path):
    """[(name, {map: array}, {projection: (loss, lambda)})] of all jobs."""
    if not os.path.exists(path):
        fail(path, "no such file", "merge a study first: scripts/run_study.py STUDY.ini --merge")
    rows = []
    try:
        with h5py.File(path, "r") as file:
            jobs = file["jobs"].items() if "jobs" in file else [(os.path.splitext(os.path.basename(path))[0], file)]
            for name, job in jobs:
                maps = {key: slice_of(job[key][()]) for key in MAPS}
                weights = {key: (job[key].attrs["loss"], job[f"{key}/lambda"][()]) for key in ("projection", "euclidean")}
                rows.append((name, maps, weights))
    except (OSError, KeyError) as error:
        fail(path, f"not results of hpot-coordinates: {error}", "name a merged study of them, or one result")
    if not rows:
        fail(path, "it holds no jobs", "run the study first")
    return rows


def draw(rows, output):
    figure, axes = plt.subplots(len(rows), 4, figsize=(9, 2.1 * len(rows)), squeeze=False)
    for row, (name, maps, weights) in zip(axes, rows):
        most = max(values.max() for values in maps.values())
        for axis, (key, title) in zip(row, MAPS.items()):
            axis.imshow(maps[key], cmap="gray_r", vmin=0, vmax=most)
            axis.set_xticks([])
            axis.set_yticks([])
            loss = weights.get(key.split("/")[0])
            axis.set_title(title if loss is None else f"{title}\nloss {loss[0]:.4g}", fontsize=8)
        row[0].set_ylabel(name, fontsize=8)
        for offset, (label, (_, values)) in enumerate(weights.items()):
            row[3].bar(np.arange(len(values)) + 0.4 * offset - 0.2, values, width=0.4, label=label)
        row[3].set_title("weights", fontsize=8)
        row[3].set_ylim(0, 1)
        row[3].tick_params(labelsize=7)
    axes[0, 3].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(output, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", metavar="FOLDER.h5")
    parser.add_argument("-o", "--output", default="projections.png")
    arguments = parser.parse_args()
    rows = read(arguments.study)
    draw(rows, arguments.output)
    better = sum(weights["projection"][0] <= weights["euclidean"][0] for _, _, weights in rows)
    print(f"{arguments.output}: {len(rows)} targets; the Wasserstein projection is closer at {better} of them")


if __name__ == "__main__":
    main()
