"""How Moran's I, its p-value and the local labels move from one graph to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.errors import GraphError, InputError, RegionError
from spatialkz.geography import neighbor_graph, recipe_family
from spatialkz.options import Alternative, MoranMethod
from spatialkz.resampling.checks import check_alpha
from spatialkz.results import Result, json_ready
from spatialkz.spatial.local_moran import local_moran
from spatialkz.spatial.moran import moran


@dataclass(frozen=True, repr=False)
class GraphSensitivity(Result):
    """Result of :func:`graph_sensitivity`.

    Attributes
    ----------
    table : DataFrame
        What :meth:`to_frame` returns.
    labels : DataFrame
        Index ``(variable, region)``, a column for each graph: labels of
        :func:`spatialkz.spatial.local_moran`.
    alpha : float
        Level of the labels and of ``significant``.
    """

    table: pd.DataFrame
    labels: pd.DataFrame
    alpha: float

    def to_frame(self) -> pd.DataFrame:
        """Index ``(variable, graph)``, with the columns named in :func:`graph_sensitivity`."""
        return self.table.copy()

    def ranges(self) -> pd.DataFrame:
        """One row for each variable.

        Columns: ``statistic_low, statistic_high, p_low, p_high, significant`` (share of the graphs with p ≤
        alpha) and ``signs`` (how many of −, 0, + the deviate takes).
        """
        groups = self.table.groupby("variable", sort=False)
        return pd.DataFrame(
            {
                "statistic_low": groups["statistic"].min(),
                "statistic_high": groups["statistic"].max(),
                "p_low": groups["p_value"].min(),
                "p_high": groups["p_value"].max(),
                "significant": groups["p_value"].agg(lambda p: float((p <= self.alpha).mean())),
                "signs": groups["z"].agg(lambda z: len(np.unique(np.sign(z)))),
            }
        )

    def agreement(self) -> pd.DataFrame:
        """One row for each variable and region: the commonest label, and the share of graphs that give it.

        Of labels equally common the first in the order of the graphs is named.
        """
        commonest = self.labels.apply(lambda row: row.value_counts(sort=True).index[0], axis=1)
        share = self.labels.eq(commonest, axis=0).mean(axis=1)
        return pd.DataFrame({"label": commonest, "share": share})

    def to_dict(self) -> dict[str, object]:
        """Ranges, tables and labels by variable, ready for JSON."""
        variables = self.labels.index.get_level_values("variable").unique()
        ranges = self.ranges()
        return {
            "alpha": self.alpha,
            "variables": {
                str(name): {
                    "range": json_ready(ranges.loc[name]),
                    "graphs": json_ready(self.table.loc[name]),
                    "labels": json_ready(self.labels.loc[name]),
                }
                for name in variables
            },
        }

    def summary(self) -> str:
        """The ranges, and how many regions keep their label on every graph."""
        steady = self.agreement()["share"].eq(1).groupby("variable", sort=False).sum()
        shown = self.ranges().assign(steady_regions=steady)
        return (
            f"Moran's I on {self.labels.shape[1]} graphs, significant where p ≤ {self.alpha:g}\n"
            f"{shown.to_string(float_format='{:.3f}'.format)}"
        )


def graph_sensitivity(
    values: pd.DataFrame | pd.Series,
    graphs: Mapping[str, Graph] | gpd.GeoDataFrame,
    *,
    method: MoranMethod = "permutation",
    permutations: int = 9999,
    alternative: Alternative = "two-sided",
    alpha: float = 0.05,
    rng: int | np.random.Generator | None = None,
) -> GraphSensitivity:
    """Global and local Moran's I of each variable on each of several graphs.

    The null hypotheses are those of :func:`spatialkz.spatial.moran` and
    :func:`spatialkz.spatial.local_moran`. The graphs see the same permutations, so that what moves between
    them is not Monte-Carlo error. p-values of several graphs are several looks at the same data: quote the
    range, not the smallest.

    Parameters
    ----------
    values : DataFrame or Series
        Rows are regions, columns variables.
    graphs : mapping of str to libpysal.graph.Graph, or GeoDataFrame
        By name; each keyed by the region labels of ``values``. Or the regions themselves, polygons or points:
        their graphs are then those of :func:`spatialkz.geography.recipe_family`, isolates attached.
    method, permutations, alternative
        As in :func:`spatialkz.spatial.moran`.
    alpha : float
        Level of the labels.
    rng : int, Generator or None
        Seed of the permutations.

    Returns
    -------
    GraphSensitivity
        ``to_frame()`` has index ``(variable, graph)`` and the columns of :func:`spatialkz.spatial.moran`
        (``p_adjusted`` within a graph), and ``neighbors_mean, neighbors_least, unattainable``: neighbors of a
        region, and the number of regions whose local test can never reach ``alpha``.

    Raises
    ------
    InputError
        If there is no graph, or as the two tests raise; the sentence names the graph.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> graphs = {"queen": study.graph, "second order": study.graph.higher_order(2, lower_order=True)}
    >>> found = graph_sensitivity(study.table.values["electrical"], graphs, permutations=999, rng=1)
    >>> found.to_frame()["statistic"].round(3).tolist()
    [0.236, 0.004]
    """
    check_alpha(alpha)
    if isinstance(graphs, gpd.GeoDataFrame):
        regions = graphs
        graphs = {
            line: neighbor_graph(regions, recipe, isolates="attach")
            for line, recipe in recipe_family(regions).items()
        }
    if not isinstance(graphs, Mapping) or not graphs:
        raise InputError("graphs must be a mapping of names to graphs, with at least one, or a GeoDataFrame.")
    # Each graph starts from the same seed.
    seed = int(np.random.default_rng().integers(2**63)) if rng is None else rng
    if isinstance(seed, np.random.Generator):
        seed = int(seed.spawn(1)[0].integers(2**63))
    tables, labels = {}, {}
    for name, graph in graphs.items():
        try:
            found = moran(
                values, graph, method=method, permutations=permutations, alternative=alternative, rng=seed
            ).to_frame()
            local = local_moran(
                values, graph, permutations=permutations, alternative=alternative, alpha=alpha, rng=seed
            ).to_frame()
        except (GraphError, RegionError) as error:
            raise type(error)(f"Graph {name!r}: {error}") from error
        degree = graph.cardinalities
        never = local["label"].eq("unattainable").groupby("variable", sort=False).sum()
        tables[name] = found.assign(
            neighbors_mean=float(degree.mean()), neighbors_least=int(degree.min()), unattainable=never
        )
        labels[name] = local["label"]
    table = pd.concat(tables, names=["graph"]).swaplevel().rename_axis(index=["variable", "graph"])
    first = next(iter(tables.values())).index
    order = pd.MultiIndex.from_product([first, list(graphs)], names=["variable", "graph"])
    return GraphSensitivity(table.loc[order], pd.DataFrame(labels), alpha)
