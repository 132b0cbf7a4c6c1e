"""What global and local tests share: result objects, and how their tables are put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spatialkz.errors import InputError, listing
from spatialkz.options import Alternative, FdrOver
from spatialkz.resampling.parallel import in_blocks
from spatialkz.resampling.pvalues import Floats, adjusted
from spatialkz.results import Result, json_ready

# Small whole numbers, regions × variables, and the names they stand for.
Coded: TypeAlias = tuple[NDArray[np.int8], Sequence[str]]


@dataclass(frozen=True, repr=False)
class GlobalTest(Result):
    """Result of a global test.

    Attributes
    ----------
    title : str
        Name of the statistic.
    null : str
        The null hypothesis in a sentence.
    table : DataFrame
        What :meth:`to_frame` returns.
    envelope : DataFrame
        ``low`` and ``high``: the central 95 % of the statistic under the null, a row for each row of
        ``table``.
    permutations : int
        Number of permutations; 0 where none were drawn.
    """

    title: str
    null: str
    table: pd.DataFrame
    envelope: pd.DataFrame
    permutations: int

    def to_frame(self) -> pd.DataFrame:
        """One row for each variable, with the columns of :func:`spatialkz.spatial.moran`."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """The table and the null envelope, ready for JSON."""
        joined = self.table.join(self.envelope.add_prefix("null_"))
        joined.index = _flat(joined.index)
        return {"statistic": self.title, "permutations": self.permutations, "variables": json_ready(joined)}

    def summary(self) -> str:
        """The table as text, with what was tested."""
        first = self.table.iloc[0]
        methods = list(self.table["method"].unique())
        how = f"{self.permutations} permutations" if self.permutations else f"method {methods[0]}"
        columns = ["statistic", "expected", "z", "p_value", "p_adjusted"]
        if len(methods) > 1:
            how, columns = f"exact or {how}", [*columns, "method"]
        # Formatters change the width of columns, so they are used only where a p-value needs one.
        small = self.table["p_value"].min() < 0.00005
        told = {name: _p_value for name in ("p_value", "p_adjusted") if small}
        shown = self.table[columns].to_string(float_format="{:.4f}".format, formatters=told or None)
        return (
            f"{self.title}, n = {first['n']}, {how}, {first['alternative']}\nNull hypothesis: {self.null}\n"
            f"{shown}"
        )


@dataclass(frozen=True, repr=False)
class LocalTest(Result):
    """Result of a local test.

    Attributes
    ----------
    title : str
        Name of the statistic.
    null : str
        The null hypothesis in a sentence.
    table : DataFrame
        What :meth:`to_frame` returns.
    methods : Series
        By region: ``exact`` or ``permutation``.
    alternative, alpha
        As given.
    """

    title: str
    null: str
    table: pd.DataFrame
    methods: pd.Series
    alternative: Alternative
    alpha: float

    def to_frame(self) -> pd.DataFrame:
        """One row for each variable and region: ``statistic`` to ``p_value, p_adjusted, p_min, label``."""
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """Tables by variable, ready for JSON."""
        flat = pd.Series(_flat(self.table.reset_index("region").index), index=self.table.index)
        by_variable = {
            str(name): json_ready(rows.droplevel(list(range(self.table.index.nlevels - 1))))
            for name, rows in self.table.groupby(flat, sort=False)
        }
        return {
            "statistic": self.title,
            "alternative": self.alternative,
            "alpha": self.alpha,
            "methods": json_ready(self.methods),
            "variables": by_variable,
        }

    def summary(self) -> str:
        """How many regions carry each label, by variable."""
        levels = [*self.table.index.names[:-1], "label"]
        counts = self.table.groupby(levels, sort=False).size().unstack("label", fill_value=0)
        return (
            f"{self.title}, {self.alternative}, label where p ≤ {self.alpha:g} (not adjusted)\n"
            f"Null hypothesis: {self.null}\n{counts.to_string()}"
        )


def global_frames(
    index: pd.Index,
    columns: Mapping[str, Floats],
    parts: tuple[Floats, Floats, Floats],
    *,
    n: int,
    method: str | Sequence[str],
    alternative: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Table and envelope of a :class:`GlobalTest`; ``columns`` are statistic, expected, variance and z.

    ``method`` is one for all variables, or one for each.
    """
    p_value, low, high = parts
    found = {
        **columns,
        "p_value": p_value,
        "p_adjusted": adjusted(p_value),
        "n": n,
        "method": method,
        "alternative": alternative,
    }
    table = pd.DataFrame(found, index=index)
    return table, pd.DataFrame({"low": low, "high": high}, index=index)


