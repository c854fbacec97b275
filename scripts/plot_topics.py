#!/usr/bin/python3
"""Draws a dictionary of histograms of words: for each atom its heaviest words as bars, and below them the weights of all documents,
stacked, those of one largest atom side by side.

Reads a result of hpot-dictionary by a cost matrix. Words have their numbers from 0, or with --words their names, one in a line of
a text. With --groups, the numbers of words of each true group, in their order, bars have their group's colour, and the share of
each atom's mass in its largest group stands above it and is printed: 1 where the dictionary has found the groups.
"""
import argparse
import os
import sys

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

COLUMNS = 5


def fail(place, why, what_to_do):
    sys.exit(f"plot_topics.py: {place} ({why}) [{what_to_do}]")


def read(path):
    """Atoms (K, words) and weights (documents, K)."""
    if not os.path.exists(path):
        fail(path, "no such file", "name a result of hpot-dictionary")
    try:
        with h5py.File(path, "r") as file:
            atoms, weights = file["atoms"][()], file["weights"][()]
    except (OSError, KeyError) as error:
        fail(path, f"not a result of hpot-dictionary: {error}", "name one")
    if atoms.ndim != 2:
        fail(path, f"its atoms have {atoms.ndim - 1} axes", "histograms have one")
    return atoms, weights


def group_numbers(text, words):
    """Of every word; all 0 where no groups are known."""
    try:
        sizes = [int(size) for size in text.split(",") if size] or [words]
    except ValueError:
        sizes = []
    if sum(sizes) != words or min(sizes, default=0) < 1:
        fail(f"--groups {text}", f"there are {words} words", "their numbers add up to that")
    return np.repeat(np.arange(len(sizes)), sizes)


def names_of(path, words):
    if not path:
        return [str(number) for number in range(words)]
    try:
        with open(path, encoding="utf-8") as file:
            names = [line.strip() for line in file if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        fail(path, str(error), "name a text with a word in each line")
    if len(names) != words:
        fail(path, f"it has {len(names)} words, the atoms have {words}", "give a line for every entry of the cost matrix")
    return names


def group_shares(atoms, groups):
    """(K, groups): the share of each atom's mass in each group."""
    return np.stack([atoms[:, groups == group].sum(1) for group in range(groups.max() + 1)], 1) / atoms.sum(1)[:, None]


def draw(atoms, weights, groups, names, most, output):
    count = len(atoms)
    known = groups.max() > 0
    shares = group_shares(atoms, groups)
    largest = shares.argmax(1)
    color = plt.get_cmap("tab10" if max(count, groups.max() + 1) <= 10 else "tab20")
    own_group = known and len(set(largest)) == count
    rows = -(-count // COLUMNS)
    columns = min(count, COLUMNS)
    figure = plt.figure(figsize=(max(6.0, 2.1 * columns), rows * (0.65 + 0.16 * most) + 2.4), layout="constrained")
    grid = figure.add_gridspec(rows + 1, columns, height_ratios=[0.65 + 0.16 * most] * rows + [2.2])
    for k, atom in enumerate(atoms):
        axis = figure.add_subplot(grid[k // COLUMNS, k % COLUMNS])
        heaviest = np.argsort(-atom, kind="stable")[:most]
        axis.barh(range(len(heaviest)), atom[heaviest], color=[color(g if known else k) for g in groups[heaviest]])
        axis.set_yticks(range(len(heaviest)), [names[word] for word in heaviest], fontsize=7)
        axis.invert_yaxis()
        axis.tick_params(axis="x", labelsize=7)
        axis.set_xlabel("part of the atom's mass", fontsize=7)
        axis.set_title(f"atom {k}" + (f": {100 * shares[k, largest[k]]:.3g}% in one group" if known else ""), fontsize=9)
    axis = figure.add_subplot(grid[rows, :])
    order = np.lexsort((-weights.max(1), weights.argmax(1)))
    bottom = np.zeros(len(weights))
    for k in range(count):
        axis.bar(range(len(weights)), weights[order, k], bottom=bottom, width=1.0, label=f"atom {k}",
                 color=color(largest[k] if own_group else k))
        bottom += weights[order, k]
    axis.set(xlim=(-0.5, len(weights) - 0.5), ylim=(0, 1), xlabel=f"{len(weights)} documents", ylabel="weights of the atoms")
    axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(output, dpi=120)
    plt.close(figure)
    return shares.max(1) if known else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", metavar="RESULT.h5")
    parser.add_argument("--groups", default="", help="numbers of words of each true group, in their order: 30,30,30,30")
    parser.add_argument("--words", default="", metavar="FILE", help="a text with the words, one in each line")
    parser.add_argument("--heaviest", type=int, default=12, help="words of each atom that are shown")
    parser.add_argument("-o", "--output", default="topics.png")
    arguments = parser.parse_args()
    atoms, weights = read(arguments.result)
    if arguments.heaviest < 1:
        fail(f"--heaviest {arguments.heaviest}", "no word is no picture", "show one at least")
    groups = group_numbers(arguments.groups, atoms.shape[1])
    names = names_of(arguments.words, atoms.shape[1])
    try:
        shares = draw(atoms, weights, groups, names, min(arguments.heaviest, atoms.shape[1]), arguments.output)
    except (OSError, ValueError) as error:
        fail(arguments.output, str(error), "choose a name ending in .png in a folder that exists")
    found = "" if shares is None else "; shares of their mass in one group: " + ", ".join(f"{share:.4f}" for share in shares)
    print(f"{arguments.output}: {len(atoms)} atoms of {len(weights)} documents{found}")


if __name__ == "__main__":
    main()
