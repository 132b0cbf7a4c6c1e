r"""Freedman–Lane permutations of all sectors on all covariates at once, and intervals by inverting them.

With x the residual of a covariate on constant and controls, e that of a sector, Q an orthonormal basis of
the centered controls and π an order of the regions, the partial correlation of the sector that is made of
permuted residuals is

.. math:: r_\pi = \frac{x_\pi' e}{\lVert x \rVert \sqrt{e'e - \lVert Q_\pi' e \rVert^2}}

The few regressors are permuted instead of the many sectors, which is the same; t is a function of r.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from spatialkz.options import Alternative
from spatialkz.prerequisites.least_squares import Partialled, positive
from spatialkz.resampling.parallel import in_blocks
from spatialkz.resampling.pvalues import TIE, Floats
from spatialkz.resampling.shuffles import Keys, arrangement_count, arrangements, random_orders

# Permuted cross-products held at once, in 160 MB, values of permuted regressors, and orders that are kept.
_MOST_HELD, _MOST_GATHERED, _MOST_KEPT = 20_000_000, 8_000_000, 4_000_000
# Statistics that one step of a search for the ends of intervals works through at once, in cache.
_SEARCHED = 100_000
# Doublings after which an interval has no end; halvings with all orders, and with those still open.
_DOUBLINGS, _HALVINGS = 30, (6, 20)


@dataclass(frozen=True)
class Orders:
    """Orders of n regions: a random one for each key, or all that tell regions with different rows apart.

    Attributes
    ----------
    n : int
    keys : array of uint64
    same : array of int, shape (n,), or None
        Where all are gone through, the number of each region's row.
    """

    n: int
    keys: Keys
    same: NDArray[np.intp] | None = None

    def of(self, rows: Floats) -> Orders:
        """All orders of these rows where they are no more than the keys, else these."""
        same = np.unique(rows.round(10), axis=0, return_inverse=True)[1].ravel()
        repeats = np.bincount(same)
        # Counting exactly takes long for many regions.
        logarithm = gammaln(len(rows) + 1) - gammaln(repeats + 1).sum()
        if logarithm > np.log(len(self.keys)) + 1 or arrangement_count(repeats) > len(self.keys):
            return self
        return Orders(len(rows), self.keys, same)

    @property
    def complete(self) -> bool:
        """Whether these are all."""
        return self.same is not None

    @cached_property
    def count(self) -> int:
        """How many there are."""
        return len(self.keys) if self.same is None else arrangement_count(np.bincount(self.same))

    def block(self, some: slice) -> NDArray[np.integer]:
        """Some of them, a column each."""
        if self.same is None:
            small = self.n * len(self.keys) <= _MOST_KEPT
            return self._drawn[:, some] if small else random_orders(self.n, self.keys[some])
        first = np.unique(self.same, return_index=True)[1]
        return first[arrangements(np.bincount(self.same), np.arange(self.count)[some])]

    @cached_property
    def _drawn(self) -> NDArray[np.uint32]:
        return random_orders(self.n, self.keys)

    def p_value(self, at_least: NDArray[np.int_]) -> Floats:
        """p-value where so many statistics are at least the observed one: never 0."""
        added = 0.0 if self.complete else 1.0
        return np.asarray((at_least + added) / (self.count + added), dtype=np.float64)

    def needed(self, alpha: float) -> int:
        """Of how many statistics at least the observed one the p-value exceeds ``alpha``; 0 if of any."""
        level = int(np.floor(alpha * (self.count + (not self.complete)) + 1e-9))
        return level + self.complete


@dataclass(frozen=True)
class Simulated:
    r"""Cross-products under R orders.

    Attributes
    ----------
    cross : array, shape (k, m, R)
        Of permuted regressors and sectors, :math:`x_\pi' e`.
    lost : array, shape (q, m, R)
        Of permuted controls and sectors, :math:`Q_\pi' e`.
    own : array, shape (k, R)
        Of permuted regressors and the same as they are.
    beside : array, shape (q, k, R)
        Of permuted controls and regressors.
    """

    cross: Floats
    lost: Floats
    own: Floats
    beside: Floats

    @classmethod
    def of(cls, fit: Partialled, orders: Orders) -> Simulated:
        """Permute the regressors of a fit, in parallel where that pays."""
        n, k = fit.regressors.shape
        columns, m = k + fit.basis.shape[1], fit.responses.shape[1]
        parts = in_blocks(
            partial(_permuted, fit, orders),
            orders.count,
            steps=0.2 * orders.count * n * columns * (m + 8),
            most=max(1, _MOST_GATHERED // (n * columns)),
        )
        return cls(*(np.concatenate(part, axis=-1) for part in zip(*parts, strict=True)))

    def scores(self, fit: Partialled, alternative: Alternative) -> Floats:
        """How far each simulated partial correlation goes in the direction of the alternative: (k, m, R)."""
        total = fit.response_squares[:, None]
        left = np.broadcast_to(total, self.cross.shape[1:])
        if len(self.lost):
            left = total - np.einsum("qmr,qmr->mr", self.lost, self.lost)
        # A permuted sector without residual has no t; it counts as extreme.
        none = left <= 1e-12 * total
        scale = 1 / np.sqrt(np.where(none, 1.0, left))
        found = self.cross * scale
        found *= 1 / np.sqrt(positive(fit.squares))[:, None, None]
        found = directed(found, alternative)
        found[:, none] = 1.0
        return found


def directed(correlation: Floats, alternative: Alternative) -> Floats:
    """Correlations as the alternative sees them: large where they speak for it."""
    if alternative == "two-sided":
        return np.abs(correlation)
    return correlation.copy() if alternative == "greater" else -correlation


def _permuted(fit: Partialled, orders: Orders, some: slice) -> tuple[Floats, Floats, Floats, Floats]:
    """Cross-products under some orders, as :class:`Simulated` has them."""
    order = orders.block(some)
    e, x, q = fit.responses.T, fit.regressors, fit.basis
    (k, m), R = (x.shape[1], len(e)), order.shape[1]
    cross, own = np.empty((k, m, R)), np.empty((k, R))
    for j, column in enumerate(np.ascontiguousarray(x.T)):
        permuted = column[order]
        np.matmul(e, permuted, out=cross[j])
        np.matmul(column, permuted, out=own[j])
    lost, beside = np.empty((q.shape[1], m, R)), np.empty((q.shape[1], k, R))
    for j, column in enumerate(np.ascontiguousarray(q.T)):
        permuted = column[order]
        np.matmul(e, permuted, out=lost[j])
        np.matmul(x.T, permuted, out=beside[j])
    return cross, lost, own, beside


def in_parts(fit: Partialled, orders: Orders) -> Iterator[slice]:
    """Slices of the sectors whose cross-products fit into memory together."""
    each = (fit.regressors.shape[1] + fit.basis.shape[1]) * orders.count
    m = fit.responses.shape[1]
    width = max(1, _MOST_HELD // each)
    yield from (slice(start, min(start + width, m)) for start in range(0, m, width))


def at_least(scores: Floats, observed: Floats) -> NDArray[np.int_]:
    """How many scores along the last axis are at least the observed one, ties included."""
    return np.asarray(np.count_nonzero(scores >= (observed - TIE)[..., None], axis=-1))


def p_values(z: Floats, y: Floats, controls: Floats, drawn: Orders, alternative: Alternative) -> Floats:
    """p-values of m sectors on k covariates, shape (k, m); 1 where one of the two does not vary."""
    fit = Partialled.of(z, y, controls)
    found = np.empty((z.shape[1], y.shape[1]))
    for orders, which in arranged(z, controls, drawn, family=False):
        part = fit.covariates(which)
        observed = directed(part.correlations(), alternative)
        for some in in_parts(part, orders):
            sectors = part.sectors(some)
            scores = Simulated.of(sectors, orders).scores(sectors, alternative)
            found[which, some] = orders.p_value(at_least(scores, observed[:, some]))
    return found


def arranged(
    z: Floats, controls: Floats, drawn: Orders, *, family: bool
) -> list[tuple[Orders, NDArray[np.intp]]]:
    """Which covariates are permuted by which orders: those of few arrangements each by all of its own.

    For a ``family`` all covariates come first, under the same orders.
    """
    every = np.arange(z.shape[1])
    joint = drawn.of(np.hstack([z, controls]))
    if joint.complete:
        return [(joint, every)]
    own = [(drawn.of(np.column_stack([z[:, k], controls])), every[k : k + 1]) for k in every]
    own = [(orders, which) for orders, which in own if orders.complete]
    several = np.setdiff1d(every, [which[0] for _, which in own])
    if family or len(several):
        own.insert(0, (joint, every if family else several))
    return own


def intervals(
    fit: Partialled, simulated: Simulated, needed: int, alternative: Alternative
) -> tuple[Floats, Floats]:
    r"""All slopes around the estimate that the test does not reject: the two ends, shape (k, m) each.

    The slope b is tested by permuting e − b x. With δ = b − b̂, r the residuals of the full model,
    :math:`c = x_\pi' r`, :math:`d = x_\pi' x`, :math:`u = Q_\pi' r`, :math:`v = Q_\pi' x` and S = x'x,
    order π is at least as extreme as the data where

    .. math:: (c - \delta d)^2 (r'r + S \delta^2) \ge
        S^2 \delta^2 (r'r + S \delta^2 - \lVert u - \delta v \rVert^2)

    Without controls that is linear, and holds for π up to
    :math:`\delta = \max(c / (S + d), -c / (S - d))` above 0 and likewise below, so the end is an order
    statistic of these. With controls the end is searched by halving.

    Parameters
    ----------
    needed : int
        How many orders have to count for a slope to be in the interval.
    """
    k, m, count = simulated.cross.shape
    low, high = np.full((k, m), -np.inf), np.full((k, m), np.inf)
    if needed == 0:
        return low, high
    width = max(1, _SEARCHED // count)
    blocks = [(j, slice(start, start + width)) for j in range(k) for start in range(0, m, width)]
    parts = in_blocks(
        partial(_both_ends, fit, simulated, blocks, needed, alternative),
        len(blocks),
        steps=200.0 * k * m * count * (1 + fit.basis.shape[1]),
    )
    for (j, sectors), ends in zip(blocks, chain(*parts), strict=True):
        low[j, sectors], high[j, sectors] = ends
    return low, high


def _both_ends(
    fit: Partialled,
    simulated: Simulated,
    blocks: list[tuple[int, slice]],
    needed: int,
    alternative: Alternative,
    some: slice,
) -> list[tuple[Floats, Floats]]:
    """Both ends of the intervals in some blocks: of a covariate and some sectors each."""
    found = []
    for j, sectors in blocks[some]:
        slope = fit.sectors(sectors).slopes()[j]
        low, high = np.full_like(slope, -np.inf), np.full_like(slope, np.inf)
        both = alternative == "two-sided"
        if alternative != "less":
            low = slope - _reach(fit, simulated, j, sectors, -1.0, needed, both=both)
        if alternative != "greater":
            high = slope + _reach(fit, simulated, j, sectors, 1.0, needed, both=both)
        found.append((low, high))
    return found


def _reach(
    fit: Partialled,
    simulated: Simulated,
    j: int,
    some: slice,
    sign: float,
    needed: int,
    *,
    both: bool,
) -> Floats:
    """How far the interval of some sectors reaches from the slope on covariate j, on one side.

    With c and u times the sign, statistics at distance η that are as extreme as the observed one, which is
    negative there, have c − ηd at or below −S η (without controls); ``both`` counts the other tail too.
    """
    part = fit.sectors(some)
    S, d = float(fit.squares[j]), simulated.own[j]
    slope = part.slopes()[j]
    if S == 0:
        return np.full(len(slope), np.inf)
    c = sign * (simulated.cross[j, some] - slope[:, None] * d)
    if fit.basis.shape[1]:
        v = simulated.beside[:, j]
        u = sign * (simulated.lost[:, some] - slope[:, None] * v[:, None])
        residual = np.maximum(part.response_squares - slope**2 * S, 0.0)
        terms = _Terms(c, d[None], u, v[:, None], residual[:, None], S, both)
        # A perfect fit leaves no residual to begin with.
        guess = np.maximum(2 * np.sqrt(residual / S / fit.degrees), 1e-9 * np.abs(slope))
        return _searched(terms, guess, needed)
    # An order that leaves the covariate as it is, or turns it about, counts everywhere.
    fixed = S - d <= TIE * S
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = -c / (S - d)
        if both:
            fixed |= S + d <= TIE * S
            np.maximum(reach, c / (S + d), out=reach)
    reach[:, fixed] = np.inf
    place = reach.shape[1] - needed
    return np.asarray(np.maximum(np.partition(reach, place, axis=1)[:, place], 0.0))


@dataclass(frozen=True)
class _Terms:
    """What decides how far each order (last axis) is as extreme as the data, for each sector (first axis)."""

    c: Floats
    d: Floats
    u: Floats
    v: Floats
    residual: Floats
    S: float
    both: bool

    def extreme(self, at: Floats) -> NDArray[np.bool_]:
        """Whether each order is as extreme as the data at this distance, one for each sector."""
        eta = at[:, None]
        total = self.residual + self.S * eta**2
        numerator = self.c - eta * self.d
        lost = 0.0
        for u, v in zip(self.u, self.v, strict=True):
            lost = lost + (u - eta * v) ** 2
        bound = (self.S**2 * (1 - 10 * TIE)) * eta**2 * (total - lost)
        found = numerator**2 * total >= bound
        if not self.both:
            found &= (numerator <= 0) | (bound <= 0)
        return np.asarray(found)

    def taken(self, which: NDArray[np.intp]) -> _Terms:
        """The same for some orders of each sector."""
        shape = (len(self.c), self.c.shape[1])

        def take(cells: Floats) -> Floats:
            return np.take_along_axis(np.broadcast_to(cells, shape), which, axis=1)

        u, v = (np.array([take(cells) for cells in several]) for several in (self.u, self.v))
        return _Terms(take(self.c), take(self.d), u, v, self.residual, self.S, self.both)


def _searched(terms: _Terms, guess: Floats, needed: int) -> Floats:
    """Distance beyond which fewer orders than needed are as extreme as the data."""
    inside, outside = np.zeros_like(guess), np.maximum(guess, 1e-60)
    for _ in range(_DOUBLINGS):
        enough = terms.extreme(outside).sum(axis=1) >= needed
        if not enough.any():
            break
        inside[enough] = outside[enough]
        outside[enough] *= 2
    endless = terms.extreme(outside).sum(axis=1) >= needed

    def halve(orders: _Terms, counted: NDArray[np.bool_] | bool, sure: NDArray[np.int_] | int) -> None:
        middle = (inside + outside) / 2
        enough = sure + (orders.extreme(middle) & counted).sum(axis=1) >= needed
        inside[enough], outside[~enough] = middle[enough], middle[~enough]

    for _ in range(_HALVINGS[0]):
        halve(terms, True, 0)
    # Between the two ends only few orders are open still.
    near, far = terms.extreme(inside), terms.extreme(outside)
    unsettled = near & ~far
    most = int(unsettled.sum(axis=1).max())
    which = np.argsort(~unsettled, axis=1, kind="stable")[:, :most]
    counted, sure = np.take_along_axis(unsettled, which, axis=1), (near & far).sum(axis=1)
    fewer = terms.taken(which)
    for _ in range(_HALVINGS[1]):
        halve(fewer, counted, sure)
    return np.where(endless, np.inf, outside)
