r"""The adding-up identity of published quotients, and all base shares that satisfy it.

Regions partition the country, so with base shares :math:`s_i \ge 0, \sum_i s_i = 1` the quotients of every
sector compared with that base satisfy :math:`\sum_i s_i LQ_{ij} = 1`. A printed quotient stands for an
interval :math:`[l_{ij}, u_{ij}]`, and because the shares are not negative the identity holds for some
quotients within their intervals exactly where

.. math:: \sum_i s_i l_{ij} \le 1 \le \sum_i s_i u_{ij} \quad\text{for all } j.

These shares form a polytope, so every question about them is a linear program.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.optimize import linprog, minimize
from scipy.special import logsumexp

from spatialkz.errors import InputError, listing
from spatialkz.resampling.pvalues import Floats

# The solver meets constraints to 1e-7; a violation below this is rounding error.
_TOLERANCE = 1e-6
# It takes 10^15 for infinity.
_LARGEST = 1e12


@dataclass(frozen=True)
class ShareSet:
    """All base shares that one base group of published quotients allows.

    Parameters
    ----------
    low, high : DataFrame, shape (regions, sectors)
        What each printed quotient may stand for.
    """

    low: pd.DataFrame
    high: pd.DataFrame

    @property
    def regions(self) -> pd.Index:
        """Region labels."""
        return self.low.index

    def slack(self) -> pd.Series:
        """Return the miss of each sector where the total miss is least; all 0 means feasible."""
        n, k = self.low.shape
        cost = np.concatenate([np.zeros(n), np.ones(2 * k)])
        short, over = np.eye(k), np.zeros((k, k))
        matrix = np.block([[self.low.to_numpy().T, -short, over], [-self.high.to_numpy().T, over, -short]])
        total = np.concatenate([np.ones(n), np.zeros(2 * k)])
        found = linprog(cost, matrix, self._limits(), total[None], [1.0])
        misses = found.x[n : n + k] + found.x[n + k :]
        return pd.Series(np.where(misses > _TOLERANCE, misses, 0.0), index=self.low.columns, name="slack")

    def feasible(self, sectors: Iterable[str] | None = None) -> bool:
        """Whether any base shares satisfy the identity in all ``sectors`` (all of them, if left out)."""
        part = self if sectors is None else self._only(list(sectors))
        return not part.slack().any()

    def bounds(self, regions: Iterable[object] | None = None) -> pd.DataFrame:
        """Least and largest base share of each region over all shares allowed: columns ``low, high``."""
        wanted = list(self.regions if regions is None else regions)
        self._known(wanted)
        rows = [self._range((self.regions == region).astype(float)) for region in wanted]
        return pd.DataFrame(rows, index=pd.Index(wanted, name=self.regions.name), columns=["low", "high"])

    def outer_bounds(self) -> pd.DataFrame:
        r"""Bounds from each sector alone, :math:`s_i \le 1 / \max_j l_{ij}`: valid, not tight, at once."""
        largest = self.low.max(axis=1)
        high = np.minimum(1.0, 1.0 / largest.where(largest > 0, 1.0))
        return pd.DataFrame({"low": 0.0, "high": high}, index=self.regions)

    def sector_share(self, sector: str, regions: Iterable[object]) -> tuple[float, float]:
        r"""Least and largest share of the national sector that a set of regions can hold.

        The share is :math:`y = \sum_{i \in A} s_i LQ_{ij}`. Since *y* and :math:`1 - y` may each lie anywhere
        between their sums of :math:`s_i l_{ij}` and :math:`s_i u_{ij}`, its range is a linear program.
        """
        if sector not in self.low.columns:
            raise InputError(
                f"There is no sector {sector!r} in the group; there are {listing(self.low.columns, 20)}."
            )
        wanted = list(regions)
        self._known(wanted)
        inside = self.regions.isin(wanted).astype(float)
        low, high = self.low[sector].to_numpy(), self.high[sector].to_numpy()
        more = np.array(
            [
                [*(low * inside), -1.0],  # Σ_A s l ≤ y
                [*(-high * inside), 1.0],  # y ≤ Σ_A s u
                [*(low * (1 - inside)), 1.0],  # Σ_rest s l ≤ 1 − y
                [*(-high * (1 - inside)), -1.0],  # 1 − y ≤ Σ_rest s u
            ]
        )
        objective = np.concatenate([np.zeros(len(low)), [1.0]])
        return self._range(objective, more, np.array([0.0, 0.0, 1.0, -1.0]))

    def conflicts(self, most: int | None = None) -> list[tuple[str, ...]]:
        """Return all minimal infeasible sets of at most ``most`` sectors.

        A set is minimal when the identity fails in it and holds in each of its proper subsets. Found by
        size, skipping what contains a set already found; the number of programs can grow as 2 to the number
        of sectors.
        """
        found: list[tuple[str, ...]] = []
        columns = list(self.low.columns)
        for size in range(1, (most or len(columns)) + 1):
            for sectors in combinations(columns, size):
                if not any(set(smaller) <= set(sectors) for smaller in found) and not self.feasible(sectors):
                    found.append(sectors)
        return found

    def one_conflict(self) -> tuple[str, ...]:
        """One minimal infeasible set of sectors, by leaving out one sector after another; () if feasible."""
        if self.feasible():
            return ()
        kept = list(self.low.columns)
        for sector in self.low.columns:
            rest = [name for name in kept if name != sector]
            if rest and not self.feasible(rest):
                kept = rest
        return tuple(kept)

    def nearest(self, prior: pd.Series | None = None) -> pd.Series:
        r"""Allowed base shares nearest to ``prior``; without a prior, those of largest entropy.

        Minimizes the relative entropy :math:`\sum_i s_i \ln(s_i / p_i)` over the polytope through its dual, a
        smooth problem with two multipliers for each sector:
        :math:`s_i \propto p_i e^{-\sum_j \lambda_j a_{ij}}`.

        Raises
        ------
        InputError
            If no shares are allowed, or the prior is not positive in every region.
        """
        if not self.feasible():
            raise InputError("No base shares satisfy the adding-up identity, so none is nearest.")
        weights = pd.Series(1.0, index=self.regions) if prior is None else prior.reindex(self.regions)
        if not (weights > 0).all():
            bad = self.regions[~(weights > 0)]
            raise InputError(
                f"Prior shares must be positive in every region; they are not in {listing(bad)}."
            )
        log_prior = np.log((weights / weights.sum()).to_numpy())
        matrix = np.vstack([self.low.to_numpy().T, -self.high.to_numpy().T])
        limits = self._limits()

        def dual(multipliers: Floats) -> tuple[float, Floats]:
            exponents = log_prior - multipliers @ matrix
            level = logsumexp(exponents)
            shares = np.exp(exponents - level)
            return float(level + multipliers @ limits), limits - matrix @ shares

        found = minimize(
            dual,
            np.zeros(len(matrix)),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, None)] * len(matrix),
            options={"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-15, "gtol": 1e-9},
        )
        exponents = log_prior - found.x @ matrix
        return pd.Series(np.exp(exponents - logsumexp(exponents)), index=self.regions, name="base_share")

    def _limits(self) -> Floats:
        k = self.low.shape[1]
        return np.concatenate([np.ones(k), -np.ones(k)])

    def _only(self, sectors: list[str]) -> ShareSet:
        return ShareSet(self.low[sectors], self.high[sectors])

    def _known(self, regions: list[object]) -> None:
        unknown = [region for region in regions if region not in self.regions]
        if unknown:
            raise InputError(f"The table has no region {listing(unknown)}.")

    def _range(
        self, objective: Floats, rows: Floats | None = None, limits: Floats | None = None
    ) -> tuple[float, float]:
        """Range of a linear function of the shares and, with ``rows``, of one more variable."""
        extra = len(objective) - len(self.regions)
        matrix = np.vstack([self.low.to_numpy().T, -self.high.to_numpy().T])
        matrix = np.hstack([matrix, np.zeros((len(matrix), extra))])
        bound = self._limits()
        if rows is not None and limits is not None:
            matrix, bound = np.vstack([matrix, rows]), np.concatenate([bound, limits])
        total = np.concatenate([np.ones(len(self.regions)), np.zeros(extra)])
        ends = []
        for sign in (1.0, -1.0):
            found = linprog(sign * objective, matrix, bound, total[None], [1.0])
            if found.status != 0:
                raise InputError("No base shares satisfy the adding-up identity, so they have no bounds.")
            ends.append(sign * found.fun)
        return max(0.0, ends[0]), min(1.0, ends[1])


def check_auditable(quotients: pd.DataFrame) -> None:
    """Refuse quotients that no region large enough to be told from none can have.

    Raises
    ------
    InputError
        If a quotient exceeds 10^12: its region would hold less than 10^-12 of the base.
    """
    if quotients.to_numpy().max() > _LARGEST:
        row, column = divmod(int(quotients.to_numpy().argmax()), quotients.shape[1])
        cell = f"{quotients.index[row]!s} × {quotients.columns[column]!s}"
        found = float(quotients.to_numpy().max())
        raise InputError(
            f"The quotient of {cell} is {found:g}, but a quotient is at most 1 / the region's share of the "
            f"base, and an audit can handle up to {_LARGEST:g}; check its unit."
        )
