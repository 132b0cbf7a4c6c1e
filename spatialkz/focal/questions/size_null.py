r"""Tables without co-location in which chance is larger where the region is smaller.

Quotients of large regions lie near 1 (a region that is half the country cannot exceed 2), those of small
regions scatter from 0 to far above. At a threshold of 1 that alone gives large regions more specializations
than small ones, at 2 fewer, in all sectors alike: it passes for co-location, or hides it.

The null here: the units of a sector choose their regions independently of each other and of the other
sectors, region *i* with probability :math:`s_i`, its share of the base. With :math:`N_j` units,

.. math:: \mathrm{E}\, LQ_{ij} = 1, \qquad \mathrm{var}\, LQ_{ij} = \frac{1 - s_i}{s_i N_j}.

Money has no units, and jobs come by the plant, so :math:`N_j` is by default the *effective* number: the one
with which chance alone gives the dispersion observed. Effective numbers are not whole, so the sector's shares
are drawn from the Dirichlet distribution with the mean and covariances of the multinomial,
:math:`p_j \sim \mathrm{Dir}(A_j s)` with :math:`A_j = N_j - 1`. Dispersion is measured by Hoover's index,
whose expectation over beta variables is known,

.. math:: H_j = \tfrac12 \sum_i |p_{ij} - s_i|, \qquad
    \mathrm{E} H = \sum_i \frac{a_i^{a_i} b_i^{b_i}}{B(a_i, b_i)\, A^{A + 1}},
    \quad a_i = A s_i,\; b_i = A (1 - s_i),

and :math:`\hat A_j` solves :math:`\mathrm{E} H = H_j`. (The variance would give a closed form, but a few high
quotients decide it, and at 17 regions it overstates small :math:`N_j` by half.)

A sector that is missing from some regions comes in few plants, and those empty regions tell how few. Its
plants arrive one after another, each in region *i* with probability :math:`s_i`, until *D* regions have one,
as many as in the table. First arrivals are exponential with rate :math:`s_i`; the sector is looked at between
the last of them in time, :math:`T_D`, and the first too late, :math:`T_{D+1}`, uniformly in logarithms and
with weight :math:`\ln (T_{D+1} / T_D)`, which is the posterior of the time under a prior uniform in its
logarithm. Plants differ in size by a gamma distribution whose shape :math:`\kappa` is common to all such
sectors and gives the sum of their Hoover indices. With many plants this is the Dirichlet distribution again.
Effective units alone take a sector of few plants for one present everywhere, and reject in up to half of the
tables without co-location (by ranks in nearly all).

With effective units or plants a simulated table only decides the *order* of the regions within each sector;
the observed quotients are then dealt out in that order. So every null table has each sector's observed
values, as under the permutation of columns, which is the special case where all orders are equally likely. An
error in :math:`\hat N_j` moves orders only, not the number of specializations. Where units were counted
nothing needs to be estimated: the simulated quotients themselves are the null table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betaln, xlogy

from spatialkz.errors import InputError, listing
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization import QuotientAudit, table_margins
from spatialkz.specialization.indices.regional import hoover
from spatialkz.tables import ActivityTable, check_same_regions, check_table

Shares: TypeAlias = pd.Series | pd.DataFrame
# Draws that share a generator, so that results do not depend on how the work is divided.
CHUNK = 256
# A sector cannot come in fewer units than one; its order is then that of a single dart and noise.
_FEWEST, _MOST = 1.05, 1e6
# The multinomial distribution is drawn in whole numbers of 64 bits.
_MOST_COUNTED = 1e15
# Candidates for each draw of plants, of which one is taken by weight.
_CANDIDATES = 4
# Shapes of the distribution of plant sizes that are tried (the last: equal sizes), and draws of each.
_SHAPES, _SHAPE_DRAWS = np.geomspace(0.02, 1000, 16), 100
# Logarithm far below that of any simulated quotient; regions without a plant come after all others.
_NONE = -1e6


@dataclass(frozen=True)
class SizeNull:
    """The null of this module, ready to be drawn from.

    Attributes
    ----------
    shares : array, shape (choices, regions, sectors)
        Base shares; the draws take the choices in turn.
    units : array, shape (sectors,)
        Number of units, or effective number.
    counted : bool
        Whether units are whole, and drawn from the multinomial distribution.
    present : array, shape (sectors,), optional
        Number of regions that have the sector; where that is not all of them, plants are drawn. None: not
        known, and effective units serve for every sector.
    evenness : float
        Shape of the gamma distribution of plant sizes; large, they are equal.
    """

    shares: Floats
    units: Floats
    counted: bool
    present: NDArray[np.intp] | None = None
    evenness: float = float(_SHAPES[-1])

    def scores(self, seeds: np.random.SeedSequence, part: slice) -> Floats:
        """Numbers in the order of the simulated quotients, in random order where those are equal.

        Shape (draws, regions, sectors).
        """
        drawn = []
        for rng, first, size in chunks(seeds, part):
            simulated = self._drawn(rng, first, size)
            drawn.append(simulated + 1e-9 * rng.random(simulated.shape) if self.counted else simulated)
        return np.concatenate(drawn)

    def quotients(self, seeds: np.random.SeedSequence, part: slice) -> Floats:
        """Simulated quotients of counted units, shape (draws, regions, sectors)."""
        return np.concatenate([self._drawn(rng, first, size) for rng, first, size in chunks(seeds, part)])

    def _drawn(self, rng: np.random.Generator, first: int, size: int) -> Floats:
        """Quotients of counted units; of others their logarithms, up to a constant for draw and sector."""
        shares = self.shares[np.arange(first, first + size) % len(self.shares)]
        if self.counted:
            units = rng.multinomial(self.units.astype(np.int64), np.swapaxes(shares, 1, 2)).swapaxes(1, 2)
            return np.asarray(units / self.units / shares)
        present = np.full(len(self.units), shares.shape[1]) if self.present is None else self.present
        some = present < shares.shape[1]
        scores = np.empty(shares.shape)
        everywhere = shares[:, :, ~some]
        drawn = dirichlet_logarithms(rng, everywhere * (self.units[~some] - 1))
        scores[:, :, ~some] = drawn - np.log(everywhere)
        for j in np.flatnonzero(some):
            plants, arrival = first_plants(rng, shares[:, :, j], int(present[j]))
            mass = dirichlet_logarithms(rng, self.evenness * np.maximum(plants, 1)) - np.log(shares[:, :, j])
            scores[:, :, j] = np.where(plants > 0, mass, _NONE - np.log(arrival))
        return np.asarray(scores)


def first_plants(rng: np.random.Generator, shares: Floats, present: int) -> tuple[Floats, Floats]:
    """Plants of each region once ``present`` regions have one, and when the first of each arrives.

    Parameters
    ----------
    rng : Generator
    shares : array, shape (draws, regions)
        Chance of each region to get a plant.
    present : int
        From 1 to the number of regions less 1.

    Returns
    -------
    tuple of arrays, each of shape (draws, regions)

    Examples
    --------
    >>> plants, arrival = first_plants(np.random.default_rng(1), np.full((4, 5), 0.2), 3)
    >>> print((plants > 0).sum(axis=1))
    [3 3 3 3]
    """
    draws = np.arange(len(shares))
    # Single precision is enough for an order, and takes half of the time.
    arrivals = rng.standard_exponential((_CANDIDATES, *shares.shape), dtype=np.float32)
    arrivals = np.maximum(arrivals / shares.astype(np.float32), np.float32(1e-30))
    ordered = np.partition(arrivals, (present - 1, present), axis=2)
    last, late = ordered[:, :, present - 1], ordered[:, :, present]
    weight = np.log(late / last).cumsum(axis=0)
    chosen = (weight < rng.random(len(shares)) * weight[-1]).sum(axis=0)
    arrival, last, late = (part[chosen, draws].astype(np.float64) for part in (arrivals, last, late))
    time = (last * (late / last) ** rng.random(len(shares)))[:, None]
    more = rng.poisson(shares * np.maximum(time - arrival, 0))
    return np.where(arrival <= last[:, None], 1.0 + more, 0.0), arrival


def plant_evenness(quotients: Floats, shares: Floats) -> float:
    """Shape of the plant sizes with which sectors missing from some regions are as dispersed as observed.

    Parameters
    ----------
    quotients, shares : array, shape (regions, sectors)
    """
    present = (quotients > 0).sum(axis=0)
    few = np.flatnonzero((present > 1) & (present < len(quotients)))
    activity = shares[:, few] * quotients[:, few]
    observed = hoover(activity / activity.sum(axis=0), shares[:, few]).sum()
    rng, expected = np.random.default_rng(0), np.zeros(len(_SHAPES))
    for j in few:
        own = np.broadcast_to(shares[:, j], (_SHAPE_DRAWS, len(shares)))
        plants, _ = first_plants(rng, own, int(present[j]))
        for i, shape in enumerate(_SHAPES):
            logarithm = dirichlet_logarithms(rng, shape * np.maximum(plants, 1))
            logarithm[plants == 0] = -np.inf
            mass = np.exp(logarithm - logarithm.max(axis=1, keepdims=True))
            expected[i] += hoover((mass / mass.sum(axis=1, keepdims=True)).T, own.T).mean()
    # Expectations fall in the shape, but for the error of the draws.
    falling = np.minimum.accumulate(expected)
    return float(np.exp(np.interp(-observed, -falling, np.log(_SHAPES))))


def dirichlet_logarithms(rng: np.random.Generator, shape: Floats) -> Floats:
    """Logarithms of Dirichlet variables, up to a constant for each draw; ``shape`` may be very small."""
    # ln Gamma(a) as ln Gamma(a + 1) + ln(U) / a, which does not underflow.
    return np.asarray(np.log(rng.standard_gamma(shape + 1)) - rng.standard_exponential(shape.shape) / shape)


def chunks(seeds: np.random.SeedSequence, part: slice) -> Iterator[tuple[np.random.Generator, int, int]]:
    """Generator, first draw and number of draws of each chunk; ``part`` begins where a chunk does."""
    for first in range(part.start, part.stop, CHUNK):
        child = np.random.SeedSequence(seeds.entropy, spawn_key=(*seeds.spawn_key, first // CHUNK))
        yield np.random.default_rng(child), first, min(CHUNK, part.stop - first)


def dealt(cells: Floats, scores: Floats) -> Floats:
    """Give each column's values to the regions in the order of their scores.

    Parameters
    ----------
    cells : array, shape (regions, sectors)
    scores : array, shape (draws, regions, sectors)

    Returns
    -------
    array, shape (draws, regions, sectors)

    Examples
    --------
    >>> dealt(np.array([[1.0], [9.0]]), np.array([[[0.8], [0.1]]])).ravel()
    array([9., 1.])
    """
    return dealt_in_order(cells, scores.argsort(axis=1))


def dealt_in_order(cells: Floats, order: NDArray[np.intp]) -> Floats:
    """Return what :func:`dealt` does for scores whose order along axis 1 is known."""
    tables = np.empty(order.shape)
    np.put_along_axis(tables, order, np.sort(cells, axis=0)[None], axis=1)
    return tables


def size_null(
    quotients: pd.DataFrame,
    base_shares: Shares | Sequence[Shares],
    units: float | pd.Series | None = None,
) -> SizeNull:
    """Prepare the null for a table; arguments as in :func:`spatialkz.focal.colocation_test`."""
    choices = [base_shares] if isinstance(base_shares, pd.Series | pd.DataFrame) else list(base_shares)
    if not choices:
        raise InputError("base_shares is empty; the null of region sizes needs at least one choice of them.")
    shares = np.stack([_checked_shares(choice, quotients) for choice in choices])
    cells, average = quotients.to_numpy(), shares.mean(axis=0)
    present = (cells > 0).sum(axis=0)
    if units is None:
        everywhere = np.where(present > 0, present, len(cells))
        shape = plant_evenness(cells, average)
        return SizeNull(shares, effective_units(cells, average), False, everywhere, shape)
    given = pd.Series(units, index=quotients.columns) if np.isscalar(units) else pd.Series(units)
    given = given.reindex(quotients.columns).astype("float64")
    missing = given.index[given.isna()]
    if len(missing):
        raise InputError(
            f"units has no number for {listing(missing)}; give the plants of every sector, or leave units "
            "out and they are estimated from the quotients."
        )
    bad = given.index[~(given.between(1, _MOST_COUNTED))]
    if len(bad):
        raise InputError(
            f"units must be from 1 to {_MOST_COUNTED:.0e} in every sector; not so in {listing(bad)}. "
            "A sector without plants has no quotients: leave it out."
        )
    whole = np.rint(np.asarray(given, dtype=np.float64))
    few = np.flatnonzero(whole < present)
    if len(few):
        j = few[0]
        raise InputError(
            f"units is {whole[j]:g} in {quotients.columns[j]}, but {present[j]} regions have that sector, "
            "and a plant is in one region: give the plants behind the quotients, or leave units out."
        )
    return SizeNull(shares, whole, counted=True)


def optional_size_null(
    quotients: pd.DataFrame,
    base_shares: Shares | Sequence[Shares] | None,
    units: float | pd.Series | None,
) -> SizeNull | None:
    """The null where base shares are known; units alone are refused."""
    if base_shares is not None:
        return size_null(quotients, base_shares, units)
    if units is not None:
        raise InputError("units are given, but not base_shares, the share of each region in the base.")
    return None


def effective_units(quotients: Floats, shares: Floats) -> Floats:
    r"""Number of units :math:`\hat A_j + 1` with which chance gives the dispersion observed, 1.05 to 10⁶.

    Parameters
    ----------
    quotients, shares : array, shape (regions, sectors)
    """
    activity = shares * quotients
    dispersion = hoover(activity / np.maximum(activity.sum(axis=0), np.finfo(float).tiny), shares)
    # The expectation falls in A, so halving the interval of ln A finds it.
    low, high = (np.full(len(dispersion), np.log(units - 1)) for units in (_FEWEST, _MOST))
    for _ in range(40):
        middle = (low + high) / 2
        too_even = expected_hoover(np.exp(middle), shares) < dispersion
        low, high = np.where(too_even, low, middle), np.where(too_even, middle, high)
    return np.asarray(np.exp((low + high) / 2) + 1)


def expected_hoover(total: Floats, shares: Floats) -> Floats:
    """Expectation of Hoover's index of each column; ``total`` is the number of units less 1."""
    a, b = total * shares, total * (1 - shares)
    powers = xlogy(a, a) + xlogy(b, b) - betaln(a, b) - (total + 1) * np.log(total)
    return np.asarray(np.exp(powers).sum(axis=0))


