#!/usr/bin/python3
"""What a sweep of hpot-scaling sends and how long it should take, on any number of ranks; and whether measured runs agree.

    scripts/scaling_model.py TABLE.csv [--ranks 64,1024,8192] [--latency 2e-6] [--bandwidth 1e10]

Calls and bytes of the rank with most, by the formulas of include/hpot/solver/scaling.hpp, must be those of every row: exit
code 1 if not. Seconds on p ranks, A arrays of a gather (n bytes in all), B of a reduction (n bytes) and C of an exchange (n
bytes of this rank):
    largest share of the interactions / rate of one rank
    + calls * latency * log2 p + sum over A and C of n (p-1)/p / bandwidth + sum over B of 2 n (p-1)/p / bandwidth
The rate is that of the table's run on fewest ranks. Latency (of one step of a reduction) and bandwidth (bytes per second of a
rank) come from the row on most ranks, measured there with 8 bytes and a mebibyte, or from the command line.
Prints a CSV table: modelled rows beside the measured ones.
"""
import argparse
import csv
import math
import sys

NUMBER = 8
LINES = 8        # of a grid, in a tile that no two ranks share
ON_GRIDS = ("separable", "barycenter", "coordinates")
OF_MEASURES = ("barycenter", "coordinates")  # which ranks divide
ONE_VISIT = ("dense", "stored", "matrix", "geodesic")  # serves both half-steps
VALUES = 1 << 18  # of an exchange at once


def fail(place, why, what_to_do):
    sys.stderr.write(f"scaling_model.py: {place} ({why}) [{what_to_do}]\n")
    sys.exit(2)


def read(path):
    try:
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        fail(path, error.strerror, "name a table of hpot-scaling")
    if not rows or "bytes_per_sweep" not in rows[0]:
        fail(path, "no table of hpot-scaling", "write one with scripts/run_scaling.py")
    return rows


