"""Whether regions enter sectors that are related to those they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.linalg import lsmr

from spatialkz.errors import InputError, listing
from spatialkz.options import Alternative
from spatialkz.randomness import generator
from spatialkz.regions import check_divisions
from spatialkz.resampling.pvalues import TIE, Floats, check_alternative, check_number, permutation_p_value
from spatialkz.results import Result, json_ready
from spatialkz.specialization import density
from spatialkz.specialization.quotients import check_threshold
from spatialkz.tables import check_table

# Draws and rounds behind the coefficients of the controls, and where their steps end.
_FIT_DRAWS, _FIT_ROUNDS, _LARGEST = 500, 25, 20.0


@dataclass(frozen=True, repr=False)
class EntryTest(Result):
    """Result of :func:`entry_test`.

    Attributes
    ----------
    table : DataFrame
        One row; what :meth:`to_frame` returns.
    cells : DataFrame
        Index ``(region, sector)``, the cells at risk: ``entered``, ``density``, and ``excess``, the density
        over what region, sector and controls give.
    controls : Series
        Index control: log odds ratio for one unit, given region and sector.
    threshold : float
    draws : int
    alternative : str
    """

    table: pd.DataFrame
    cells: pd.DataFrame
    controls: pd.Series
    threshold: float
    draws: int
    alternative: Alternative

    def to_frame(self) -> pd.DataFrame:
        """The test in one row.

        ``at_risk`` and ``entries`` count cells; ``density`` is the mean density of the entered cells,
        ``expected`` and ``standard_deviation`` those of random entries with the same margins, ``z`` their
        standardized difference; ``slope`` is the rise in the probability of entry for one standard deviation
        of ``excess``.
        """
        return self.table.copy()

    def to_dict(self) -> dict[str, object]:
        """Test and controls, ready for JSON."""
        return {
            "null": f"{self._null()}.",
            "threshold": self.threshold,
            "draws": self.draws,
            "alternative": self.alternative,
            "controls": json_ready(self.controls),
            **{str(name): json_ready(value) for name, value in self.table.iloc[0].items()},
        }

    def summary(self) -> str:
        """Test and null hypothesis as text."""
        row = self.table.iloc[0]
        return (
            f"Mean density of related sectors around {row['entries']:.0f} entries, of "
            f"{row['at_risk']:.0f} cells at risk: {row['density']:.4f}, expected {row['expected']:.4f} "
            f"(z = {row['z']:.2f}, p = {row['p_value']:.4f}, {self.alternative}, {self.draws} draws)\n"
            f"Null hypothesis: {self._null()}.\n"
            f"Slope: {row['slope']:+.4f} in the probability of entry for one standard deviation of density, "
            "given region and sector"
        )

    def _null(self) -> str:
        given = "".join(f", {name}" for name in self.controls.index)
        return "any cells at risk are entered, as many in each region and each sector as there are" + (
            f", as likely as the controls{given} make them" if given else ""
        )


def entry_test(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    threshold: float = 1.0,
    controls: pd.DataFrame | Mapping[str, pd.DataFrame] | None = None,
    draws: int = 9999,
    alternative: Alternative = "two-sided",
    rng: int | np.random.Generator | None = None,
) -> EntryTest:
    r"""Test whether regions enter sectors that are related to what they are specialized in.

    A region is at risk of entering a sector while :math:`LQ_{ij} < t` before, and has entered it if
    :math:`LQ_{ij} \ge t` after: :math:`E_{ij} = 1`. With the density :math:`\omega_{ij}` of related sectors
    before (:func:`spatialkz.specialization.density`), the statistic is the mean of :math:`\omega` over the
    entries.

    Null hypothesis: which cells are entered has nothing to do with density. All ways to place the entries
    among the cells at risk are equally likely that have as many entries in each region and in each sector as
    there are. In the model

    .. math:: \operatorname{logit} P(E_{ij} = 1) = \alpha_i + \beta_j + \gamma' c_{ij} + \lambda \omega_{ij}

    these margins are what carries the region and sector effects, so given them the test of :math:`\lambda =
    0` is free of both: no region enters more related sectors merely because it enters much and has much. A
    plain logit without the effects takes that for relatedness in most tables. With **controls** the
    placements are likely in proportion to :math:`\exp(\hat\gamma' \sum c_{ij} E_{ij})`, with
    :math:`\hat\gamma` at which they are expected to be what they are, and :math:`\omega` is taken about its
    regression on region, sector and controls; this p-value is approximate, and without controls it is exact
    at any number of draws.

    Relatedness is measured on the same few regions (as in :func:`spatialkz.specialization.proximity`); a
    sector that a region left and entered again counts once. What is found is no cause: two sectors can need
    the same thing.

    Parameters
    ----------
    before, after : DataFrame, shape (regions, sectors)
        Location quotients of two periods, the same regions and sectors in any order, at least two sectors.
    threshold : float
        The quotient from which a region counts as specialized, positive.
    controls : DataFrame, or mapping of name to DataFrame, shape (regions, sectors), optional
        What else may make a cell likely to be entered, for instance the quotient before. What varies by
        region or by sector alone is accounted for already and is refused.
    draws : int
        Placements drawn, at least 99.
    alternative : {"two-sided", "greater", "less"}
    rng : int, Generator or None

    Returns
    -------
    EntryTest

    Raises
    ------
    InputError, RegionError
        If the tables differ in their regions or sectors, nothing or everything is entered, the entries can be
        placed in one way only, region and sector effects explain all of the density or of a control, or the
        entries are at an end of a control, so that it has no coefficient.

    References
    ----------
    Neffke, Henning & Boschma (2011), *Economic Geography* 87, 237–265 (entry and relatedness); Hidalgo et al.
    (2007), *Science* 317, 482–487 (density); Besag & Clifford (1989), *Biometrika* 76, 633–642 (p-values from
    a Markov chain).

    Examples
    --------
    >>> draw = np.random.default_rng(3)
    >>> before = pd.DataFrame(draw.lognormal(size=(12, 9)), list("abcdefghijkl"), list("ABCDEFGHI"))
    >>> after = before * draw.lognormal(sigma=0.7, size=before.shape)
    >>> found = entry_test(before, after, draws=499, rng=1).to_frame()
    >>> found[["at_risk", "entries"]].iloc[0].astype(int).tolist()
    [56, 9]
    """
    check_alternative(alternative)
    check_number(draws, "draws", 99)
    check_threshold(threshold)
    first = check_table(before, name="before", minimum=0, least_regions=4).sort_index().sort_index(axis=1)
    second = _like(check_table(after, name="after", minimum=0), first, "after")
    at_risk = first.to_numpy() < threshold
    entered = at_risk & (second.to_numpy() >= threshold)
    if not entered.any() or (entered == at_risk).all():
        raise InputError(
            f"{'All' if entered.any() else 'None'} of the {at_risk.sum()} cells below the threshold "
            f"{threshold:g} before reach it after, so there is nothing to compare."
        )
    related = density(first, threshold=threshold)
    if not isinstance(controls, pd.DataFrame | Mapping | None):
        raise InputError(
            f"controls must be a DataFrame of regions × sectors, or a mapping of such, not {controls!r}."
        )
    beside = {"control": controls} if isinstance(controls, pd.DataFrame) else dict(controls or {})
    given = {
        str(name): _like(check_table(cells, name=str(name)), first, str(name))
        for name, cells in beside.items()
    }
    # Compiled code is loaded only after all is checked.
    excess, others = _excess(related, given, at_risk)
    from spatialkz.resampling.margins import can_move, drawn_sums

    if not can_move(entered, at_risk):
        raise InputError(
            f"The {entered.sum()} entries can be placed in one way only with these numbers in each region "
            "and sector, so there is nothing to compare them with."
        )
    for_fit, for_draws = generator(rng, "entry_test").spawn(2)
    weights, gamma = None, np.zeros(0)
    if given:
        gamma = _coefficients(entered, at_risk, others, list(given), for_fit)
        weights = np.tensordot(gamma, others, axes=1)
    sums = drawn_sums(entered, at_risk, np.stack([excess, related.to_numpy()]), draws, for_draws, weights)
    count = int(entered.sum())
    drawn, own = sums[:, 0] / count, float(excess[entered].mean())
    spread = float(drawn.std())
    tie = TIE * max(float(np.abs(excess).max()), spread)
    p_value = permutation_p_value(
        np.array([(drawn >= own - tie).sum()]), np.array([(drawn <= own + tie).sum()]), draws, alternative
    )[0]
    row = {
        "at_risk": int(at_risk.sum()),
        "entries": count,
        "density": float(related.to_numpy()[entered].mean()),
        "expected": float(sums[:, 1].mean()) / count,
        "standard_deviation": spread,
        "z": (own - float(drawn.mean())) / spread if spread > tie else 0.0,
        "slope": float(excess[entered].sum() / at_risk.sum() / excess[at_risk].std()),
        "p_value": float(p_value),
    }
    stacked = {"entered": entered, "density": related.to_numpy(), "excess": excess}
    cells = pd.DataFrame(
        {name: values[at_risk] for name, values in stacked.items()},
        index=pd.MultiIndex.from_product([first.index, first.columns], names=["region", "sector"])[
            at_risk.ravel()
        ],
    )
    coefficients = pd.Series(gamma, index=pd.Index(list(given), name="control"), name="log_odds_ratio")
    return EntryTest(pd.DataFrame([row]), cells, coefficients, float(threshold), draws, alternative)


def _like(table: pd.DataFrame, first: pd.DataFrame, name: str) -> pd.DataFrame:
    """A table with its rows and columns in the order of the first, refused if they are others."""
    check_divisions(table.index, first.index, name, "before")
    differing = table.columns.symmetric_difference(first.columns)
    if len(differing):
        raise InputError(f"{name} and before differ in their sectors: {listing(differing)}.")
    return table.loc[first.index, first.columns]


def _excess(
    related: pd.DataFrame, given: Mapping[str, pd.DataFrame], at_risk: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Density over what region, sector and controls give, and controls over region and sector; 0 off risk."""
    rows, columns = np.nonzero(at_risk)
    n, m = at_risk.shape
    cells = np.arange(len(rows))
    effects = coo_array(
        (np.ones(2 * len(rows)), (np.tile(cells, 2), np.concatenate([rows, n + columns]))), (len(rows), n + m)
    ).tocsr()

    def residual(values: Floats, name: str) -> Floats:
        rest = values - values.mean()
        fitted = lsmr(effects, rest, atol=1e-14, btol=1e-14, maxiter=100_000)[0]
        rest = rest - effects @ fitted
        if np.abs(rest).max() <= 1e-9 * max(1.0, float(np.abs(values).max())):
            raise InputError(
                f"{name} varies only by region and by sector among the cells at risk, so it says nothing "
                "beyond their effects."
            )
        return np.asarray(rest, dtype=np.float64)

    left = residual(related.to_numpy()[at_risk], "Density")
    beside = [residual(cells.to_numpy()[at_risk], f"The control {name}") for name, cells in given.items()]
    if beside:
        design = np.column_stack(beside)
        if np.linalg.matrix_rank(design / np.linalg.norm(design, axis=0)) < len(beside):
            raise InputError(
                f"The controls {listing(given)} say the same given region and sector; leave one out."
            )
        left = left - design @ np.linalg.lstsq(design, left, rcond=None)[0]
    found = np.zeros((1 + len(beside), n, m))
    found[:, at_risk] = np.stack([left, *beside])
    return found[0], found[1:]