def table_base_shares(
    table: ActivityTable,
    audit: QuotientAudit | None = None,
    *,
    draws: int = 0,
    rng: np.random.Generator | None = None,
) -> list[pd.DataFrame]:
    """Base shares of each region in each sector: those of the volumes, or such as the audit allows.

    Published quotients have no base; of all base shares that fit them the first returned are those of largest
    entropy, followed by ``draws`` others, each nearest to a prior drawn uniformly from all shares.

    Parameters
    ----------
    table : ActivityTable
    audit : QuotientAudit, optional
        Audit of a table of quotients; sectors of a group that no base shares fit have none, and then the
        list is empty.
    draws : int
        Number of further choices.
    rng : Generator, optional
        For the draws.

    Returns
    -------
    list of DataFrame, each regions × sectors

    Examples
    --------
    >>> import spatialkz
    >>> from spatialkz.specialization import audit_table
    >>> table = spatialkz.load_study().table
    >>> shares = table_base_shares(table, audit_table(table))
    >>> shares[0].sum().round(6).unique().tolist()
    [1.0]
    """
    if table.kind != "quotients":
        bases = table_margins(table).bases
        return [bases / bases.sum()]
    if audit is None or set(table.groups) - set(audit.base_shares):
        return []
    stream = np.random.default_rng() if rng is None else rng
    n = len(table.regions)
    priors = [None, *(pd.Series(stream.dirichlet(np.ones(n)), index=table.regions) for _ in range(draws))]
    found = []
    for prior in priors:
        by_group = audit.plausible_shares(prior)
        found.append(by_group[table.groups.to_numpy()].set_axis(table.sectors, axis=1))
    return found


def _checked_shares(base_shares: Shares, quotients: pd.DataFrame) -> Floats:
    """Shares as regions × sectors, each column positive and summing to 1."""
    table = check_table(base_shares, name="base_shares", minimum=0)
    check_same_regions(table.index, quotients.index, "base_shares", against="quotients")
    table = table.loc[quotients.index]
    if isinstance(base_shares, pd.Series):
        table = pd.DataFrame(dict.fromkeys(quotients, table.iloc[:, 0]), index=table.index)
    missing = quotients.columns.difference(table.columns)
    if len(missing):
        raise InputError(f"base_shares has no column for {listing(missing)}.")
    shares = table[quotients.columns].to_numpy()
    empty = quotients.index[np.flatnonzero((shares <= 0).any(axis=1))]
    if len(empty):
        raise InputError(
            f"base_shares must be positive in every region; not so in {listing(empty)}. "
            "A region without base has no quotients: leave it out."
        )
    return np.asarray(shares / shares.sum(axis=0))
