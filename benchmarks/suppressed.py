"""Suppressed cells: how often the interval holds the true value, how wide it is, and how long it takes.

Tables whose cells are known lose a tenth of them; totals of regions and sectors stay printed. Made-up tables
are multinomial draws of a skewed table; printed ones are value added by region and section, in millions of
tenge, of three years (`data/gva_by_region.csv`), with what is left of the gross regional product as a sector.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

from spatialkz.datasets import read_table
from spatialkz.tables import bound_suppressed, fill_suppressed
from spatialkz.tables.levels import Totals

SHAPES = [(17, 11), (20, 6), (50, 20), (100, 30)]


def made_up_tables(tables: int, rng: np.random.Generator) -> list[pd.DataFrame]:
    found = []
    for number in range(tables):
        n, k = SHAPES[number % len(SHAPES)]
        share = rng.lognormal(0, 1.5, (n, k))
        counts = rng.multinomial(50 * n * k, (share / share.sum()).ravel()).reshape(n, k)
        found.append(pd.DataFrame(counts, index=[f"r{i}" for i in range(n)], columns=range(k), dtype=float))
    return found


def printed_tables(tables: int) -> list[pd.DataFrame]:
    frame = read_table("gva_by_region").dropna()
    years = []
    for _, rows in frame.groupby("year"):
        table = rows.set_index("region").drop(columns=["year", "IND"]).astype(float)
        rest = (table.pop("GRP") - table.sum(axis=1)).round(1)
        years.append(table.assign(rest=rest))
    return [years[number % len(years)] for number in range(tables)]


def simulation(source: str, *, tables: int, hidden: float = 0.1, seed: int = 1, method: str = "auto") -> dict:
    """Bounds of many tables: cells outside (must be 0), widths, and the error of the point."""
    rng = np.random.default_rng(seed)
    made = made_up_tables(tables, rng) if source == "multinomial" else printed_tables(tables)
    rows = []
    outside = seconds = told = outer = 0.0
    for table in made:
        gone = rng.random(table.shape) < hidden
        totals = {"region_totals": table.sum(axis=1), "sector_totals": table.sum()}
        start = time.perf_counter()
        found = bound_suppressed(table.mask(gone), **totals, method=method)
        seconds += time.perf_counter() - start
        low, high, true = (part.to_numpy()[gone] for part in (found.low, found.high, table))
        outside += ((true < low) | (true > high)).sum()
        outer += found.outer
        told += (low == high).sum()
        point = fill_suppressed(table.mask(gone), found, Totals.of(table, **totals)).to_numpy()[gone]
        of_total = np.broadcast_to(table.sum().to_numpy(), table.shape)[gone]
        rows.append(pd.DataFrame({"true": true, "width": high - low, "total": of_total, "point": point}))
    cells = pd.concat(rows)
    some = cells[cells["true"] > 0]
    return {
        "source": source,
        "tables": len(made),
        "cells": len(cells),
        "outside": int(outside),
        "told": told / len(cells),
        "outer": outer / len(cells),
        "width_of_value": (some["width"] / some["true"]).mean(),
        "median_width_of_value": (some["width"] / some["true"]).median(),
        "width_of_total": (cells["width"] / cells["total"]).mean(),
        "point_error_of_total": ((cells["point"] - cells["true"]).abs() / cells["total"]).mean(),
        "seconds": seconds,
    }


def large(regions: int, sectors: int, hidden: float, seed: int = 0) -> str:
    """Time of one large table, and whether every true value lies within."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.lognormal(3, 1.5, (regions, sectors))).astype(float)
    table = pd.DataFrame(counts)
    gone = rng.random(table.shape) < hidden
    start = time.perf_counter()
    found = bound_suppressed(
        table.mask(gone), region_totals=table.sum(axis=1), sector_totals=table.sum(), whole=True
    )
    bounded = time.perf_counter()
    fill_suppressed(
        table.mask(gone), found, Totals.of(table, region_totals=table.sum(axis=1), sector_totals=table.sum())
    )
    filled = time.perf_counter()
    low, high = found.low.to_numpy()[gone], found.high.to_numpy()[gone]
    outside = int(((counts[gone] < low) | (counts[gone] > high)).sum())
    return (
        f"{regions:,} x {sectors}, {gone.sum():,} hidden: bounds ({found.method}) {bounded - start:.1f} s, "
        f"point values {filled - bounded:.1f} s, {outside} outside"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=200, help="tables of each source")
    parser.add_argument("--hidden", type=float, default=0.1, help="share of cells hidden")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--method", default="auto", choices=["auto", "exact", "shuttle"])
    parser.add_argument("--no-large", action="store_true", help="leave out the 3,000 x 300 table")
    given = parser.parse_args()
    rows = [
        simulation(source, tables=given.tables, hidden=given.hidden, seed=given.seed, method=given.method)
        for source in ("multinomial", "printed")
    ]
    print(pd.DataFrame(rows).set_index("source").T.to_string(float_format="{:.3g}".format))
    if not given.no_large:
        print(large(3_000, 300, given.hidden, given.seed))


if __name__ == "__main__":
    main()
