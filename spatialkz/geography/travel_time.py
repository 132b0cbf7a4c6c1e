"""Graph recipe by travel times that the user brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from spatialkz.errors import InputError, RegionError, listing
from spatialkz.geography.places import Layout
from spatialkz.geography.recipes import Recipe, check_option, check_positive, check_whole
from spatialkz.options import Asymmetry
from spatialkz.tables import check_same_regions

_WORDS = {"mean": "mean of both ways", "longer": "longer way", "shorter": "shorter way", "keep": "each way"}


@dataclass(frozen=True, eq=False)
class TravelTime(Recipe):
    r"""Neighbors by minutes of travel: the nearest, those within a limit, or all with falling weight.

    .. math:: w_{ij} = t_{ij}^{-p} \text{ with a power p, else } 1

    Only pairs in the table can become neighbors. Give ``k`` or ``threshold`` or ``power``; the power can also
    weight the neighbors that ``k`` or ``threshold`` picks.

    Parameters
    ----------
    table : DataFrame
        The first three columns are from, to, minutes; a pair stands once for each direction, or in one
        direction for both. Pairs of a region with itself are passed over.
    k : int, optional
        Number of nearest regions; times that tie go in the order of the table's first mention of a region.
    threshold : float, optional
        Minutes, included.
    power : float, optional
        p, positive.
    asymmetry : {"mean", "longer", "shorter", "keep", "error"}
        What to do where there and back differ: take the mean, the longer or the shorter time for both, keep
        each (then the graph is directed), or refuse. (``k`` nearest are directed under every policy.)

    Raises
    ------
    InputError
        If minutes are missing or not positive, a pair repeats, or options do not fit.
    RegionError
        If the table lacks regions or has others.

    Examples
    --------
    >>> rows = [("a", "b", 30), ("b", "a", 40), ("b", "c", 90)]
    >>> times = pd.DataFrame(rows, columns=["from", "to", "minutes"])
    >>> print(TravelTime(times, threshold=60))
    travel time up to 60 minutes (mean of both ways)
    """

    table: pd.DataFrame
    k: int | None = None
    threshold: float | None = None
    power: float | None = None
    asymmetry: Asymmetry = "mean"

    def __post_init__(self) -> None:
        check_option(self.asymmetry, "asymmetry", get_args(Asymmetry))
        if self.k is not None:
            check_whole(self.k, "k")
        if self.threshold is not None:
            check_positive(self.threshold, "threshold", "minutes")
        if self.power is not None:
            check_positive(self.power, "power")
        if self.k is None and self.threshold is None and self.power is None:
            raise InputError("Travel time needs k, threshold (minutes) or power.")
        if self.k is not None and self.threshold is not None:
            raise InputError("Travel time takes k or threshold, not both.")
        object.__setattr__(self, "table", _checked(self.table, self.asymmetry))

    def __repr__(self) -> str:
        return (
            f"TravelTime(<{len(self.table)} times>, k={self.k}, threshold={self.threshold}, "
            f"power={self.power}, asymmetry={self.asymmetry!r})"
        )

    def __str__(self) -> str:
        words = "travel time"
        if self.k is not None:
            words += f", {self.k} nearest"
        if self.threshold is not None:
            words += f" up to {self.threshold:g} minutes"
        if self.power is not None:
            words += f", inverse with power {self.power:g}"
        return f"{words} ({_WORDS.get(self.asymmetry, 'the same both ways')})"

    def weights(self, layout: Layout) -> csr_array:
        """Weights by minutes."""
        table, n = self.table, len(layout)
        named = pd.Index(table["from"])  # holds every region: each pair stands both ways
        check_same_regions(named.unique(), layout.labels.astype(str), "the travel table", "the map")
        if self.k is not None:
            few = named.value_counts().loc[lambda count: count < self.k].index
            if len(few):
                raise InputError(
                    f"k is {self.k}, but the travel table has fewer than {self.k} pairs for {listing(few)}."
                )
            table = table.sort_values("minutes", kind="stable").groupby("from", sort=False).head(self.k)
        if self.threshold is not None:
            table = table[table["minutes"] <= self.threshold]
        place = pd.Series(np.arange(n), index=layout.labels.astype(str))
        i, j = place.loc[table["from"]].to_numpy(), place.loc[table["to"]].to_numpy()
        values = np.ones(len(table)) if self.power is None else table["minutes"].to_numpy() ** -self.power
        return csr_array((values, (i, j)), shape=(n, n))


def _checked(table: pd.DataFrame, asymmetry: Asymmetry) -> pd.DataFrame:
    """Columns from, to, minutes, each pair both ways, with the asymmetry settled."""
    if not isinstance(table, pd.DataFrame) or table.shape[1] < 3:
        raise InputError("The travel table must be a DataFrame whose columns are from, to and minutes.")
    pairs = table.iloc[:, :3].set_axis(["from", "to", "minutes"], axis=1).reset_index(drop=True)
    if pairs[["from", "to"]].isna().any(axis=None):
        raise RegionError("The travel table must name two regions in every row.")
    pairs = pairs.astype({"from": str, "to": str})
    pairs = pairs[pairs["from"] != pairs["to"]]
    pairs["minutes"] = pd.to_numeric(pairs["minutes"], errors="coerce").astype(float)
    wrong = ~(np.isfinite(pairs["minutes"]) & (pairs["minutes"] > 0))
    if wrong.any():
        raise InputError(f"Minutes must be positive numbers, but are not for {_names(pairs[wrong])}.")
    twice = pairs.duplicated(["from", "to"])
    if twice.any():
        raise InputError(f"Each way may stand once in the travel table, but {_names(pairs[twice])} repeats.")
    back = pairs.rename(columns={"from": "to", "to": "from"})
    both = pairs.merge(back, on=["from", "to"], how="outer", suffixes=("", "_back"), sort=False)
    there, back_minutes = both["minutes"], both["minutes_back"]
    there, back_minutes = there.fillna(back_minutes), back_minutes.fillna(there)
    if asymmetry == "error" and (there != back_minutes).any():
        raise InputError(f"There and back take different times for {_names(both[there != back_minutes])}.")
    settled = {
        "mean": (there + back_minutes) / 2,
        "longer": np.maximum(there, back_minutes),
        "shorter": np.minimum(there, back_minutes),
    }
    both["minutes"] = settled.get(asymmetry, there)
    first = {name: at for at, name in enumerate(pd.unique(pairs[["from", "to"]].to_numpy().ravel()))}
    order = np.lexsort((both["to"].map(first), both["from"].map(first)))
    return both.iloc[order][["from", "to", "minutes"]].reset_index(drop=True)


def _names(pairs: pd.DataFrame) -> str:
    return listing(f"{a} – {b}" for a, b in zip(pairs["from"], pairs["to"], strict=True))
