"""What global and local tests share: checked input, result objects, and how their tables are put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy import stats
from scipy.sparse import csr_array

from spatialkz.errors import InputError, listing
from spatialkz.geography import aligned
from spatialkz.inference import (
    Alternative,
    Floats,
    check_alternative,
    false_discovery_adjusted,
    normal_p_value,
    permutation_p_value,
)
from spatialkz.randomness import generator
from spatialkz.results import frozen, json_ready
from spatialkz.spatial.moran import refuse_constants
from spatialkz.tables import check_table

# Statistics closer than this share of their scale are ties; ties count on both sides.
TIE = 1e-10


@dataclass(frozen=True)
class GlobalTest:
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
        Number of permutations; 0 for the analytic methods.
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
        how = f"{self.permutations} permutations" if self.permutations else f"method {first['method']}"
        columns = ["statistic", "expected", "z", "p_value", "p_adjusted"]
        return (
            f"{self.title}, n = {first['n']}, {how}, {first['alternative']}\nNull hypothesis: {self.null}\n"
            f"{self.table[columns].to_string(float_format='{:.4f}'.format)}"
        )


@dataclass(frozen=True)
class LocalTest:
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


def checked(
    values: pd.DataFrame | pd.Series,
    graph: Graph,
    *,
    transform: str,
    alternative: str,
    name: str = "values",
    minimum: float | None = None,
) -> tuple[pd.DataFrame, csr_array]:
    """Table with its regions sorted, and the weights in that order.

    Sorted, so that the order of the rows does not decide which permutations are drawn.
    """
    check_alternative(alternative)
    table = check_table(values, name=name, minimum=minimum, least_regions=4).sort_index()
    refuse_constants(table)
    return table, weight_matrix(graph, table.index, transform)


def weight_matrix(graph: Graph, regions: pd.Index, transform: str) -> csr_array:
    """Weights in the order of ``regions``: ``transform`` is "r" (row-standardized) or "b" (binary)."""
    weights = csr_array(aligned(graph, regions).transform(transform).sparse)
    weights.eliminate_zeros()
    return weights


def check_choice(method: str, choices: tuple[str, ...]) -> None:
    """Refuse a method that the statistic does not have."""
    if method not in choices:
        raise InputError(f"method is {method!r}; it must be one of {listing(choices)}.")


def check_alpha(alpha: float) -> None:
    """Refuse a level that is no probability."""
    if not 0 < alpha < 1:
        raise InputError(f"alpha is {alpha}; it must lie between 0 and 1.")


def check_permutations(permutations: int) -> None:
    """Refuse fewer than 99 permutations."""
    if permutations < 99:
        raise InputError(f"permutations is {permutations}; at least 99 are needed.")


def seeds_of(rng: int | np.random.Generator | None, stream: str) -> np.random.SeedSequence:
    """Seeds from which several forms can draw the same permutations."""
    seeds = generator(rng, stream).bit_generator.seed_seq
    if not isinstance(seeds, np.random.SeedSequence):
        raise InputError("rng is a Generator without a SeedSequence; make it by numpy.random.default_rng.")
    return seeds


def deviates(statistic: Floats, expected: Floats, variance: Floats) -> Floats:
    """(statistic − expected) / √variance; NaN where the null leaves the statistic no room to vary."""
    fixed = variance <= TIE * (np.abs(expected) ** 2 + np.abs(statistic) ** 2) * 1e-4
    spread = np.sqrt(np.where(fixed, np.nan, variance))
    return np.asarray((statistic - expected) / spread, dtype=np.float64)


def permutation_parts(
    observed: Floats, simulated: Floats, alternative: Alternative
) -> tuple[Floats, Floats, Floats]:
    """p-value, and the central 95 % of simulated statistics (rows permutations, columns variables)."""
    slack = TIE * np.maximum(1.0, np.abs(observed))
    p_value = permutation_p_value(
        (simulated >= observed - slack).sum(axis=0),
        (simulated <= observed + slack).sum(axis=0),
        len(simulated),
        alternative,
    )
    low, high = np.quantile(simulated, [0.025, 0.975], axis=0)
    return p_value, low, high


def normal_parts(
    deviate: Floats, expected: Floats, variance: Floats, alternative: Alternative
) -> tuple[Floats, Floats, Floats]:
    """p-value of normal deviates (1 where there is none), and the central 95 % of the statistic."""
    p_value = np.where(np.isnan(deviate), 1.0, normal_p_value(np.nan_to_num(deviate), alternative))
    spread = stats.norm.isf(0.025) * np.sqrt(np.maximum(variance, 0.0))
    return p_value, expected - spread, expected + spread


def global_frames(
    index: pd.Index,
    columns: Mapping[str, Floats],
    parts: tuple[Floats, Floats, Floats],
    *,
    n: int,
    method: str,
    alternative: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Table and envelope of a :class:`GlobalTest`; ``columns`` are statistic, expected, variance and z."""
    p_value, low, high = parts
    table = pd.DataFrame(dict(columns), index=index).assign(
        p_value=p_value,
        p_adjusted=false_discovery_adjusted(p_value),
        n=n,
        method=method,
        alternative=alternative,
    )
    return frozen(table), frozen(pd.DataFrame({"low": low, "high": high}, index=index))


def local_frame(
    table: pd.DataFrame,
    columns: Mapping[str, NDArray[np.generic]],
    p_value: Floats,
    p_min: Floats,
    labels: NDArray[np.str_],
    alpha: float,
    order: pd.Index,
) -> pd.DataFrame:
    """Long table of a :class:`LocalTest`, regions in ``order``; FDR over the regions of each variable.

    ``labels`` are what each region is called if it is significant.
    """
    frames = []
    for k in range(table.shape[1]):
        frame = pd.DataFrame({name: cells[:, k] for name, cells in columns.items()}, index=table.index)
        frame["p_value"] = p_value[:, k]
        frame["p_adjusted"] = false_discovery_adjusted(p_value[:, k])
        frame["p_min"] = p_min[:, k]
        label = pd.Series(labels[:, k], index=table.index, dtype=object)
        label = label.where(frame["p_value"] <= alpha, "not significant")
        frame["label"] = label.where(frame["p_min"] <= alpha, "unattainable")
        frames.append(frame.loc[order])
    names = [table.columns.name or "variable"] if table.columns.nlevels == 1 else list(table.columns.names)
    keys = list(table.columns)
    return frozen(pd.concat(frames, keys=keys, names=[*names, "region"]))


def _flat(index: pd.Index) -> pd.Index:
    """Levels of an index joined by a cross, for JSON keys."""
    if index.nlevels == 1:
        return index.astype(str)
    return pd.Index([" × ".join(map(str, levels)) for levels in index])
