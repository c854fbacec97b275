#!/usr/bin/python3
"""Draws a table of hpot-scaling: efficiency over ranks, measured (points, full lines) and modelled (dashed) apart, and how near
each run is to the ceiling that binds it (a roofline: interactions per second over ranks, with the ceiling above).

    scripts/plot_scaling.py TABLE.csv -o PICTURE.png [--ranks 64,1024,8192] [--latency 2e-6] [--bandwidth 1e10]
"""
import argparse
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import scaling_model


def label(row):
    return f"{row['operator']}, {row['scaling']}, {row['size']}" + (" (mixed)" if row["precision"] == "mixed" else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("-o", "--output", required=True, metavar="PNG")
    parser.add_argument("--ranks", default="16,64,256,1024,4096")
    parser.add_argument("--latency", type=float)
    parser.add_argument("--bandwidth", type=float)
    arguments = parser.parse_args()
    extra = [int(p) for p in arguments.ranks.split(",") if p]
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), constrained_layout=True)
    for number, group in enumerate(scaling_model.families(scaling_model.read(arguments.table))):
        colour = f"C{number % 10}"
        ranks = [int(row["ranks"]) for row in group]
        rates = [float(row["interactions_per_second"]) for row in group]
        single = rates[0] / ranks[0]  # of one rank
        left.plot(ranks, [rate / (single * p) for rate, p in zip(rates, ranks)], "o-", color=colour, label=label(group[0]))
        model = scaling_model.modelled(group, sorted({*ranks, *extra}), arguments.latency, arguments.bandwidth)
        left.plot([p for p, *_ in model], [work / time / (single * p) for p, time, _, _, work in model], "--", color=colour,
                  linewidth=1)
        right.plot(ranks, rates, "o-", color=colour)
        bound = [(p, rate / (float(row["percent_of_ceiling"]) / 100)) for p, rate, row in zip(ranks, rates, group)
                 if row["percent_of_ceiling"] not in ("", "0")]
        if bound:
            right.plot(*zip(*bound), "_", color=colour, markersize=14)
    left.set_ylabel("efficiency against the fewest ranks (dashed: model)")
    right.set_ylabel("interactions per second (bars: at the ceiling that binds)")
    right.set_yscale("log")
    left.set_ylim(0, 1.25)
    for axis in (left, right):
        axis.set_xscale("log", base=2)
        axis.set_xlabel("ranks")
        axis.grid(True, alpha=0.3)
    left.legend(fontsize=7)
    try:
        figure.savefig(arguments.output, dpi=150)
    except (OSError, ValueError) as error:
        sys.exit(f"plot_scaling.py: {arguments.output} ({error}) [choose a name ending in .png in a folder that exists]")
    print(arguments.output)


if __name__ == "__main__":
    main()