def largest(count, parts):
    return -(-count // parts)


def axes_of(case, ranks):
    """Points along each, the slowest first: "64", or "225x276x208"."""
    axes = [int(n) for n in case["n"].split("x")]
    axes = axes if len(axes) > 1 else axes * int(case["dimension"])
    if case["scaling"] == "weak" and case["operator"] == "separable":
        axes[0] *= ranks
    return axes


def sweeps_of(case):
    """(there and back, made with those made again) of a gradient of coordinates; 1 of others."""
    return int(case.get("sweeps") or 1), int(case.get("sweeps_made") or 1)


def softmins_of(case, measures):
    """(of the work, of the traffic) of a sweep of so many measures on a grid; of coordinates of a gradient, whose averages count once, and
    twice."""
    if case["operator"] == "separable":
        return 2, 2
    extra, sweeps, made = int(case["debiased"] == "true"), *sweeps_of(case)
    there = made * (2 * measures + extra)
    if case["operator"] == "barycenter" or sweeps == 1:
        return there, there
    return (there + (sweeps - 1) * 3 * (measures + extra) + measures,
            there + (sweeps - 1) * (5 * measures + 4 * extra) + measures)


def work(case, ranks):
    """(points, tile, interactions, measures) of a sweep on all ranks; `case` holds the row's words."""
    op = case["operator"]
    weak, before = case["scaling"] == "weak", int(case["ranks"])
    measures = int(case["measures"])
    if op in ON_GRIDS:
        axes = axes_of(case, ranks)
        if weak and op in OF_MEASURES:
            measures = measures // before * ranks
        points = math.prod(axes)
        tile = {1: 64, 2: 8 * axes[-1], 3: points // axes[0]}[len(axes)]
        return points, tile, softmins_of(case, measures)[0] * points * sum(axes), measures
    n = int(case["n"])
    if op in ("heat", "geodesic"):  # spheres of 10 * 4^k + 2 vertices
        n = next(10 * 4**k + 2 for k in range(10) if k == 9 or 10 * 4**k + 2 >= n)
    if op == "truncated":
        n = n // before * ranks if weak else n
        return n, 64, 2 * n, 1
    if op == "heat":
        return n, 64, 2 * n, 1
    if weak:
        n = round(n / math.sqrt(before) * math.sqrt(ranks)) if ranks != before else n
    return n, 64, 2 * n * n, 1


def grid_of(case, ranks):
    """(rows, batches): of the row itself, else every rank its own measure where there are enough."""
    if ranks == int(case["ranks"]):
        return int(case["rows"]), int(case["batches"])
    if case["operator"] not in OF_MEASURES:
        return ranks, 1
    measures = work(case, ranks)[3]
    return min(((ranks // b, b) for b in range(1, ranks + 1) if ranks % b == 0),
               key=lambda shape: (largest(measures, shape[1]) / shape[0], shape[0]))


def softmin(case, ranks, rows):
    """(exchanges, bytes) of a softmin over slabs, of the rank with most."""
    points, tile, _, _ = work(case, ranks)
    planes = axes_of(case, ranks)[0]
    lines = points // planes
    own = min(largest(largest(lines, LINES), rows) * LINES, lines)
    lots = largest(own, max(LINES, min(VALUES // planes // LINES * LINES, own)))
    slab = min(largest(largest(points, tile), rows) * tile, points)
    return 2 * lots, (slab + planes * own) * NUMBER


def traffic(case, ranks):
    """(calls, bytes handed to MPI, bytes gathered in all, bytes reduced, bytes exchanged) of the rank with most."""
    points, tile, _, measures = work(case, ranks)
    rows, batches = grid_of(case, ranks)
    tiles = largest(points, tile)
    local = min(largest(tiles, rows) * tile, points) * NUMBER
    whole, sums = points * NUMBER, tiles * NUMBER
    slabs = case["operator"] in ON_GRIDS and int(case["dimension"]) > 1
    exchanges, bytes_of_one = softmin(case, ranks, rows) if slabs else (1, local)
    own, extra = largest(measures, batches), int(case["debiased"] == "true")
    softmins = softmins_of(case, own)[1] if case["operator"] in ON_GRIDS else 2
    sweeps, made = sweeps_of(case)
    calls = reduced = potentials = 0
    if rows > 1:
        columns = (points + 2) * NUMBER if case["operator"] in ONE_VISIT else 0
        reductions, arrays, numbers = {"barycenter": (1 + extra, own + extra, 0),
                                       "coordinates": (3 * made + sweeps + 2, made + 2 + own * sweeps, 2 * made)}.get(
                                           case["operator"], (1 + (columns > 0), 1, 0))
        calls = softmins * exchanges + reductions
        reduced = columns + arrays * sums + numbers * NUMBER
        potentials = softmins * bytes_of_one
    if batches > 1:
        calls += 2 * made + sweeps if case["operator"] == "coordinates" else 2
        reduced += ((made + sweeps - 1) * local + (made + measures) * NUMBER if case["operator"] == "coordinates"
                    else local + NUMBER)
    gathered = softmins * whole if rows > 1 and not slabs else 0
    return calls, potentials + reduced, gathered, reduced, potentials if slabs else 0


def share(case, ranks):
    """Of the interactions, of the rank with most."""
    points, tile, _, measures = work(case, ranks)
    rows, batches = grid_of(case, ranks)
    own = min(largest(largest(points, tile), rows) * tile, points) / points
    if case["operator"] == "heat":
        return 1.0  # every rank solves for all vertices
    return own * (largest(measures, batches) / measures if case["operator"] in OF_MEASURES else 1.0)


def seconds(case, ranks, rate, latency, bandwidth):
    _, _, interactions, _ = work(case, ranks)
    calls, _, gathered, reduced, exchanged = traffic(case, ranks)
    steps = math.log2(ranks) if ranks > 1 else 0.0
    return (interactions * share(case, ranks) / rate + calls * latency * steps
            + (gathered + exchanged + 2 * reduced) * (ranks - 1) / ranks / bandwidth)


def families(rows):
    """Rows that differ in their ranks alone (weak: and in what grows with them), each in the order of ranks."""
    found = {}
    for row in rows:
        keys = ["operator", "scaling", "dimension", "debiased", "precision", "epsilon", "threads"]
        if row["scaling"] == "strong":
            keys += ["n", "measures", "sweeps", "sweeps_made"]
        found.setdefault(tuple(row.get(key) for key in keys), []).append(row)
    return [sorted(group, key=lambda row: int(row["ranks"])) for group in found.values()]


def network(group, latency=None, bandwidth=None):
    last = group[-1]
    ranks = int(last["ranks"])
    if ranks > 1:
        latency = latency or float(last["latency_seconds"]) / math.log2(ranks)
        transfer = max(float(last["megabyte_seconds"]) - float(last["latency_seconds"]), 1e-9)
        bandwidth = bandwidth or 2 * 2**20 * (ranks - 1) / ranks / transfer
    return latency or 2e-6, bandwidth or 1e10


def rate_of(group):
    first = group[0]
    return work(first, int(first["ranks"]))[2] * share(first, int(first["ranks"])) / float(first["seconds_median"])


def modelled(group, ranks, latency, bandwidth):
    """[(ranks, seconds, calls, bytes, interactions)]"""
    case, rate = group[0], rate_of(group)
    alpha, beta = network(group, latency, bandwidth)
    return [(p, seconds(case, p, rate, alpha, beta), *traffic(case, p)[:2], work(case, p)[2]) for p in ranks]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("--ranks", default="64,1024,8192")
    parser.add_argument("--latency", type=float)
    parser.add_argument("--bandwidth", type=float)
    arguments = parser.parse_args()
    wrong = 0
    print("operator,scaling,size,kind,ranks,seconds,calls,bytes")
    for group in families(read(arguments.table)):
        measured = [int(row["ranks"]) for row in group]
        for row in group:
            p = int(row["ranks"])
            calls, sent, *_ = traffic(row, p)
            said = (int(row["calls_per_sweep"]), int(row["bytes_per_sweep"]))
            print(f"{row['operator']},{row['scaling']},{row['size']},measured,{p},{row['seconds_median']},{said[0]},{said[1]}")
            if said != (calls, sent):
                wrong += 1
                sys.stderr.write(f"scaling_model.py: {row['operator']} on {p} ranks sends {said[1]} bytes in {said[0]} calls, "
                                 f"the model says {sent} in {calls}\n")
        extra = [int(p) for p in arguments.ranks.split(",") if p]
        for p, time, calls, sent, _ in modelled(group, measured + extra, arguments.latency, arguments.bandwidth):
            print(f"{group[0]['operator']},{group[0]['scaling']},{group[0]['size']},modelled,{p},{time:.6g},{calls},{sent}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
