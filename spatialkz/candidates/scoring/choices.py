"""The choices behind a ranking, and the scores under many of them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from math import prod
from typing import Literal, Protocol, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from spatialkz.candidates.scoring.aggregation import AGGREGATIONS, expert_weights
from spatialkz.candidates.scoring.normalization import (
    Floats,
    check_evidence,
    check_ratios,
    mid_ranks,
    normalized,
)
from spatialkz.errors import InputError, listing
from spatialkz.options import Aggregation, Normalization
from spatialkz.resampling.parallel import in_blocks
from spatialkz.tables import check_same_regions, check_table

Ints = npt.NDArray[np.intp]

# Cells of evidence worked on at once, so that they stay in a core's cache; tables larger than the second
# number are drawn in single precision.
_BLOCK_CELLS, _SINGLE_FROM = 300_000, 20_000
# Thresholds beside the study's own that a draw may use, as multiples of it.
_OTHER_THRESHOLDS = (1.25, 1.5)
_NONE = "none"
Fetch: TypeAlias = Callable[[tuple[int, ...], Ints, np.random.Generator | None], Floats]
Number = TypeVar("Number", bound=np.number)


class EvidenceDraw(Protocol):
    """Draws evidence under one scenario."""

    def __call__(self, scenario: Mapping[str, object], size: int, rng: np.random.Generator | None) -> Floats:
        """Evidence, shape (size, items, indicators), in the table's order; no error if ``rng`` is None."""


Drawn: TypeAlias = EvidenceDraw | tuple[pd.DataFrame, pd.DataFrame] | Floats | None


