"""How far each rank can be trusted: all choices behind a score drawn at once, and each changed alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from spatialkz.candidates.scoring.aggregation import benefit_of_the_doubt, indicator_weights
from spatialkz.candidates.scoring.choices import Drawn, RankChoices, Setup, evaluate, shared_ranks
from spatialkz.candidates.scoring.normalization import Floats, normalized
from spatialkz.candidates.scoring.ranks import (
    rank_quantiles,
    rank_tiers,
    ranks,
    share_above,
    undecided_groups,
)
from spatialkz.errors import InputError, listing
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import check_number
from spatialkz.results import Result, frozen, json_ready

Ints = npt.NDArray[np.intp]

# Items up to which the shift by the benefit of the doubt, a linear program for each item, is told.
_BOD_ITEMS = 300
# Cells of evidence drawn for the shift by error or weights alone: 100 to 1,000 draws.
_SHIFT_CELLS = 20_000_000


@dataclass(frozen=True, repr=False)
class RankUncertainty(Result):
    """Result of :func:`rank_uncertainty`.

    Attributes
    ----------
    items : DataFrame
        Index item; ``rank`` (median over the draws), ``score`` (of the default), ``mean_rank``,
        ``rank_low, rank_high`` (5–95 % of the draws) and ``p_top{k}`` for each *k* asked for.
    shifts : DataFrame
        Index (choice, option); what the ranks do if only this choice is made otherwise: ``mean_shift,
        max_shift`` (absolute changes of rank), ``most_moved`` (the item, or "none") and ``top_lost``
        (items that leave the first *k*, the smallest *k* asked for). For
        ``error`` and drawn ``weights`` means over draws.
    choices : DataFrame
        A row for each draw: its options, the indicator dropped and ``weight {indicator}``.
    ranks : array, shape (draws, items)
        A permutation of 1…n in each row, items ordered as in ``items``.
    """

    items: pd.DataFrame
    shifts: pd.DataFrame
    choices: pd.DataFrame
    ranks: npt.NDArray[np.signedinteger]

    @cached_property
    def order(self) -> Ints:
        """Places of the items from first to last: by median rank, then mean rank, then label."""
        labels = np.array([_text(item) for item in self.items.index])
        order = np.lexsort((labels, self.items["mean_rank"].to_numpy(), self.items["rank"].to_numpy()))
        order.flags.writeable = False
        return order

    def tiers(self, level: float = 0.95) -> pd.Series:
        """Tier of each item, 1 the first: the order cut wherever an item and one of its tier are told apart.

        A pair is told apart if one is above the other in at least ``level`` of the draws. No pair within a
        tier is; an item may still not be told apart from some of the tier before its own.
        """
        _check_level(level)
        return pd.Series(rank_tiers(self.ranks, self.order, level), index=self.items.index, name="rank_tier")

    @cached_property
    def pairwise(self) -> pd.DataFrame:
        """P(item of the row is ranked above the item of the column); the two of a pair sum to 1."""
        labels = self.items.index
        return frozen(pd.DataFrame(share_above(self.ranks), index=labels, columns=labels))

    def groups(self, level: float = 0.95) -> list[list[object]]:
        """Items that cannot be told apart: longest runs in their order without a pair that is.

        A pair is told apart if one is above the other in at least ``level`` of the draws. This is not
        transitive, so an item may stand in several groups.
        """
        _check_level(level)
        labels, above = list(self.items.index), self.pairwise.to_numpy()
        return [[labels[i] for i in run] for run in undecided_groups(above, self.order, level)]

    def to_frame(self) -> pd.DataFrame:
        """The items."""
        return self.items.copy()

    def to_dict(self) -> dict[str, object]:
        """Items, groups and shifts, ready for JSON."""
        shifts = self.shifts.reset_index()
        shifts["most_moved"] = shifts["most_moved"].map(_text)
        return {
            "draws": len(self.ranks),
            "items": [json_ready(row) for row in _text_labels(self.items).to_dict("records")],
            "groups": [[_text(item) for item in group] for group in self.groups()],
            "shifts": [json_ready(row) for row in shifts.astype({"option": str}).to_dict("records")],
        }

    def summary(self) -> str:
        """The ten first items and what moves ranks most."""
        form = "{:.2f}".format
        most = self.shifts.sort_values("mean_shift", ascending=False, kind="stable").head(5)
        return (
            f"{len(self.items)} items; rank intervals hold 90 % of {len(self.ranks)} draws\n"
            f"{self.items.iloc[self.order[:10]].to_string(float_format=form)}\n\n"
            f"Largest mean shifts of rank if one choice is made otherwise\n"
            f"{most.to_string(float_format=form)}"
        )


def _check_level(level: float) -> None:
    if not 0.5 < level <= 1:
        raise InputError(f"level is {level:g}; it must be above 0.5 and at most 1.")


def _text(item: object) -> str:
    """Label of an item; the levels of one with several are joined by a cross."""
    return " × ".join(map(str, item)) if isinstance(item, tuple) else str(item)


def _text_labels(items: pd.DataFrame) -> pd.DataFrame:
    return items.set_axis(pd.Index([_text(item) for item in items.index], name="item")).reset_index()


def rank_uncertainty(
    evidence: pd.DataFrame,
    directions: pd.Series,
    choices: RankChoices | None = None,
    *,
    drawn: Drawn = None,
    draws: int = 10_000,
    top: tuple[int, ...] = (3,),
    rng: int | np.random.Generator | None = None,
) -> RankUncertainty:
    r"""Ranks under drawn evidence and drawn choices.

    Each draw takes at random, independently of each other: the error of the evidence, the options of each
    scenario (threshold, graph …), normalization, weights (Dirichlet), aggregation, and whether one of the
    indicators is left out. Within a draw items with equal scores are ordered by lot, so every draw's ranks
    are a permutation and no label is favored.

    The spread of ranks says how far an order depends on choices that could have been others and on what
    error was drawn. It is no sampling distribution of the economy, and it is as wide as the options are many.

    **The rank of an item is the median of its ranks over the draws**, with *R* its rank in a draw

    .. math:: \text{rank} = \min\{k : P(R \leq k) \geq 0.5\}, \quad
              \text{rank\_low} = \min\{k : P(R \leq k) \geq 0.05\}, \quad
              \text{rank\_high} = \min\{k : P(R \leq k) \geq 0.95\} .

    The set over which the minimum is taken shrinks as the level rises, so
    :math:`\text{rank\_low} \leq \text{rank} \leq \text{rank\_high}` for every item, whatever was drawn; and
    an item has rank *k* or better if and only if it is among the first *k* in at least half of the draws. A
    place in the order of medians, from 1 to *n*, has neither property: where many items change places, the
    one with the smallest median may never be first. Items may share a rank, and rank 1 may be nobody's.

    Parameters
    ----------
    evidence : DataFrame
        Rows are items (a label or a MultiIndex), columns indicators, without error.
    directions : Series
        Indicator → +1 (more is better) or −1 (less is better).
    choices : RankChoices, optional
        The options; left out, all normalizations and aggregations, all weightings, one indicator dropped.
    drawn : optional
        Error of the evidence. A (low, high) pair of DataFrames: uniform between them, independently. An array
        (draws, items, indicators) in the order of the table: a table for each draw. A function (scenario,
        size, rng) → array (size, items, indicators) in the order of the table; called with ``rng=None`` it
        gives the evidence without error, and under the first options that must be ``evidence``. It may be
        called from several threads. Left out, the evidence has no error.
    draws : int
        At least 100.
    top : tuple of int
        Each *k* of P(rank ≤ k).
    rng : int, Generator or None
        Seed.

    Returns
    -------
    RankUncertainty

    Raises
    ------
    InputError
        If evidence is missing, an indicator does not vary, weights are negative or name an unknown
        indicator, or drawn evidence does not fit the table.

    Notes
    -----
    An indicator that does not vary in a draw gives all items the same value there. More than 20,000 cells
    are drawn in single precision.

    References
    ----------
    Saisana, Saltelli & Tarantola (2005), *Journal of the Royal Statistical Society A* 168, 307–323; OECD &
    JRC (2008), *Handbook on Constructing Composite Indicators*, step 7; Goldstein & Spiegelhalter (1996),
    *Journal of the Royal Statistical Society A* 159, 385–443, sec. 3 (intervals of ranks in league tables).

    Examples
    --------
    >>> evidence = pd.DataFrame({"lq": [3.0, 2.0, 1.0], "share": [0.5, 0.4, 0.3], "distance": [40, 20, 90]},
    ...                         index=["North", "South", "West"])
    >>> directions = pd.Series({"lq": 1, "share": 1, "distance": -1})
    >>> found = rank_uncertainty(evidence, directions, drawn=(evidence - 0.1, evidence + 0.1), rng=1)
    >>> found.items[["rank", "rank_low", "rank_high"]]
           rank  rank_low  rank_high
    North     1         1          2
    South     2         1          2
    West      3         3          3
    >>> found.groups()
    [['North', 'South'], ['West']]
    """
    setup = Setup.of(evidence, directions, choices or RankChoices(), drawn)
    n = len(setup.table)
    check_number(draws, "draws", 100)
    if isinstance(drawn, np.ndarray) and len(drawn) != draws:
        raise InputError(f"drawn has {len(drawn)} tables, but draws is {draws}.")
    if not top or not all(isinstance(rank, int) and 1 <= rank <= n for rank in top):
        raise InputError(f"top is {listing(top) or 'empty'}; ranks between 1 and {n} are expected.")
    for_choices, for_ranks, for_shifts = generator(rng, "rank_uncertainty").spawn(3)
    codes = np.column_stack(
        [for_choices.integers(len(options), size=draws) for options in setup.options.values()]
    )
    weights = setup.without_dropped(setup.drawn_weights(draws, for_choices), codes[:, -1])
    found = evaluate(setup, codes[:, :-1], weights, setup.evidence, ranks, for_ranks)
    found = np.ascontiguousarray(found[:, np.argsort(setup.rows)])
    found.flags.writeable = False
    low, middle, high = rank_quantiles(found)
    items = pd.DataFrame(
        {
            "rank": middle,
            "score": _point_scores(setup),
            "mean_rank": found.mean(axis=0),
            "rank_low": low,
            "rank_high": high,
            **{f"p_top{k}": (found <= k).mean(axis=0) for k in top},
        },
        index=evidence.index,
    )
    return RankUncertainty(
        items,
        _shifts(setup, evidence.index, min(top), for_shifts),
        _choice_table(setup, codes, weights),
        found,
    )


def _choice_table(setup: Setup, codes: Ints, weights: Floats) -> pd.DataFrame:
    """What each draw chose, in words."""
    told: dict[str, npt.ArrayLike] = {}
    for (name, options), column in zip(setup.options.items(), codes.T, strict=True):
        words = np.empty(len(options), dtype=object)
        words[:] = options
        told[name] = words[column]
    drawn = pd.DataFrame(
        np.asarray(weights)[:, np.argsort(setup.columns)],
        columns=[f"weight {name}" for name in setup.table.columns],
    )
    return pd.concat([pd.DataFrame(told), drawn], axis=1).rename_axis(index="draw")


def _without_error(setup: Setup, scenario: tuple[int, ...], ids: Ints, _: object) -> Floats:
    """Evidence of a scenario without error, the same for all draws."""
    once = setup.evidence(scenario, ids[:1], None)
    return np.broadcast_to(once, (len(ids), *once.shape[1:]))


def _as_they_are(scores: Floats, _: object) -> Floats:
    return scores


def _point_scores(setup: Setup) -> Floats:
    """Scores by the default of every choice, items in the caller's order."""
    codes = np.zeros((1, len(setup.options) - 1), dtype=np.intp)
    fetch = partial(_without_error, setup)
    scores = evaluate(setup, codes, setup.weights[None], fetch, _as_they_are, np.random.default_rng(0))
    return np.asarray(scores[0, np.argsort(setup.rows)], dtype=np.float64)


