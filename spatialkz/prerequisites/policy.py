"""Whether the sectors that a policy names in a region exceed what region and sector effects give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spatialkz.errors import InputError, listing
from spatialkz.options import ContrastEffects
from spatialkz.randomness import generator
from spatialkz.resampling.checks import check_alpha, check_permutations
from spatialkz.resampling.pvalues import TIE, Floats, adjusted, permutation_p_value, tail_p_value
from spatialkz.resampling.shuffles import arrangement_count, arrangements, order_keys, random_orders
from spatialkz.results import Result, json_ready
from spatialkz.tables import check_same_regions, check_table, require_labels

Orders: TypeAlias = NDArray[np.uint32]

# Simulated policies behind the power, and permutations of each (standard error of the power ≤ 0.02).
_POLICIES, _OF_EACH = 500, 499
# Share of the simulated policies that are to be found.
_POWER = 0.8
# Regions that are left out in turn: all of them, or this many that have the longest lists.
_LEFT_OUT = 100
# Sums of one call of NumPy, and of all that is left out in turn.
_TOGETHER, _IN_TURN = 5_000_000, 100_000_000


@dataclass(frozen=True, repr=False)
class PolicyContrast(Result):
    """Result of :func:`policy_contrast`.

    Attributes
    ----------
    table : DataFrame
        Index ``policy``; what :meth:`to_frame` returns.
    influence : DataFrame
        Index ``(policy, region)``: ``named`` (cells of the region), and ``difference`` and ``p_value``
        without it.
    effects : str
        Which effects were taken out.
    alpha : float
        Level of interval, labels and power.
    permutations : int
    """

    table: pd.DataFrame
    influence: pd.DataFrame
    effects: ContrastEffects
    alpha: float
    permutations: int

    def to_frame(self) -> pd.DataFrame:
        """One row for each policy.

        ``named`` and ``regions`` count cells and regions with a list; ``difference, low, high`` in log1p of
        the quotient; ``p_value, p_adjusted`` (Benjamini–Hochberg over the policies); ``p_least``, the
        smallest p-value that so few different lists allow; ``worst_p, rests_on``, the largest p-value without
        one region, and that region; ``detectable``, the smallest difference found with 80 % power, missing if
        none is; ``label``.
        """
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """Tests and what each region does to them, ready for JSON."""
        without = {
            str(policy): json_ready(part.droplevel("policy"))
            for policy, part in self.influence.groupby(level="policy", sort=False)
        }
        return {
            "null": f"{self._null()}.",
            "effects": self.effects,
            "alpha": self.alpha,
            "permutations": self.permutations,
            "policies": json_ready(self.table),
            "influence": without,
        }

    def summary(self) -> str:
        """Each test with its interval, power and weakest point, as text."""
        lines = [f"Null hypothesis: {self._null()}."]
        for policy, row in self.table.iterrows():
            found = f"{row['detectable']:.3f} is" if np.isfinite(row["detectable"]) else "no difference is"
            lines += [
                f"{policy}: {row['named']} named cells in {row['regions']} regions differ by "
                f"{row['difference']:+.3f} in log1p(LQ), {1 - self.alpha:.0%} interval {row['low']:+.3f} to "
                f"{row['high']:+.3f}, p = {row['p_value']:.4f} ({row['label']}); without {row['rests_on']} "
                f"p = {row['worst_p']:.4f}; {found} found with {_POWER:.0%} power"
            ]
        return "\n".join(lines)

    def _null(self) -> str:
        given = {"two-way": "region and sector", "region": "region", "sector": "sector"}[self.effects]
        return f"given {given} effects, any region could have had any other's list of named sectors"


def policy_contrast(
    quotients: pd.DataFrame,
    named: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    effects: ContrastEffects = "two-way",
    alpha: float = 0.05,
    permutations: int = 9999,
    rng: int | np.random.Generator | None = None,
) -> PolicyContrast:
    r"""Test whether the cells that a policy names exceed what region and sector effects give.

    With :math:`N_{ij} = 1` where the policy names sector *j* in region *i*, the model is

    .. math:: \ln(1 + LQ_{ij}) = \alpha_i + \beta_j + \delta N_{ij} + \varepsilon_{ij},

    and :math:`\hat\delta = \sum \tilde N_{ij} \tilde y_{ij} / \sum \tilde N_{ij}^2`, where the tilde takes
    out the means of rows and columns: least squares with a dummy for each region and sector, in closed form
    because no cell is missing. So neither a region that is strong in everything nor a sector that is strong
    where policies are many makes a difference.

    Null hypothesis: the lists of named sectors, whole, could stand at any regions. They are permuted over the
    regions, empty lists too; where at most as many arrangements are possible as ``permutations``, all are
    taken and the p-value is exact. It is two-sided: twice the smaller tail, because the lists are of unequal
    length and the distribution is skewed. Counting :math:`|\hat\delta|` gives other answers (for the zones of
    the paper .04 in place of .07). The interval holds all :math:`\delta_0` that the test of :math:`\ln(1 +
    LQ) - \delta_0 N` does not reject.

    **Power**: a simulated policy puts the lists at random regions and adds a difference to the cells it
    names, on what is left of the table without the difference found; ``detectable`` is the smallest one with
    :math:`p \le \alpha` in 80 % of the simulations.

    **Labels**: ``supported`` (adjusted p-value and all p-values without one region at most α), ``rests on one
    region``, ``unattainable`` (no arrangement of so few lists has a p-value of at most α), ``not found``.

    This is no effect of the policy: zones are put where something is, or where something is lacking.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients, no cell missing.
    named : DataFrame of bool or 0 and 1, shape (regions, sectors), or mapping of such
        Which sectors the policy names in which region. Regions and sectors that it leaves out are not named.
        A mapping has several policies by name, as :attr:`spatialkz.study.Study.policies`.
    effects : {"two-way", "region", "sector"}
        What is taken out. Without region effects the question is also whether the listed regions are strong.
    alpha : float
        Level of interval, labels and power.
    permutations : int
        At least 99.
    rng : int, Generator or None

    Returns
    -------
    PolicyContrast

    Raises
    ------
    InputError
        If the policy names regions or sectors that the table lacks, nothing, or the same everywhere; if a
        cell is neither 0 nor 1, or an option is out of range.

    References
    ----------
    Permuting the rows of a design matrix in a two-way layout: Good (2005), *Permutation, Parametric and
    Bootstrap Tests of Hypotheses*, ch. 3.

    Examples
    --------
    >>> lq = pd.DataFrame(np.eye(6) * 3 + 0.5, index=list("abcdef"), columns=list("uvwxyz"))
    >>> found = policy_contrast(lq, lq > 1, permutations=999, rng=1).to_frame().loc["named"]
    >>> print(found["named"], round(found["difference"], 3), round(found["p_value"], 4), found["label"])
    6 1.099 0.0028 supported
    """
    if effects not in get_args(ContrastEffects):
        raise InputError(f"effects is {effects!r}; it must be one of {listing(get_args(ContrastEffects))}.")
    check_alpha(alpha)
    check_permutations(permutations)
    # Sorted, so that the order of rows and columns does not decide what is drawn.
    table = check_table(quotients, name="quotients", minimum=0, least_regions=4).sort_index()
    table = table.sort_index(axis=1).transform(np.log1p)
    policies = dict(named) if isinstance(named, Mapping) else {"named": named}
    if not policies:
        raise InputError("named has no policy.")
    marks = {policy: _marks(cells, table, policy) for policy, cells in policies.items()}
    for policy, cells in marks.items():
        _refuse_alike(cells, effects, policy)
    streams = generator(rng, "policy_contrast").spawn(len(marks))
    rows, influence = {}, {}
    for (policy, cells), stream in zip(marks.items(), streams, strict=True):
        keys = order_keys(stream, permutations)
        test = _Contrast(table.to_numpy(), cells, effects, keys)
        without = _without_each(table, cells, effects, keys)
        worst = without["p_value"].idxmax()
        rows[policy] = {
            "named": int(cells.sum()),
            "regions": int(cells.any(axis=1).sum()),
            "difference": test.difference,
            **dict(zip(("low", "high"), test.interval(alpha), strict=True)),
            "p_value": test.p_value,
            "p_least": test.p_least,
            "worst_p": without.at[worst, "p_value"],
            "rests_on": worst,
            "detectable": test.detectable(alpha, stream),
        }
        influence[policy] = without
    found = pd.DataFrame.from_dict(rows, orient="index").rename_axis("policy")
    found.insert(
        list(found).index("p_value") + 1, "p_adjusted", adjusted(found["p_value"].to_numpy(dtype=np.float64))
    )
    found["label"] = np.select(
        [
            found["p_least"] > alpha,
            found["p_adjusted"] > alpha,
            found["worst_p"] > alpha,
        ],
        ["unattainable", "not found", "rests on one region"],
        "supported",
    )
    return PolicyContrast(
        found, pd.concat(influence, names=["policy", "region"]), effects, alpha, permutations
    )


def _marks(named: pd.DataFrame, table: pd.DataFrame, policy: str) -> NDArray[np.bool_]:
    """Which cells are named, in the order of the table."""
    if not isinstance(named, pd.DataFrame):
        raise InputError(
            f"{policy} must be a DataFrame of regions × sectors with True where the policy names the sector, "
            f"not {type(named).__name__}."
        )
    plain = named * 1 if all(map(pd.api.types.is_bool_dtype, named.dtypes)) else named
    cells = check_table(plain, name=policy, least_regions=1)
    wrong = cells[~cells.isin([0, 1]).all(axis=1)].index
    if len(wrong):
        raise InputError(f"{policy} must hold True and False, or 1 and 0, but does not in {listing(wrong)}.")
    unknown = cells.index.difference(table.index)
    if len(unknown):
        check_same_regions(unknown.union(table.index), table.index, policy, "the table of quotients")
    require_labels(cells.columns, table.columns, f"{policy} names sectors that the quotients lack:")
    found = cells.reindex(index=table.index, columns=table.columns, fill_value=0)
    return found.to_numpy() > 0


def _refuse_alike(cells: NDArray[np.bool_], effects: ContrastEffects, policy: str) -> None:
    if not cells.any():
        raise InputError(f"{policy} names no sector in any region, so there is nothing to compare.")
    if (cells == cells[0]).all():
        raise InputError(
            f"{policy} names the same sectors in every region, so it cannot be told from what the sectors "
            "have in common everywhere."
        )
    if effects == "two-way" and not np.abs(_residual(cells, effects)).max() > TIE:
        raise InputError(
            f"{policy} names all sectors or none in each region, so it cannot be told from region effects; "
            'effects = "sector" compares the regions.'
        )


def _residual(cells: NDArray[np.generic], effects: ContrastEffects) -> Floats:
    """What region and sector means leave of a table."""
    rest = cells.astype(np.float64)
    if effects != "sector":
        rest = rest - rest.mean(axis=1, keepdims=True)
    if effects != "region":
        rest = rest - rest.mean(axis=0)
    return rest


class _Contrast:
    """The difference of one policy, and those after permuting its lists.

    With the products P = Ñ ỹᵀ of all lists with all regions, the difference after giving list π(i) to region
    i is the sum of P[π(i), i] over i.
    """

    def __init__(
        self, table: Floats, cells: NDArray[np.bool_], effects: ContrastEffects, keys: NDArray[np.uint64]
    ) -> None:
        lists = _residual(cells, effects)
        rest = _residual(table, effects)
        scale = float((lists**2).sum())
        self.difference = float((lists * rest).sum()) / scale
        self.orders, self.exact, arranged = _orders(cells, keys)
        self.p_least = min(1.0, 2 / arranged)
        self._left = (lists @ rest.T - self.difference * (lists @ lists.T)) / scale
        self._own = lists @ lists.T / scale
        # Sums over permutations are linear in the difference: what is left of the table, and the lists' own
        # part.
        self._shares = _sums(self._own, self.orders)
        self._drawn = _sums(self._left, self.orders) + self.difference * self._shares

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the difference."""
        return self._p_value(self._drawn, self.difference)

    def _p_value(self, drawn: Floats, observed: float) -> float:
        tie = TIE * max(1.0, abs(observed))
        above, below = (drawn >= observed - tie).sum(), (drawn <= observed + tie).sum()
        draws = len(drawn)
        if self.exact:
            return float(tail_p_value(np.array(above / draws), np.array(below / draws), "two-sided"))
        return float(permutation_p_value(np.array(above), np.array(below), draws, "two-sided"))

    def interval(self, alpha: float) -> tuple[float, float]:
        """Differences that are not rejected: those at which a draw overtakes the observed value, ordered."""
        moves = self._shares < 1 - TIE  # the lists as they stand are no other arrangement
        turning = np.sort((self.difference - self._drawn[moves]) / (1 - self._shares[moves]))
        still, total = (~moves).sum() + (not self.exact), len(moves) + (not self.exact)
        most = int(np.floor(alpha / 2 * total - still + TIE))  # draws that leave the tail at most α/2
        if most < 0:
            return -np.inf, np.inf
        return float(turning[most]), float(turning[-1 - most])

    def detectable(self, alpha: float, rng: np.random.Generator) -> float:
        """Smallest difference found in 80 % of simulated policies, NaN if none is."""
        if self.p_least > alpha:
            return np.nan
        n = len(self._left)
        keys = order_keys(rng, _POLICIES + _OF_EACH)
        placed, moved = random_orders(n, keys[:_POLICIES]), random_orders(n, keys[_POLICIES:])
        observed = _sums(self._left, placed)
        # The lists of a simulated policy, moved on: region i has list placed[i], and gets list
        # moved[placed[i]].
        shares = _sums(self._own, moved)
        drawn = np.stack([_sums(self._left, moved[order]) for order in placed.T])

        def found(difference: float) -> float:
            own, others = observed[:, None] + difference, drawn + difference * shares
            above = (others >= own - TIE).sum(axis=1)
            below = (others <= own + TIE).sum(axis=1)
            return float((permutation_p_value(above, below, _OF_EACH, "two-sided") <= alpha).mean())

        low, high = 0.0, 1.0
        while found(high) < _POWER:
            low, high = high, 2 * high
            if high > 1e3:
                return np.nan
        while high - low > 1e-3 * high:
            middle = (low + high) / 2
            low, high = (low, middle) if found(middle) >= _POWER else (middle, high)
        return high


