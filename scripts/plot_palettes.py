#!/usr/bin/python3
"""Draws a study of palettes: a photograph before, the photographs whose colours it takes with their weights, and it after; below
each its palette, colours as points of the cube of red, green and blue. The palette below the last is the barycenter of the others'.

Reads the file into which scripts/run_study.py merged the jobs `palette` (hpot-barycenter) and `regraded` (hpot-sinkhorn with
output.colors) of configs/studies/palettes.ini; the pictures are read from the files that these jobs read and wrote.
"""
import argparse
import configparser
import os
import sys

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

MOST_POINTS = 1500


def fail(place, why, what_to_do):
    sys.exit(f"plot_palettes.py: {place} ({why}) [{what_to_do}]")


def picture(name):
    """(height, width, 3) in [0, 1] of an input's file."""
    path = name.split("?")[0]
    if not os.path.exists(path):
        fail(path, "no such picture", "give the study photographs that are files")
    values = plt.imread(path)
    values = values / 255.0 if values.dtype == np.uint8 else values
    return np.repeat(values[:, :, None], 3, 2) if values.ndim == 2 else values[:, :, :3]


def palette(values):
    pixels = values.reshape(-1, 3)
    return pixels[np.linspace(0, len(pixels) - 1, min(MOST_POINTS, len(pixels))).astype(int)]


def read(path):
    """[(title, picture, colours)]."""
    if not os.path.exists(path):
        fail(path, "no such file", "merge a study first: scripts/run_study.py STUDY.ini --merge")
    try:
        with h5py.File(path, "r") as file:
            regraded, mean = file["jobs/regraded"], file["jobs/palette"]
            source = regraded.attrs["inputs"][0]
            others, weights = list(mean.attrs["inputs"]), mean["weights"][0]
            colors = mean["support/points"][()].reshape(-1, 3)
            config = configparser.ConfigParser(comment_prefixes=("#",), interpolation=None)
            config.read_string(regraded.attrs["config"])
    except (OSError, KeyError) as error:
        fail(path, f"it has no such jobs: {error}", "see configs/studies/palettes.ini")
    columns = [("before", picture(source))]
    columns += [(f"its colours: weight {weight:.2g}", picture(other)) for other, weight in zip(others, weights)]
    after = picture(config["output"]["colors"])
    return [(title, values, palette(values)) for title, values in columns] + [("after", after, colors)]


def draw(columns, output):
    figure = plt.figure(figsize=(3.2 * len(columns), 5.4), layout="constrained")
    for number, (title, values, colors) in enumerate(columns):
        axis = figure.add_subplot(2, len(columns), 1 + number)
        axis.imshow(values)
        axis.set_axis_off()
        axis.set_title(title, fontsize=10)
        axis = figure.add_subplot(2, len(columns), 1 + len(columns) + number, projection="3d")
        axis.scatter(*colors.T, c=np.clip(colors, 0, 1), s=4, depthshade=False)
        axis.set(xlim=(0, 1), ylim=(0, 1), zlim=(0, 1), xticks=[0, 1], yticks=[0, 1], zticks=[0, 1])
        axis.set_xlabel("red", labelpad=-8, fontsize=8)
        axis.set_ylabel("green", labelpad=-8, fontsize=8)
        axis.set_zlabel("blue", labelpad=-8, fontsize=8)
        axis.tick_params(labelsize=7, pad=-3)
        if number == len(columns) - 1:
            axis.set_title("the barycenter of their palettes", fontsize=10)
    figure.savefig(output, dpi=110)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", metavar="FOLDER.h5")
    parser.add_argument("-o", "--output", default="palettes.png")
    arguments = parser.parse_args()
    columns = read(arguments.study)
    try:
        draw(columns, arguments.output)
    except (OSError, ValueError) as error:
        fail(arguments.output, str(error), "choose a name ending in .png in a folder that exists")
    print(f"{arguments.output}: a photograph in the colours of {len(columns) - 2} others")


if __name__ == "__main__":
    main()