def _shifts(setup: Setup, items: pd.Index, top: int, rng: np.random.Generator) -> pd.DataFrame:
    """What the ranks do if one choice alone is made otherwise; the default is the first row evaluated."""
    places = list(setup.options)
    default = np.zeros(len(places), dtype=np.intp)
    names: list[tuple[str, object]] = [("default", "")]
    codes, weights = [default], [setup.weights]
    for place, (choice, options) in enumerate(setup.options.items()):
        for option in range(1, len(options)):
            names.append((choice, options[option]))
            codes.append(np.where(np.arange(len(places)) == place, option, default))
            weights.append(setup.weights)
    for kind, other in _other_weights(setup).items():
        names.append(("weights", kind))
        codes.append(default)
        weights.append(other)
    code = np.array(codes)
    fixed = partial(_without_error, setup)
    found = evaluate(
        setup, code[:, :-1], setup.without_dropped(np.array(weights), code[:, -1]), fixed, shared_ranks, rng
    )
    usual, parts = found[0], list(found[1:, None])
    names = names[1:]
    if setup.choices.normalizations[0] != "z" and len(items) <= _BOD_ITEMS:
        scores = benefit_of_the_doubt(_normalized_point(setup))[0].to_numpy()
        names.append(("weights", "bod"))
        parts.append(shared_ranks(scores[None]))
    draws = int(np.clip(_SHIFT_CELLS // setup.point.size, 100, 1000))
    alone = np.zeros((draws, len(places) - 1), dtype=np.intp)
    if setup.choices.concentration is not None:
        names.append(("weights", "drawn"))
        parts.append(evaluate(setup, alone, setup.drawn_weights(draws, rng), fixed, shared_ranks, rng))
    if setup.drawn is not None:
        names.append(("error", "drawn"))
        if isinstance(setup.drawn, np.ndarray):
            alone = alone[: len(setup.drawn)]
        held = np.broadcast_to(setup.weights, (len(alone), len(setup.weights)))
        parts.append(evaluate(setup, alone, held, setup.evidence, shared_ranks, rng))
    labels = items.to_flat_index()[setup.rows]
    index = pd.MultiIndex.from_tuples(names, names=["choice", "option"])
    return pd.DataFrame([_shift(usual, part, labels, top) for part in parts], index=index)


def _shift(usual: Floats, found: Floats, items: pd.Index, top: int) -> dict[str, object]:
    """Changes of rank, shape of ``found`` (draws, items), as means over the draws."""
    moved = np.abs(found - usual)
    by_item = moved.mean(axis=0)
    return {
        "mean_shift": by_item.mean(),
        "max_shift": moved.max(axis=1).mean(),
        "most_moved": items[int(by_item.argmax())] if by_item.any() else "none",
        "top_lost": ((usual <= top) & (found > top)).sum(axis=1).mean(),
    }


def _normalized_point(setup: Setup) -> pd.DataFrame:
    """Evidence by the default normalization, items sorted."""
    values = normalized(setup.point, setup.directions, setup.choices.normalizations[0])
    return pd.DataFrame(values.T, index=setup.items, columns=setup.indicators)


def _other_weights(setup: Setup) -> dict[str, npt.NDArray[np.float64]]:
    """Weights by other rules than the default one."""
    values = _normalized_point(setup)
    found = {kind: indicator_weights(values, kind).to_numpy() for kind in ("equal", "pca", "entropy")}
    return {kind: weights for kind, weights in found.items() if not np.allclose(weights, setup.weights)}
