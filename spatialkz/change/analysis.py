"""All questions of change together, for a study of several periods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.change.convergence import Convergence, convergence
from spatialkz.change.focality import FocalityTrend, focality_trend
from spatialkz.change.mobility import TransitionMatrices, rank_mobility, transition_matrices
from spatialkz.change.quotients import (
    QuotientChange,
    quotient_change,
    quotients_by_period,
    specialization_turnover,
)
from spatialkz.change.shift_share import ShiftShare, shift_share
from spatialkz.errors import InputError
from spatialkz.resampling.checks import check_permutations
from spatialkz.results import Result, json_ready
from spatialkz.specialization.quotients import check_threshold
from spatialkz.tables import Panel, Period
from spatialkz.tables.panel import check_panel


@dataclass(frozen=True, repr=False)
class ChangeAnalysis(Result):
    """Result of :func:`analyse_change`.

    Attributes
    ----------
    panel : Panel
        The periods that were compared.
    change : QuotientChange
    turnover, mobility : DataFrame
        Of :func:`specialization_turnover` and :func:`rank_mobility`.
    convergence : Convergence, optional
    transitions : TransitionMatrices
    shares : mapping
        Method → :class:`ShiftShare`; empty for published quotients.
    focality : FocalityTrend, optional
        None where periods or sectors are too few.
    notes : tuple of str
        What was left out and why.
    """

    panel: Panel
    change: QuotientChange
    turnover: pd.DataFrame
    mobility: pd.DataFrame
    convergence: Convergence | None
    transitions: TransitionMatrices
    shares: dict[str, ShiftShare]
    focality: FocalityTrend | None
    notes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """A row for each region × sector: change, rank, specialization, classic shift–share."""
        table = self.change.to_frame()
        for name in ("lq_before", "lq_after"):
            ranks = table[name].groupby(level="sector").rank(ascending=False, method="min")
            table[name.replace("lq", "rank")] = ranks.astype(int)
        table = table.join(self.turnover)
        for name, found in self.shares.items():
            if name == "classic":
                table = table.join(found.to_frame(), how="outer")
        sectors = list(dict.fromkeys([*self.panel.sectors, *table.index.get_level_values("sector")]))
        known = set(table.index)
        order = [(region, sector) for region in self.panel.regions for sector in sectors]
        whole = dict.fromkeys(("rank_before", "rank_after", "periods", "crossings"), "Int64")
        return table.loc[[pair for pair in order if pair in known]].astype(whole)

    def to_dict(self) -> dict[str, object]:
        """Everything, ready for JSON."""
        parts = {"convergence": self.convergence, "focality": self.focality}
        return {
            "periods": list(self.panel.periods),
            "breaks": {str(period): why for period, why in self.panel.breaks.items()},
            "change": self.change.to_dict(),
            "turnover": json_ready(self.turnover.reset_index().to_dict("records")),
            "mobility": json_ready(self.mobility),
            "transitions": self.transitions.to_dict(),
            "shift_share": {name: found.to_dict() for name, found in self.shares.items()},
            **{name: None if found is None else found.to_dict() for name, found in parts.items()},
            "notes": list(self.notes),
        }

    def summary(self) -> str:
        """The answers one below the other."""
        states = self.turnover["state"].value_counts()
        told = [self.change.summary()]
        told.append(", ".join(f"{state} {states.get(state, 0)}" for state in ("stayed", "entered", "left")))
        told += [] if self.convergence is None else [self.convergence.summary()]
        told.append(f"Ranks\n{self.mobility.to_string(float_format='{:.2f}'.format)}")
        told.append(self.transitions.summary())
        told += [self.shares["classic"].summary()] if "classic" in self.shares else []
        told += [] if self.focality is None else [self.focality.summary()]
        return "\n\n".join([*told, *self.notes])


def analyse_change(
    panel: Panel,
    graph: Graph | None = None,
    first: Period | None = None,
    last: Period | None = None,
    *,
    threshold: float = 1.0,
    permutations: int = 1999,
    across_breaks: bool = False,
    rng: int | np.random.Generator | None = None,
) -> ChangeAnalysis:
    """Ask all questions of change of one stretch of periods.

    Parameters
    ----------
    panel : Panel
    graph : libpysal.graph.Graph, optional
        Who neighbors whom; without it, nothing spatial is asked.
    first, last, across_breaks
        As in :func:`quotient_change`.
    threshold : float
        Quotient from which a region is specialized; classes of transitions end at half of it and at it.
    permutations : int
    rng : int, Generator or None

    Raises
    ------
    InputError
        As the functions it calls.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study("kazakhstan-gva")
    >>> found = analyse_change(study.panel, study.graph, 2014, 2022, permutations=99, rng=1)
    >>> found.turnover["state"].value_counts()["entered"]
    np.int64(2)
    """
    check_permutations(permutations)
    check_threshold(threshold)
    # What may be crossed is settled here, once.
    part = check_panel(panel).between(first, last, across_breaks=across_breaks)
    begin, end = part.periods[0], part.periods[-1]
    notes = []
    common = part.sectors
    partial = [str(s) for s in part.tables[end].sectors if s not in set(common)]
    if partial:
        notes.append(f"Not in every period, and left out where periods are compared: {', '.join(partial)}.")
    converging: Convergence | None = None
    trend: FocalityTrend | None = None
    try:
        converging = convergence(part, across_breaks=True)
    except InputError as error:
        notes.append(f"No convergence: {error}")
    shares: dict[str, ShiftShare] = {}
    if part.tables[end].kind != "quotients":
        for method in ("classic", "esteban-marquillas", "spatial", "dynamic"):
            if method == "spatial" and graph is None:
                continue
            try:
                shares[method] = shift_share(
                    part, method=method, graph=graph if method == "spatial" else None, across_breaks=True
                )
            except InputError as error:
                notes.append(f"No shift–share ({method}): {error}")
    if graph is not None:
        try:
            trend = focality_trend(
                part, graph, threshold=threshold, permutations=permutations, rng=rng, across_breaks=True
            )
        except InputError as error:
            notes.append(f"No trend of focality: {error}")
    return ChangeAnalysis(
        panel=part,
        change=quotient_change(part, begin, end, rng=rng, across_breaks=True),
        turnover=specialization_turnover(part, threshold=threshold, across_breaks=True),
        mobility=rank_mobility(part, across_breaks=True),
        convergence=converging,
        transitions=transition_matrices(
            quotients_by_period(part),
            edges=(threshold / 2, threshold),
            graph=graph,
            permutations=min(permutations, 999),
            rng=rng,
        ),
        shares=shares,
        focality=trend,
        notes=tuple(notes),
    )
