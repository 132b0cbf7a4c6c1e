"""How far the result hangs on one region, one sector, or one pair of regions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, combinations

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import csr_array, diags_array

from spatialkz.errors import InputError
from spatialkz.focal.parts import PARTS
from spatialkz.focal.questions.grades import (
    LEAST_REGIONS,
    LEAST_SECTORS,
    checked_quotients,
    graded,
    why_undecided,
)
from spatialkz.focal.questions.null_tables import variance_ratio
from spatialkz.focal.questions.place import moran_columns
from spatialkz.geography.weights import row_standardized
from spatialkz.options import Alternative, Grade
from spatialkz.resampling.checks import check_alpha, check_permutations, seeds_of
from spatialkz.resampling.engine import COMPILE_COLUMNS_FROM, ColumnShuffle, row_sums
from spatialkz.resampling.parallel import in_blocks
from spatialkz.resampling.pvalues import TIE, Floats, simulated_p_value
from spatialkz.resampling.shuffles import Keys, order_keys, random_orders
from spatialkz.results import Result, json_ready

# Regions up to which all pairs are left out by default: 190 pairs.
_PAIRS_UP_TO = 20


@dataclass(frozen=True, repr=False)
class Influence(Result):
    """Result of :func:`influence`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    alpha, permutations
        As given.
    """

    table: pd.DataFrame
    alpha: float
    permutations: int

    def to_frame(self) -> pd.DataFrame:
        """One row for each deletion, with the columns named in :func:`influence`."""
        return self.table.copy()

    def decisive(self) -> pd.DataFrame:
        """Deletions that move a p-value across the level."""
        return self.table[self.table["changes"] != ""]

    def to_dict(self) -> dict[str, object]:
        """Deletions as a list, ready for JSON."""
        rows = self.table.reset_index().to_dict("records")
        plain = {"alpha": self.alpha, "permutations": self.permutations}
        return {**plain, "deletions": [json_ready(row) for row in rows]}

    def summary(self) -> str:
        """What changes the result, as text."""
        found = self.decisive()
        columns = [name for name in self.table.columns if name.endswith("_p")] + ["changes"]
        body = found[columns].to_string(float_format="{:.4f}".format) if len(found) else "none"
        return f"Deletions of {len(self.table) - 1} that change a part at level {self.alpha:g}:\n{body}"


def influence(
    quotients: pd.DataFrame,
    graph: Graph | None = None,
    *,
    threshold: float = 1.0,
    grade: Grade = "count",
    pairs: bool | None = None,
    permutations: int = 9999,
    alpha: float = 0.05,
    rng: int | np.random.Generator | None = None,
) -> Influence:
    """Repeat the tests of co-location, spread and place without each region, sector and pair.

    Everything is computed anew on what is left: graded quotients, the margins of the null tables, and the
    weights, row-standardized again. The null hypotheses are those of ``null="columns"`` in
    :func:`spatialkz.focal.colocation_test` (for co-location and, of the same tables, few territories) and of
    :func:`spatialkz.focal.contiguity_test` (Moran's I of breadth); all tests are one-sided. Shape is not
    asked for again, as its models would have to be simulated for every deletion. All deletions see the same
    random numbers, so what moves between them is little of it Monte-Carlo error. A region whose last neighbor
    is left out stays in and adds nothing to Moran's I.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients of at least 6 regions (7 with pairs) and 2 sectors. Of two sectors none can be left
        out.
    graph : Graph, optional
        Keyed by the same region labels. Left out, co-location alone is tested.
    threshold, grade
        As in :func:`spatialkz.focal.colocation_test`.
    pairs : bool, optional
        Whether pairs of regions are left out too; by default for up to 20 regions.
    permutations : int
        At least 99.
    alpha : float
        Level of ``changes``.
    rng : int, Generator or None
        Seed. The order of rows and columns does not matter.

    Returns
    -------
    Influence
        ``to_frame()`` has index ``(kind, dropped)``, kind ``none, region, sector`` or ``pair``, and columns
        ``colocation_statistic, colocation_p`` (variance ratio), for the grade ``count`` ``spread_statistic,
        spread_p`` (regions with any specialization) and, with a graph, ``contiguity_statistic, contiguity_p,
        isolates`` (Moran's I of breadth, and regions left without neighbors); ``changes`` names the parts
        whose p-value is on the other side of ``alpha`` than with everything in. A statistic that cannot be
        had is missing and its p-value 1.

    Raises
    ------
    InputError
        If a cell is missing or negative, or there are too few regions or sectors.
    RegionError, GraphError
        If graph and quotients differ in their regions, or a region has no neighbor to begin with.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> found = influence(study.table.values, study.graph, pairs=False, permutations=999, rng=1)
    >>> found.decisive().index.get_level_values("dropped").tolist()
    ['Almaty City', 'chemical']
    """
    check_permutations(permutations)
    check_alpha(alpha)
    table = checked_quotients(quotients)
    pairs = len(table) <= _PAIRS_UP_TO if pairs is None else pairs
    least = LEAST_REGIONS + 1 + pairs
    if len(table) < least:
        raise InputError(
            f"quotients has {len(table)} regions; to leave some out at least {least} are needed."
        )
    deletions = list(_deletions(quotients, pairs))
    seeds = seeds_of(rng, "influence")
    keys = order_keys(np.random.default_rng(seeds), permutations)
    weights = None if graph is None else row_standardized(graph, table.index)
    sizes = range(len(table) - (2 if pairs else 1), len(table) + 1) if graph is not None else range(0)
    orders = {size: random_orders(size, keys) for size in sizes}
    # What a deletion costs at most, in places dealt.
    uncommon = ColumnShuffle.of(graded(table, grade, threshold).to_numpy()).surplus
    steps = len(deletions) * permutations * len(uncommon)
    full = _FullTable(table, grade, threshold, weights, keys, orders, steps > COMPILE_COLUMNS_FROM)
    rows = chain.from_iterable(in_blocks(partial(_rows, full, deletions), len(deletions), steps))
    names = ["kind", "dropped"]
    index = pd.MultiIndex.from_tuples(
        [(kind, " + ".join(map(str, dropped))) for kind, dropped in deletions], names=names
    )
    result = pd.DataFrame(list(rows), index=index)
    changes = pd.Series("", index=index)
    for part, test in zip(PARTS, ("colocation", "spread", "contiguity"), strict=True):
        if f"{test}_p" in result:
            significant = result[f"{test}_p"] <= alpha
            crossed = significant != significant.iloc[0]
            changes = changes.mask(crossed, changes + ", " + part)
    result["changes"] = changes.str.removeprefix(", ")
    return Influence(result, alpha, permutations)


_Deletion = tuple[str, tuple[object, ...]]


def _deletions(quotients: pd.DataFrame, pairs: bool) -> Iterator[_Deletion]:
    yield "none", ()
    yield from (("region", (region,)) for region in quotients.index)
    if quotients.shape[1] > LEAST_SECTORS:
        yield from (("sector", (sector,)) for sector in quotients.columns)
    if pairs:
        yield from (("pair", pair) for pair in combinations(quotients.index, 2))


@dataclass(frozen=True)
class _FullTable:
    """What all deletions share; ``orders`` are permutations of the regions, by their number."""

    table: pd.DataFrame
    grade: Grade
    threshold: float
    weights: csr_array | None
    keys: Keys
    orders: dict[int, np.ndarray]
    compiled: bool


def _rows(full: _FullTable, deletions: list[_Deletion], part: slice) -> list[dict[str, float]]:
    return [_row(full, *deletion) for deletion in deletions[part]]


def _row(full: _FullTable, kind: str, dropped: tuple[object, ...]) -> dict[str, float]:
    rest = (
        full.table.drop(columns=list(dropped)) if kind == "sector" else full.table.drop(index=list(dropped))
    )
    cells = graded(rest, full.grade, full.threshold).to_numpy()
    breadth = cells.sum(axis=1)
    counted = full.grade == "count"
    row = {"colocation_statistic": np.nan, "colocation_p": 1.0}
    row |= {"spread_statistic": np.nan, "spread_p": 1.0} if counted else {}
    if not why_undecided(cells, full.grade, full.threshold):
        observed = float(variance_ratio(breadth, cells))
        sums = row_sums(ColumnShuffle.of(cells), full.keys, compiled=full.compiled)
        p_value = _p_value(observed, variance_ratio(sums, cells), "greater")
        row |= {"colocation_statistic": observed, "colocation_p": p_value}
        if counted:
            covered = float((breadth > 0).sum())
            p_value = _p_value(covered, (sums > 0).sum(axis=1).astype(np.float64), "less")
            row |= {"spread_statistic": covered, "spread_p": p_value}
    if full.weights is None:
        return row
    keep = full.table.index.get_indexer(rest.index)
    weights = standardized_again(csr_array(full.weights[keep][:, keep]))
    row |= {"contiguity_statistic": np.nan, "contiguity_p": 1.0}
    row["isolates"] = int((np.diff(weights.indptr) == 0).sum())
    if weights.nnz and breadth.max() - breadth.min() > TIE * max(1.0, np.abs(breadth).max()):
        observed = float(moran_columns(breadth[:, None], weights)[0])
        null = moran_columns(breadth[full.orders[len(keep)]], weights)
        row |= {"contiguity_statistic": observed, "contiguity_p": _p_value(observed, null, "greater")}
    return row


def standardized_again(weights: csr_array) -> csr_array:
    """Rows scaled to sum to 1, where there is anything to scale."""
    totals = np.asarray(weights.sum(axis=1))
    again = csr_array(diags_array(1 / np.where(totals > 0, totals, 1.0)) @ weights)
    again.eliminate_zeros()
    return again


def _p_value(observed: float, null: Floats, alternative: Alternative) -> float:
    return float(simulated_p_value(np.array([observed]), null[:, None], alternative)[0])
