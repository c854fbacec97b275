#!/usr/bin/python3
"""Draws barycenters: one beside the measures and the Euclidean mean that it is compared with, or several by their weights.

Reads a result of hpot-barycenter of images or volumes. With one row of weights: /measures and /euclidean_mean, where
output.measures and output.euclidean_mean have written them, and /barycenter, each under its sharpness: the size of the smallest
set of points that holds half of its mass, in the unit of the spacing (mm^3 of a brain volume). The smaller the sharper; the
average of maps that lie apart is blunter than each of them. What is printed beside it is the size of an even map of the same
entropy, for a second measure. Of signed maps (input.negative = split) the positive and the negative
parts stand below one another. With several rows of weights: all barycenters, each under its weights. Volumes are cut through the
barycenter's median along each axis. All maps of a part have one scale: from 0 to the 99.9 % quantile of what is drawn.
"""
import argparse
import os
import sys

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np


def fail(place, why, what_to_do):
    sys.exit(f"plot_barycenters.py: {place} ({why}) [{what_to_do}]")


def half_mass_size(values, cell):
    """Size of the smallest set of cells that holds half of the mass; the last cell counts by the part that is needed."""
    values = np.sort(values, axis=None)[::-1]
    held = np.cumsum(values)
    if not held[-1] > 0:
        return 0.0
    half = held[-1] / 2
    cells = np.searchsorted(held, half)
    return cell * (cells + 1 - (held[cells] - half) / values[cells])


def entropy_size(values, cell):
    """Size of the set of cells on which an even map has as much entropy."""
    shares = values[values > 0] / values.sum()
    return cell * float(np.exp(-(shares * np.log(shares)).sum())) if shares.size else 0.0


def cuts(values, places, signs):
    """2-D pictures of a map, first row below: itself, or of a volume the sagittal, coronal and axial cut."""
    if values.ndim < 3:
        return [np.atleast_2d(values)[::-1]]
    values = values[tuple(slice(None, None, sign) for sign in signs)]
    z, y, x = places
    return [values[:, :, x], values[:, y, :], values[z]]


def median_place(values):
    """Index along each axis on both sides of which there is half of the mass."""
    place = []
    for axis in range(values.ndim):
        held = np.cumsum(values.sum(tuple(other for other in range(values.ndim) if other != axis)))
        place.append(int(np.searchsorted(held, held[-1] / 2)))
    return place


class Part:
    """The maps of one part of a result: [(name, map)]."""

    def __init__(self, name, group):
        self.name = name
        support = group["support"]
        if "spacing" not in support:
            fail(group.file.filename, "its support is no grid", "give a result of images or volumes")
        self.spacing = support["spacing"][()]
        affine = support["affine"][()] if "affine" in support else np.eye(4)
        self.unit = {3: " mm³", 2: " mm²", 1: " mm"}[self.spacing.size] if "affine" in support else ""
        self.signs = [1 if affine[axis, axis] >= 0 else -1 for axis in (2, 1, 0)]
        self.weights = group["weights"][()]
        maps = group["barycenter"][()]
        if len(self.weights) > 1:
            names = [" ".join(f"{weight:.3g}" for weight in row) for row in self.weights]
            self.maps = list(zip(names, maps))
            return
        self.maps = []
        if "measures" in group:
            measures = group["measures"][()]
            measures = measures if measures.ndim > maps.ndim else measures[None]
            inputs = group.attrs["inputs"] if "inputs" in group.attrs else []
            self.maps += [(f"measure {k + 1} of {len(inputs) or '?'}", map_) for k, map_ in enumerate(measures)]
        if "euclidean_mean" in group:
            self.maps.append(("Euclidean mean", group["euclidean_mean"][()]))
        self.maps.append(("Wasserstein barycenter", maps))

    def size(self, measure, values):
        size = measure(values, self.spacing.prod())
        return f"{size:{',.0f' if size >= 1000 else '.4g'}}{self.unit}"

    def sharpness(self, values):
        return "half of the mass in " + self.size(half_mass_size, values)