def _orders(cells: NDArray[np.bool_], keys: NDArray[np.uint64]) -> tuple[Orders, bool, int]:
    """Lists in other orders (regions, draws), whether these are all there are, and how many there are."""
    _, kinds, repeats = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    arranged = arrangement_count(repeats)
    if arranged > len(keys):
        return random_orders(len(cells), keys), False, arranged
    first = np.array([np.flatnonzero(kinds.ravel() == kind)[0] for kind in range(len(repeats))])
    return first[arrangements(repeats, np.arange(arranged))].astype(np.uint32), True, arranged


def _sums(products: Floats, orders: Orders) -> Floats:
    """Sum of products[order[i], i] over i, for each order."""
    regions = np.arange(len(orders))[:, None]
    step = max(1, _TOGETHER // len(orders))
    parts = [
        products[orders[:, first : first + step], regions].sum(axis=0)
        for first in range(0, orders.shape[1], step)
    ]
    return np.concatenate(parts)


def _without_each(
    table: pd.DataFrame, cells: NDArray[np.bool_], effects: ContrastEffects, keys: NDArray[np.uint64]
) -> pd.DataFrame:
    """Difference and p-value without each region; where there are many, those with the longest lists."""
    n, lengths = len(table), cells.sum(axis=1)
    left_out = np.sort(np.argsort(-lengths, kind="stable")[:_LEFT_OUT])
    draws = max(999, _IN_TURN // (n * len(left_out)))
    rows = {}
    for place in left_out:
        kept = np.arange(n) != place
        others = cells[kept]
        if (others == others[0]).all() or not np.abs(_residual(others, effects)).max() > TIE:
            difference, p_value = np.nan, 1.0
        else:
            test = _Contrast(table.to_numpy()[kept], others, effects, keys[:draws])
            difference, p_value = test.difference, test.p_value
        rows[table.index[place]] = {
            "named": int(lengths[place]),
            "difference": difference,
            "p_value": p_value,
        }
    return pd.DataFrame.from_dict(rows, orient="index")
