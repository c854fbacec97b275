#!/usr/bin/python3
"""Draws the two-dimensional embedding of a distance matrix: classical scaling [Torgerson 1952].

Reads /distances of hpot-sinkhorn, or a matrix of pairs of a merged study (--key pairs/divergence). Its values are taken for
squared distances, as divergences with cost squared_euclidean are; --power 2 for distances themselves. The picture says which
part of the squared distances the plane holds; the rest is in directions that it does not show.
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
    sys.exit(f"plot_embedding.py: {place} ({why}) [{what_to_do}]")


def read(path, key):
    if not os.path.exists(path):
        fail(path, "no such file", "name a result of hpot-sinkhorn with --input.measures")
    try:
        with h5py.File(path, "r") as file:
            if key not in file:
                fail(path, f"has no /{key}; it holds: {', '.join(file)}", "name it with --key")
            values = file[key][()]
    except OSError as error:
        fail(path, f"cannot be read as HDF5: {error}", "name a result of hpot-sinkhorn")
    if values.ndim != 2 or values.shape[0] != values.shape[1] or values.shape[0] < 3:
        fail(f"{path}:/{key}", f"its shape is {values.shape}", "a square matrix of three measures or more is needed")
    values = values.astype(float)
    np.fill_diagonal(values, 0.0)
    if not np.isfinite(values).all():
        fail(f"{path}:/{key}", "pairs are missing", "run the study to its end")
    return values


def embed(squares):
    """Coordinates (K, 2) and the part of the squared distances that they hold."""
    centred = squares - squares.mean(0) - squares.mean(1)[:, None] + squares.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    values, vectors = values[::-1], vectors[:, ::-1]
    vectors = vectors * np.where(vectors[np.abs(vectors).argmax(0), np.arange(len(values))] < 0, -1.0, 1.0)
    return vectors[:, :2] * np.sqrt(np.maximum(values[:2], 0.0)), np.maximum(values[:2], 0).sum() / np.abs(values).sum()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", metavar="RESULT.h5")
    parser.add_argument("--key", default="distances")
    parser.add_argument("--power", type=float, default=1.0, help="the values to this power are squared distances")
    parser.add_argument("--groups", default="", help="numbers of measures of one colour, in their order: 12,12")
    parser.add_argument("--labels", action="store_true", help="number the points from 0")
    parser.add_argument("-o", "--output", default="embedding.png")
    arguments = parser.parse_args()
    values = read(arguments.result, arguments.key)
    try:
        sizes = [int(size) for size in arguments.groups.split(",") if size] or [len(values)]
    except ValueError:
        sizes = []
    if sum(sizes) != len(values) or min(sizes, default=0) < 1:
        fail(f"--groups {arguments.groups}", f"there are {len(values)} measures", "their numbers add up to that")
    points, held = embed(np.maximum(values, 0.0) ** arguments.power)
    figure, axis = plt.subplots(figsize=(6, 5))
    begin = 0
    for group, size in enumerate(sizes):
        axis.scatter(*points[begin:begin + size].T, s=40, label=f"group {group + 1}" if len(sizes) > 1 else None)
        begin += size
    if arguments.labels:
        for number, point in enumerate(points):
            axis.annotate(str(number), point, textcoords="offset points", xytext=(4, 4), fontsize=7)
    if len(sizes) > 1:
        axis.legend()
    axis.set_aspect("equal", adjustable="datalim")
    axis.set_title(f"{len(values)} measures; the plane holds {100 * held:.0f}% of the squared distances", fontsize=9)
    figure.tight_layout()
    figure.savefig(arguments.output, dpi=120)
    print(f"{arguments.output}: {len(values)} measures; the plane holds {100 * held:.0f}% of their squared distances")


if __name__ == "__main__":
    main()