@dataclass(frozen=True)
class RankChoices:
    """What could have been chosen otherwise; the first of each is the default that shifts are measured from.

    Attributes
    ----------
    normalizations, aggregations : tuple of str
        Equally likely in a draw.
    weights : "equal" or Series
        Weights around which they are drawn.
    concentration : float or None
        Dirichlet parameters are concentration × indicators × weight: with equal weights and 1, all weightings
        are equally likely; larger is nearer to the default; None holds the weights.
    drop : bool
        Whether a draw may leave out one indicator: none or any one, equally likely.
    scenarios : mapping of str to tuple
        Choices that change the evidence itself, such as a threshold or a graph: name → options.
    """

    normalizations: tuple[Normalization, ...] = ("rank", "minmax", "z", "target")
    aggregations: tuple[Aggregation, ...] = ("arithmetic", "geometric", "topsis", "copeland")
    weights: Literal["equal"] | pd.Series = "equal"
    concentration: float | None = 1.0
    drop: bool = True
    scenarios: Mapping[str, tuple[object, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        taken = {"error", "weights", "normalization", "aggregation", "dropped"} & set(self.scenarios)
        if taken:
            raise InputError(f"A scenario cannot be called {listing(sorted(taken))}.")
        for name, options in (
            ("normalizations", self.normalizations),
            ("aggregations", self.aggregations),
            *self.scenarios.items(),
        ):
            if isinstance(options, str) or not len(options):
                raise InputError(f"{name} must be a tuple of at least one option, not {options!r}.")
        unknown = [name for name in self.aggregations if name not in AGGREGATIONS]
        if unknown:
            raise InputError(f"aggregation is {unknown[0]!r}; it must be one of {listing(AGGREGATIONS)}.")
        if self.concentration is not None and not 0 < self.concentration < np.inf:
            raise InputError(f"concentration is {self.concentration!r}; it must be above 0, or None.")


def study_choices(threshold: float) -> RankChoices:
    """All choices behind the ranks of a study: those of :class:`RankChoices`, and three thresholds.

    >>> study_choices(1.0).scenarios
    {'threshold': (1.0, 1.25, 1.5)}
    """
    return RankChoices(
        scenarios={"threshold": (threshold, *(threshold * more for more in _OTHER_THRESHOLDS))}
    )


@dataclass(frozen=True)
class Setup:
    """Checked input, sorted by label so that the order of rows and columns changes no draw.

    Attributes
    ----------
    point : array, shape (indicators, items)
    interval : tuple of arrays, shape (indicators, items)
        Low end and width, where evidence is drawn uniformly.
    directions, weights : array, shape (indicators,)
    rows, columns : array
        Place of each sorted item and indicator in the caller's table.
    options : dict
        Choice → its options; scenarios first, then normalization, aggregation, dropped.
    """

    choices: RankChoices
    drawn: Drawn
    table: pd.DataFrame
    point: Floats
    interval: tuple[Floats, Floats] | None
    directions: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    rows: Ints
    columns: Ints
    options: dict[str, tuple[object, ...]]

    @classmethod
    def of(cls, evidence: pd.DataFrame, directions: pd.Series, choices: RankChoices, drawn: Drawn) -> Setup:
        """Check everything before the first draw."""
        table, signs = check_evidence(evidence, directions)
        ends = _check_interval(table, drawn) if isinstance(drawn, tuple) else None
        if "target" in choices.normalizations:
            check_ratios(table if ends is None else ends[0], signs)
        rows, columns = _sorted_places(table.index), _sorted_places(table.columns)
        names = table.columns[columns]
        if isinstance(choices.weights, pd.Series):
            weights = expert_weights(choices.weights, names)
        elif choices.weights == "equal":
            weights = np.full(len(names), 1 / len(names))
        else:
            raise InputError(f"weights is {choices.weights!r}; it must be 'equal' or a Series.")
        if choices.concentration is not None and (weights == 0).any():
            raise InputError(
                "Weights are drawn around the given ones, which must be above 0; leave out "
                f"{listing(names[weights == 0])}."
            )
        dtype = np.float32 if table.size > _SINGLE_FROM else np.float64

        def place(cells: pd.DataFrame) -> Floats:
            placed: Floats = _placed(cells.to_numpy(dtype=dtype)[None], rows, columns)[0]
            return placed

        drop = choices.drop and np.count_nonzero(weights) > 1
        kept = cls(
            choices=choices,
            drawn=drawn,
            table=table,
            point=place(table),
            interval=None if ends is None else (place(ends[0]), place(ends[1] - ends[0])),
            directions=signs.to_numpy()[columns],
            weights=weights,
            rows=rows,
            columns=columns,
            options={
                **{name: tuple(options) for name, options in choices.scenarios.items()},
                "normalization": tuple(choices.normalizations),
                "aggregation": tuple(choices.aggregations),
                "dropped": (_NONE, *names) if drop else (_NONE,),
            },
        )
        kept._check_drawn()
        return kept

    def _check_drawn(self) -> None:
        """Refuse drawn evidence that does not fit the table or the scenarios."""
        drawn = self.drawn
        if callable(drawn):
            default = {name: options[0] for name, options in self.choices.scenarios.items()}
            there = self.evidence(tuple(0 for _ in default), np.zeros(1, dtype=np.intp), None)[0]
            if not np.allclose(there, self.point, rtol=1e-5, atol=1e-8):
                column, row = divmod(int(np.argmax(np.abs(there - self.point))), there.shape[1])
                raise InputError(
                    f"Evidence drawn without error under {default or 'no scenario'} is not the evidence "
                    f"given: {self.items[row]} × {self.indicators[column]} is {there[column, row]:g}, not "
                    f"{self.point[column, row]:g}."
                )
        elif self.choices.scenarios:
            raise InputError("Scenarios change the evidence, so drawn must be a function of the scenario.")
        elif isinstance(drawn, np.ndarray):
            if drawn.ndim != 3 or drawn.shape[1:] != self.table.shape:
                expected = f"(draws, {len(self.table)}, {self.table.shape[1]})"
                raise InputError(f"drawn has shape {drawn.shape}; {expected} is expected.")
            _check_finite(drawn)

    @property
    def items(self) -> pd.Index:
        """Sorted items."""
        return self.table.index[self.rows]

    @property
    def indicators(self) -> pd.Index:
        """Sorted indicators."""
        return self.table.columns[self.columns]

    def evidence(self, scenario: tuple[int, ...], ids: Ints, rng: np.random.Generator | None) -> Floats:
        """Evidence of the draws ``ids`` under a scenario, shape (draws, indicators, items)."""
        shape = (len(ids), *self.point.shape)
        if self.drawn is None or (rng is None and not callable(self.drawn)):
            return np.broadcast_to(self.point, shape)
        if self.interval is not None and rng is not None:
            low, span = self.interval
            values: Floats = rng.random(shape, dtype=low.dtype.type)
            values *= span
            values += low
            return values
        if isinstance(self.drawn, np.ndarray):
            return _placed(self.drawn[ids].astype(self.point.dtype, copy=False), self.rows, self.columns)
        draw = cast(EvidenceDraw, self.drawn)
        names = self.choices.scenarios
        told = {name: names[name][code] for name, code in zip(names, scenario, strict=True)}
        drawn = np.asarray(draw(told, len(ids), rng))
        if drawn.shape != (len(ids), *self.table.shape):
            raise InputError(
                f"drawn returned shape {drawn.shape}; {(len(ids), *self.table.shape)} was expected."
            )
        _check_finite(drawn)
        return _placed(drawn.astype(self.point.dtype, copy=False), self.rows, self.columns)

    def drawn_weights(self, draws: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """Dirichlet weights around the default ones, shape (draws, indicators)."""
        spread = self.choices.concentration
        if spread is None:
            return np.broadcast_to(self.weights, (draws, len(self.weights)))
        gamma = rng.standard_gamma(spread * len(self.weights) * self.weights, (draws, len(self.weights)))
        # A concentration near 0 makes numbers too small for a float.
        gamma = np.maximum(gamma, np.finfo(np.float64).tiny)
        return np.asarray(gamma / gamma.sum(axis=1, keepdims=True))

    def without_dropped(self, weights: Floats, dropped: Ints) -> Floats:
        """Weights of the indicators left in each draw; ``dropped`` counts from 1, 0 is none."""
        kept = np.where(np.arange(1, weights.shape[1] + 1) == dropped[:, None], 0.0, weights)
        return np.asarray(kept / kept.sum(axis=1, keepdims=True))


def evaluate(
    setup: Setup,
    codes: Ints,
    weights: Floats,
    fetch: Fetch,
    finish: Callable[[Floats, np.random.Generator], npt.NDArray[Number]],
    rng: np.random.Generator,
) -> npt.NDArray[Number]:
    """Ranks of the items in each draw.

    Draws with the same scenario, normalization and aggregation are worked on together, in blocks with their
    own stream of random numbers each, so that neither threads nor their number change a rank.

    Parameters
    ----------
    codes : array, shape (draws, choices)
        Positions in the options of scenarios, normalization and aggregation, in this order.
    weights : array, shape (draws, indicators)
    fetch : callable
        (scenario, draws, rng) → evidence.
    finish : callable
        (scores, rng) → ranks, shape (draws, items).

    Returns
    -------
    array, shape (draws, items)
    """
    size = max(1, _BLOCK_CELLS // setup.point.size)
    cells, cell = np.unique(codes, axis=0, return_inverse=True)
    order = np.argsort(cell, kind="stable")
    limits = np.searchsorted(cell[order], np.arange(len(cells) + 1))
    blocks = [
        (tuple(code.tolist()), order[start : min(start + size, stop)])
        for code, begin, stop in zip(cells, limits[:-1], limits[1:], strict=True)
        for start in range(begin, stop, size)
    ]
    task = partial(_evaluate_blocks, setup, blocks, weights, fetch, finish, rng.spawn(len(blocks)))
    parts = in_blocks(task, len(blocks), 20.0 * len(codes) * setup.point.size)
    result: npt.NDArray[Number] = np.empty((len(codes), setup.point.shape[1]), dtype=parts[0][0].dtype)
    done = 0
    for part in parts:
        for ranks in part:
            result[blocks[done][1]] = ranks
            done += 1
    return result


def _evaluate_blocks(
    setup: Setup,
    blocks: list[tuple[tuple[int, ...], Ints]],
    weights: Floats,
    fetch: Fetch,
    finish: Callable[[Floats, np.random.Generator], npt.NDArray[Number]],
    streams: list[np.random.Generator],
    part: slice,
) -> list[npt.NDArray[Number]]:
    """Ranks of some blocks."""
    found = []
    for (code, ids), rng in zip(blocks[part], streams[part], strict=True):
        *scenario, method, aggregation = code
        values = normalized(
            fetch(tuple(scenario), ids, rng), setup.directions, setup.choices.normalizations[method]
        )
        aggregate = AGGREGATIONS[setup.choices.aggregations[aggregation]]
        found.append(finish(aggregate(values, weights[ids].astype(values.dtype)), rng))
    return found


def shared_ranks(scores: Floats, rng: np.random.Generator | None = None) -> Floats:  # noqa: ARG001
    """Ranks, 1 = largest, tied items sharing their mean; scores within 1e-12 of the range are tied.

    >>> shared_ranks(np.array([[0.2, 0.9, 0.2]]))
    array([[2.5, 1. , 2.5]])
    """
    n = scores.shape[-1]
    span = np.ptp(scores, axis=-1, keepdims=True)
    level = np.round((scores - scores.min(axis=-1, keepdims=True)) / np.where(span == 0, 1, span), 12)
    shared: Floats = n - (n - 1) * mid_ranks(level.astype(np.float64))
    return shared


def scenario_codes(setup: Setup) -> list[tuple[int, ...]]:
    """All combinations of scenario options."""
    options = setup.choices.scenarios.values()
    if prod(len(choice) for choice in options) > 10_000:
        raise InputError("The scenarios have more than 10,000 combinations.")
    return list(product(*(range(len(choice)) for choice in options)))


def _check_interval(
    table: pd.DataFrame, drawn: tuple[pd.DataFrame, pd.DataFrame]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Low and high evidence in the order of the table."""
    if len(drawn) != 2:
        raise InputError(f"drawn is a tuple of {len(drawn)} tables; a low and a high one are expected.")
    ends = []
    for name, given in zip(("low evidence", "high evidence"), drawn, strict=True):
        if isinstance(given, pd.DataFrame) and isinstance(given.index, pd.MultiIndex):
            given = given.set_axis(given.index.to_flat_index())
        end = check_table(given, name=name)
        check_same_regions(end.index, table.index, name, "the evidence")
        check_same_regions(end.columns, table.columns, name, "the evidence")
        ends.append(end.loc[table.index, table.columns])
    low, high = ends
    outside = np.argwhere((low.to_numpy() > table.to_numpy()) | (table.to_numpy() > high.to_numpy()))
    if len(outside):
        cells = [f"{table.index[i]} × {table.columns[j]}" for i, j in outside]
        raise InputError(f"Evidence lies outside its low and high value in {listing(cells)}.")
    return low, high


def _check_finite(drawn: Floats) -> None:
    if not np.isfinite(drawn).all():
        raise InputError("Drawn evidence must be finite; missing evidence needs a rule before it is drawn.")


def _sorted_places(labels: pd.Index) -> Ints:
    """Positions of the labels in sorted order; labels of several types are sorted as text."""
    try:
        return np.asarray(labels.argsort(), dtype=np.intp)
    except TypeError:
        return np.asarray(labels.map(str).argsort(), dtype=np.intp)


def _placed(values: Floats, rows: Ints, columns: Ints) -> Floats:
    """(draws, items, indicators) in the caller's order → (draws, indicators, items), sorted."""
    turned = values.transpose(0, 2, 1)
    for axis, places in ((1, columns), (2, rows)):
        if (np.diff(places) != 1).any():
            turned = turned.take(places, axis=axis)
    return np.ascontiguousarray(turned)