def _coefficients(
    entered: NDArray[np.bool_],
    at_risk: NDArray[np.bool_],
    controls: Floats,
    names: list[str],
    rng: np.random.Generator,
) -> Floats:
    """Log odds ratios of the controls given both margins, by Newton steps on draws."""
    from spatialkz.resampling.margins import drawn_sums

    scale = controls[:, at_risk].std(axis=1)
    tables = controls / scale[:, None, None]
    own = tables[:, entered].sum(axis=1)
    gamma = np.zeros(len(tables))
    kept = []
    for round_ in range(_FIT_ROUNDS):
        drawn = drawn_sums(
            entered, at_risk, tables, _FIT_DRAWS, rng.spawn(1)[0], np.tensordot(gamma, tables, axes=1)
        )
        spread = np.atleast_2d(np.cov(drawn, rowvar=False))
        step = np.linalg.pinv(spread) @ (own - drawn.mean(axis=0))
        gamma = gamma + np.clip(step, -1.0, 1.0)
        if np.abs(gamma).max() > _LARGEST:
            raise InputError(
                f"The entries lie at an end of the control {names[int(np.abs(gamma).argmax())]}, so it has "
                "no coefficient; leave it out."
            )
        if round_ >= _FIT_ROUNDS // 2:
            kept.append(gamma)
    # The mean of the last rounds has little of the error of the draws.
    return np.asarray(np.mean(kept, axis=0) / scale, dtype=np.float64)
