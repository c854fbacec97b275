#!/usr/bin/python3
"""Draws where a transport moves mass: every source point coloured by how far its mass goes on average, arrows for some of them.

Reads a result of hpot-sinkhorn with --output.map true, on points in two or more dimensions, on images or on volumes: /map,
/support and, for what arrives, the places of the target. Of three dimensions three views along the axes, the longest ways in
front; what lies behind them is hidden. Lengths are in the coordinates' own unit, on one scale in all views.
"""
import argparse
import os
import sys

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

AXES = "xyz"


def fail(place, why, what_to_do):
    sys.exit(f"plot_displacement.py: {place} ({why}) [{what_to_do}]")


def read(path, group):
    """(source points, displacements, target points or None), of source points with mass."""
    if not os.path.exists(path):
        fail(path, "no such file", "name a result of hpot-sinkhorn")
    try:
        with h5py.File(path, "r") as file:
            part = file[group]
            if "map" not in part:
                fail(path, f"has no {group.rstrip('/')}/map", "run hpot-sinkhorn with --output.map true")
            moves, mask = part["map/displacement"][()], part["map/mask"][()] > 0
            support = part["support"]
            if "source" in support:
                return (support["source/points"][()][mask], moves[mask], support["target/points"][()])
            spacing, origin = support["spacing"][()], support["origin"][()]
            slowest_first = np.stack(np.nonzero(mask), axis=1) * spacing + origin
            return slowest_first[:, ::-1], moves[mask], None
    except (OSError, KeyError) as error:
        fail(path, f"no result with a map: {error}", "name a result of hpot-sinkhorn with --output.map true")


def draw(axis, points, moves, target, across, up, most, arguments):
    lengths = np.linalg.norm(moves, axis=1)
    if target is not None:
        axis.plot(target[:, across], target[:, up], ",", color="0.8", rasterized=True)
    order = np.argsort(lengths)
    size = np.clip(12000 / len(points), 0.5, 12)
    shown = axis.scatter(points[order, across], points[order, up], c=lengths[order], s=size, vmin=0, vmax=most,
                         cmap="viridis", linewidths=0, rasterized=True)
    some = np.random.default_rng(0).permutation(len(points))[: arguments.arrows]
    axis.quiver(points[some, across], points[some, up], moves[some, across], moves[some, up], angles="xy", scale_units="xy",
                scale=1, width=0.002, color="crimson")
    axis.update_datalim((points + moves)[some][:, [across, up]])
    axis.autoscale_view()
    axis.set_aspect("equal")
    axis.set_xlabel(AXES[across])
    axis.set_ylabel(AXES[up])
    axis.tick_params(labelsize=7)
    return shown


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", metavar="RESULT.h5")
    parser.add_argument("--group", default="/", help="/positive or /negative where signed measures were split")
    parser.add_argument("--arrows", type=int, default=150, help="number of points with an arrow")
    parser.add_argument("-o", "--output", default="displacement.png")
    arguments = parser.parse_args()
    points, moves, target = read(arguments.result, arguments.group)
    dimension = points.shape[1]
    if dimension not in (2, 3):
        fail(arguments.result, f"its points have {dimension} coordinates", "this draws two or three")
    lengths = np.linalg.norm(moves, axis=1)
    views = ((0, 1),) if dimension == 2 else ((0, 1), (0, 2), (1, 2))
    figure, axes = plt.subplots(1, len(views), figsize=(5.2 * len(views) + 0.8, 5), squeeze=False, constrained_layout=True)
    most = np.quantile(lengths, 0.999) or 1.0
    for axis, (across, up) in zip(axes[0], views):
        shown = draw(axis, points, moves, target, across, up, most, arguments)
    figure.colorbar(shown, ax=axes[0].tolist(), label="length of the displacement", shrink=0.8)
    try:
        figure.savefig(arguments.output, dpi=120)
    except (OSError, ValueError) as error:
        fail(arguments.output, str(error), "choose a name ending in .png in a folder that exists")
    print(f"{arguments.output}: {len(points)} points, displacements of {np.median(lengths):.4g} in the median, "
          f"{lengths.max():.4g} at most")


if __name__ == "__main__":
    main()
