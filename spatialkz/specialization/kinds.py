"""Every quotient that makes a region × sector table, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, get_args

import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.options import QuotientKind
from spatialkz.specialization.quotients import location_quotient, symmetric_quotient
from spatialkz.specialization.variants import (
    additive_quotient,
    log_standardized_quotient,
    normalized_rca,
    standardized_quotient,
)
from spatialkz.specialization.windowed import windowed_quotient

if TYPE_CHECKING:
    from libpysal.graph import Graph


class QuotientFunction(Protocol):
    """A quotient of margins alone."""

    def __call__(
        self,
        values: pd.DataFrame,
        base: pd.Series | pd.DataFrame | None = None,
        *,
        groups: pd.Series | None = None,
        contained: bool = True,
    ) -> pd.DataFrame:
        """Quotients of the regions (rows) in the sectors (columns)."""


def _of_simple(transform: Callable[[pd.DataFrame], pd.DataFrame]) -> QuotientFunction:
    def quotient(
        values: pd.DataFrame,
        base: pd.Series | pd.DataFrame | None = None,
        *,
        groups: pd.Series | None = None,
        contained: bool = True,
    ) -> pd.DataFrame:
        return transform(location_quotient(values, base, groups=groups, contained=contained))

    return quotient


QUOTIENT_KINDS: dict[str, QuotientFunction] = {
    "simple": location_quotient,
    "symmetric": _of_simple(symmetric_quotient),
    "additive": additive_quotient,
    "normalized": normalized_rca,
    "standardized": _of_simple(standardized_quotient),
    "log-standardized": _of_simple(log_standardized_quotient),
}
"""Kinds that need nothing but margins; ``windowed`` needs a graph too."""


def quotients_of_kind(
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    kind: QuotientKind = "simple",
    groups: pd.Series | None = None,
    contained: bool = True,
    graph: Graph | None = None,
    floor: float | None = None,
) -> pd.DataFrame:
    """Quotients of the regions in the sectors, of a kind chosen by name.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Volumes or counts, all in one unit.
    base : Series or DataFrame, optional
        Base of each region; with ``groups``, a DataFrame with one column for each group. Left out, the sum of
        the region's row, within each group.
    kind : {"simple", "symmetric", "additive", "normalized", "standardized", "log-standardized", "windowed"}
        Which quotient; each is a function of its own, with its formula.
    groups : Series, optional
        Sector → base group.
    contained : bool
        Whether the base contains the sectors and is in their unit, so that no cell may exceed it.
    graph : libpysal.graph.Graph, optional
        Neighbors of the regions; for ``windowed`` alone, which needs it.
    floor : float, optional
        Smaller simple quotients count as it; for ``log-standardized`` alone, which needs it if a cell is 0.

    Returns
    -------
    DataFrame, shape (regions, sectors)

    Raises
    ------
    InputError
        If ``kind`` is unknown, an option is missing or belongs to another kind, or the margins are bad.

    Examples
    --------
    >>> jobs = pd.DataFrame({"steel": [30, 10], "law": [10, 30]}, index=["North", "South"])
    >>> quotients_of_kind(jobs, kind="symmetric")["steel"].round(3).tolist()
    [0.2, -0.333]
    """
    if kind not in get_args(QuotientKind):
        raise InputError(f"kind is {kind!r}; it must be one of {listing(get_args(QuotientKind), 7)}.")
    if (graph is not None) != (kind == "windowed"):
        raise InputError(
            f"The {kind} quotient {'takes no' if graph is not None else 'needs a'} graph of neighbors."
        )
    if floor is not None and kind != "log-standardized":
        raise InputError(f"The {kind} quotient takes no floor; only the log-standardized one does.")
    if graph is not None:
        return windowed_quotient(values, graph, base, groups=groups, contained=contained)
    if floor is not None:
        simple = location_quotient(values, base, groups=groups, contained=contained)
        return log_standardized_quotient(simple, floor=floor)
    return QUOTIENT_KINDS[kind](values, base, groups=groups, contained=contained)