def local_frame(
    table: pd.DataFrame,
    columns: Mapping[str, NDArray[Any] | Coded],
    p_value: Floats,
    p_min: Floats,
    labels: Coded,
    alpha: float,
    order: pd.Index,
    fdr_over: FdrOver = "regions",
) -> pd.DataFrame:
    """Long table of a :class:`LocalTest` on read-only arrays: variable by variable, regions in ``order``.

    ``columns`` and the p-values are regions × variables; ``labels`` are what each region is called if it is
    significant. ``fdr_over`` tells what the Benjamini–Hochberg adjustment covers: the regions of each
    variable, or all regions of all variables.
    """
    if fdr_over not in get_args(FdrOver):
        raise InputError(f"fdr_over is {fdr_over!r}; it must be one of {listing(get_args(FdrOver))}.")
    place = table.index.get_indexer(order)
    codes, names = labels
    names = [*names, "not significant", "unattainable"]
    code = np.where(p_value <= alpha, codes, np.int8(len(names) - 2))
    code = np.where(p_min <= alpha, code, np.int8(len(names) - 1))
    families = p_value.T if fdr_over == "regions" else p_value.T.reshape(1, -1)
    adjusted = np.concatenate(in_blocks(partial(_adjusted, families), len(families), steps=20 * table.size))
    found: dict[str, Any] = {name: _column(cells, place) for name, cells in columns.items()}
    found["p_value"] = _column(p_value, place)
    found["p_adjusted"] = _column(adjusted.reshape(p_value.T.shape).T, place)
    found["p_min"] = _column(p_min, place)
    found["label"] = _column((code, names), place)
    return pd.DataFrame(found, index=_by_variable(table.columns, order), copy=False)


def _by_variable(variables: pd.Index, regions: pd.Index) -> pd.MultiIndex:
    """Every variable (of one or more levels) with every region."""
    if variables.nlevels == 1:
        return pd.MultiIndex.from_product([variables, regions], names=["variable", "region"])
    repeated = variables.repeat(len(regions))
    levels = [repeated.get_level_values(level) for level in range(variables.nlevels)]
    again = regions.take(np.tile(np.arange(len(regions)), len(variables)))
    return pd.MultiIndex.from_arrays([*levels, again], names=[*variables.names, "region"])


def _column(cells: NDArray[Any] | Coded, place: NDArray[np.intp]) -> Any:
    """Regions × variables as one read-only column."""
    if isinstance(cells, tuple):
        codes, names = cells
        return pd.Series(list(names)).array.take(_column(codes, place))
    in_order = bool((place[1:] > place[:-1]).all())
    column = cells.T.ravel() if in_order else cells.T.take(place, axis=1).ravel()
    column.flags.writeable = False
    return column


def _adjusted(p_values: Floats, part: slice) -> Floats:
    return adjusted(p_values[part])


def _flat(index: pd.Index) -> pd.Index:
    """Levels of an index joined by a cross, for JSON keys."""
    if index.nlevels == 1:
        return index.astype(str)
    return pd.Index([" × ".join(map(str, levels)) for levels in index])


def _p_value(value: float) -> str:
    return "<0.0001" if value < 0.00005 else f"{value:.4f}"