def read(path):
    if not os.path.exists(path):
        fail(path, "no such file", "name a result of hpot-barycenter")
    try:
        with h5py.File(path, "r") as file:
            names = [name for name in ("positive", "negative") if name in file] or ["/"]
            return [Part("" if name == "/" else name, file[name]) for name in names]
    except (OSError, KeyError) as error:
        fail(path, f"not a result of hpot-barycenter: {error}", "name one")


def show(axis, picture, aspect, top):
    axis.imshow(picture, cmap="gray_r", vmin=0, vmax=top, origin="lower", aspect=aspect, interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])


def draw(parts, output):
    several = len(parts[0].weights) > 1
    pictured = []  # of each part and cut a row: [(title, picture, aspect, scale, label of the row)]
    for part in parts:
        place = [n - 1 - at if sign < 0 else at
                 for at, n, sign in zip(median_place(part.maps[-1][1]), part.maps[-1][1].shape, part.signs)]
        pictures = [cuts(values, place, part.signs) for _, values in part.maps]
        shown = np.concatenate([np.ravel(cut) for cuts_ in pictures for cut in cuts_])
        top = np.quantile(shown[shown > 0], 0.999) if (shown > 0).any() else 1.0
        sides = [(1, 0)] if len(pictures[0]) == 1 else [(0, 1), (0, 2), (1, 2)]  # axes of a cut
        labels = [""] if len(pictures[0]) == 1 else ["sagittal", "coronal", "axial"]
        for cut, (rows, columns) in enumerate(sides):
            aspect = part.spacing[rows] / part.spacing[columns] if part.spacing.size > 1 else "auto"
            line = []
            for (name, values), of_map in zip(part.maps, pictures):
                title = name if several else f"{name}\n{part.sharpness(values)}"
                line.append((title if cut == 0 else "", of_map[cut], aspect, top))
            pictured.append((" ".join(filter(None, (part.name, labels[cut]))), line))
    if several:
        line = [entry for _, row in pictured for entry in row]
        columns = int(np.ceil(np.sqrt(len(line))))
        pictured = [("", line[begin:begin + columns]) for begin in range(0, len(line), columns)]
    columns = max(len(line) for _, line in pictured)
    width = 1.5 if several else 2.3
    heights = [width * max(1.0 if aspect == "auto" else aspect * picture.shape[0] / picture.shape[1]
                           for _, picture, aspect, _ in line) for _, line in pictured]
    titles = sum(0.45 for _, line in pictured if line[0][0])
    figure, axes = plt.subplots(len(pictured), columns, squeeze=False, layout="constrained", height_ratios=heights,
                                figsize=(max(3.0, width * columns + 0.3), sum(heights) + titles + 0.1))
    for axis in axes.flat:
        axis.set_axis_off()
    for row, (label, line) in zip(axes, pictured):
        for axis, (title, picture, aspect, top) in zip(row, line):
            axis.set_axis_on()
            show(axis, picture, aspect, top)
            axis.set_title(title, fontsize=6 if several else 8)
        row[0].set_ylabel(label, fontsize=8)
    figure.savefig(output, dpi=120)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", metavar="RESULT.h5")
    parser.add_argument("-o", "--output", default="barycenters.png")
    arguments = parser.parse_args()
    parts = read(arguments.result)
    try:
        draw(parts, arguments.output)
    except (OSError, ValueError) as error:
        fail(arguments.output, str(error), "choose a name ending in .png in a folder that exists")
    print(f"{arguments.output}: {sum(len(part.maps) for part in parts)} maps")
    for part in parts:
        for name, values in part.maps if len(part.weights) == 1 else ():
            print(f"  {part.name + ': ' if part.name else ''}{name}: {part.sharpness(values)}, as much entropy as "
                  f"an even map on {part.size(entropy_size, values)}")


if __name__ == "__main__":
    main()
