"""Audit of a published table of quotients against the identity it must satisfy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, is_number, listing
from spatialkz.results import Result, json_ready
from spatialkz.specialization.completions import focus_range, quotient_range, share_range
from spatialkz.specialization.published.adding_up import ShareSet, check_auditable
from spatialkz.specialization.quotients import check_threshold, table_quotients
from spatialkz.tables import ActivityTable, check_groups, check_table

# Tables up to this size get the narrowest bounds, from two linear programs for each region (base shares) or
# for each cell (shares of sectors); larger ones get outer bounds, which need none.
_TIGHT_BASES = 5_000
_TIGHT_CELLS = 1_000


@dataclass(frozen=True, repr=False)
class QuotientAudit(Result):
    """Result of :func:`audit_quotients`.

    Attributes
    ----------
    share_sets : mapping
        Base group → all base shares it allows, for questions of one's own.
    slack : Series
        Base group, and ``joint`` for one base under all sectors → least total miss of the adding-up identity.
    base_shares : mapping
        Feasible base group → ``low, high`` of each region's base share.
    tight : bool
        Whether these bounds are the narrowest possible; for large tables they are those of each sector alone.
    conflict : tuple of str
        One minimal set of sectors that no single base can serve; empty if the table is jointly feasible.
    findings : tuple of str
        What the audit found, one sentence each.
    """

    share_sets: Mapping[str, ShareSet]
    slack: pd.Series
    base_shares: Mapping[str, pd.DataFrame]
    tight: bool
    conflict: tuple[str, ...]
    findings: tuple[str, ...]

    def feasible(self, group: str = "joint") -> bool:
        """Whether any base shares satisfy the identity in a group, or with one base in all sectors."""
        return not self.slack[group]

    def sector_share(self, sector: str, regions: Iterable[object]) -> tuple[float, float]:
        """Bounds of the share of a national sector held by a set of regions.

        Raises
        ------
        InputError
            If sector or regions are unknown, or the sector's group is infeasible.

        Examples
        --------
        >>> import spatialkz
        >>> table = spatialkz.load_study().table
        >>> audit = audit_quotients(table.values, table.groups)
        >>> low, high = audit.sector_share("research", ["Nur-Sultan", "Almaty City"])
        >>> print(f"{low:.0%} to {high:.0%}")
        52% to 79%
        """
        return self._set_of(sector).sector_share(sector, regions)

    def share_bounds(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Lowest and highest share of each national sector that each region can hold.

        Tight where the table is small enough for a linear program in every cell, else the product of the
        region's base-share bounds and the quotient's rounding interval. Sectors of an infeasible group have
        no bounds but 0 and 1.
        """
        low, high = self._share_bounds
        return low.copy(), high.copy()

    @cached_property
    def _share_bounds(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        regions = next(iter(self.share_sets.values())).regions
        lows, highs = {}, {}
        for group, shares in self.share_sets.items():
            solved = shares.low.size <= _TIGHT_CELLS
            for sector in shares.low:
                if group not in self.base_shares:
                    ends = np.tile([0.0, 1.0], (len(regions), 1))
                elif solved:
                    ends = np.array([shares.sector_share(str(sector), [region]) for region in regions])
                else:
                    bounds = self.base_shares[group]
                    low = bounds["low"] * shares.low[sector]
                    high = (bounds["high"] * shares.high[sector]).clip(upper=1.0)
                    ends = np.column_stack([low, high])
                lows[sector], highs[sector] = ends.T
        return (
            pd.DataFrame(lows, index=regions),
            pd.DataFrame(highs, index=regions),
        )

    def plausible_shares(self, prior: pd.Series | pd.DataFrame | None = None) -> pd.DataFrame:
        """The most plausible base shares, by feasible group: nearest to ``prior``, or of largest entropy.

        Parameters
        ----------
        prior : Series or DataFrame, optional
            Positive shares or volumes by region (value added, jobs); a DataFrame has a column for each group.

        Returns
        -------
        DataFrame, shape (regions, feasible groups)
            Each column sums to 1. A choice among many shares that fit equally well, not an estimate.
        """
        columns = {}
        for group in self.base_shares:
            given = prior[group] if isinstance(prior, pd.DataFrame) else prior
            columns[group] = self.share_sets[group].nearest(given)
        return pd.DataFrame(columns)

    def implied_shares(self, base_shares: pd.DataFrame) -> pd.DataFrame:
        r"""Shares of the national sectors that base shares imply: :math:`s_i LQ_{ij}`, rescaled to sum to 1.

        Times a national total these are volumes. Sectors whose group has no column are left out.
        """
        parts = []
        for group in base_shares:
            shares = self.share_sets[str(group)]
            middle = (shares.low + shares.high) / 2
            raw = middle.mul(base_shares[group], axis=0)
            parts.append(raw / raw.sum())
        return pd.concat(parts, axis=1)

    def to_frame(self) -> pd.DataFrame:
        """Bounds of the base shares: index ``(group, region)``, columns ``low, high``."""
        return pd.concat(self.base_shares, names=["group"]) if self.base_shares else pd.DataFrame()

    def to_dict(self) -> dict[str, object]:
        """Feasibility, slack, bounds and findings, ready for JSON."""
        groups: dict[str, object] = {}
        for group in self.share_sets:
            bounds = self.base_shares.get(group)
            groups[group] = {
                "feasible": self.feasible(group),
                "slack": float(self.slack[group]),
                "base_shares": {}
                if bounds is None
                else {str(region): [row["low"], row["high"]] for region, row in bounds.iterrows()},
            }
        return {
            "groups": json_ready(groups),
            "joint": {"feasible": self.feasible(), "slack": float(self.slack["joint"])},
            "conflict": list(self.conflict),
            "bounds": "tight" if self.tight else "outer",
            "findings": list(self.findings),
        }

    def summary(self) -> str:
        """The findings as text."""
        return "\n".join(self.findings)

    def _set_of(self, sector: str) -> ShareSet:
        for group, shares in self.share_sets.items():
            if sector in shares.low:
                if group not in self.base_shares:
                    raise InputError(
                        f"The group {group} of {sector} is infeasible, so shares have no bounds."
                    )
                return shares
        known = [name for shares in self.share_sets.values() for name in shares.low]
        raise InputError(f"The table has no sector {sector!r}; it has {listing(known, 20)}.")


def audit_table(table: ActivityTable) -> QuotientAudit | None:
    """Audit of a table that brings published quotients; None for volumes and counts, which need none."""
    if table.kind != "quotients":
        return None
    return _audit(*table.interval(), table.groups)


def sector_share_interval(
    table: ActivityTable, audit: QuotientAudit | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lowest and highest share of each national sector that each region holds.

    Both are the share itself where volumes or counts are known, and its extremes over all their intervals
    allow where some are suppressed; for published quotients they are bounds from the audit, or 0 and 1
    without one.

    Examples
    --------
    >>> jobs = pd.DataFrame({"steel": [30.0, 10.0], "law": [1.0, 3.0]}, index=["North", "South"])
    >>> low, high = sector_share_interval(ActivityTable(jobs, kind="counts"))
    >>> print(low.loc["North", "steel"], high.loc["North", "steel"])
    0.75 0.75
    """
    if table.kind != "quotients":
        return share_range(table)
    if audit is None:
        return table.values * 0.0, table.values * 0.0 + 1.0
    low, high = audit.share_bounds()
    return low[table.sectors], high[table.sectors]


def focus_interval(
    table: ActivityTable, national_shares: pd.Series | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    r"""Lowest and highest share that each sector can have of its region's base (its *focus*).

    With :math:`\sigma_j = q_j / Q` the sector's share of the national base, focus is
    :math:`\sigma_j LQ_{ij}`. A table of quotients does not tell :math:`\sigma_j`, but no sector can be more
    than all of a region's base: :math:`\sigma_j l_{ij} \le 1` in every region, so focus lies from 0 to
    :math:`u_{ij} / \max_i l_{ij}`, a bound that is reached when the sectors beside it are small. With known
    ``national_shares`` it is :math:`\sigma_j [l_{ij}, u_{ij}]`; with volumes it is known.

    Parameters
    ----------
    table : ActivityTable
    national_shares : Series, optional
        Sector → its share of the national base of its group, from 0 to 1.

    Raises
    ------
    InputError
        If a national share is missing, not from 0 to 1, or larger than the quotients allow.

    Examples
    --------
    >>> lq = pd.DataFrame({"steel": [2.0, 0.5]}, index=["North", "South"])
    >>> low, high = focus_interval(ActivityTable(lq, kind="quotients"))
    >>> high["steel"].tolist()
    [1.0, 0.25]
    """
    if table.kind != "quotients":
        return focus_range(table)
    low, high = table.interval()
    if national_shares is None:
        largest = low.max()
        return low * 0.0, (high / largest.where(largest > 0, np.inf)).clip(upper=1.0)
    shares = national_shares.reindex(table.sectors)
    if not shares.between(0, 1).all():
        bad = shares.index[~shares.between(0, 1)]
        raise InputError(
            f"national_shares must give a share from 0 to 1 for every sector; {listing(bad)} has none."
        )
    over = (low * shares > 1).any()
    if over.any():
        raise InputError(
            "national_shares are too large for the quotients: they would make a sector larger than all of a "
            f"region's base in {listing(over.index[over])}."
        )
    return low * shares, (high * shares).clip(upper=1.0)


def certainty(table: ActivityTable, threshold: float = 1.0) -> pd.DataFrame:
    """How sure it is that each quotient reaches the threshold, given rounding and what is suppressed.

    ``sure``: every value that the printed one can stand for reaches it; ``likely``: the printed value does,
    but not every value it can stand for; ``borderline``: the printed value does not, but one it can stand for
    does; ``no``: none does. A suppressed cell stands for all of its interval, and the point in it takes the
    place of the printed value.

    Examples
    --------
    >>> lq = pd.DataFrame({"steel": [1.2, 1.0, 0.999, 0.4]}, index=list("abcd"))
    >>> certainty(ActivityTable(lq, kind="quotients", rounding=0.005))["steel"].tolist()
    ['sure', 'likely', 'borderline', 'no']
    """
    check_threshold(threshold)
    values = table_quotients(table)
    low, high = quotient_range(table)
    return pd.DataFrame(
        np.select(
            [low >= threshold, values >= threshold, high >= threshold], ["sure", "likely", "borderline"], "no"
        ),
        index=values.index,
        columns=values.columns,
    )


def audit_quotients(
    quotients: pd.DataFrame, groups: pd.Series | None = None, *, rounding: float = 0.005
) -> QuotientAudit:
    r"""Hold a published table of quotients against the identity that any such table must satisfy.

    For each base group, and for all sectors on one base, the audit asks whether any base shares
    :math:`s_i \ge 0, \sum_i s_i = 1` satisfy :math:`\sum_i s_i LQ_{ij} = 1` with every quotient within its
    rounding interval (linear programs; see :class:`ShareSet`). Where they do, it
    bounds each region's share of the base, and the share of any national sector that any set of regions can
    hold.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        As printed; the regions must make up the country.
    groups : Series, optional
        Sector → base group; left out, one group ``"all"``.
    rounding : float
        Half of the last printed digit.

    Returns
    -------
    QuotientAudit

    Raises
    ------
    InputError
        If a quotient is missing or negative, or a sector has no group.

    Examples
    --------
    >>> import spatialkz
    >>> table = spatialkz.load_study().table
    >>> audit = audit_quotients(table.values, table.groups)
    >>> audit.feasible("industry"), audit.feasible("services"), audit.feasible()
    (True, True, False)
    >>> print(round(audit.slack["joint"], 3))
    0.405
    """
    table = check_table(quotients, name="quotients", minimum=0)
    if not (is_number(rounding) and rounding >= 0):
        raise InputError(f"rounding is {rounding}; it must be a non-negative number.")
    group_of = check_groups(groups, table.columns)
    check_auditable(table)
    return _audit((table - rounding).clip(lower=0), table + rounding, group_of)


def _audit(low: pd.DataFrame, high: pd.DataFrame, group_of: pd.Series) -> QuotientAudit:
    """Audit of quotients that are known within intervals, be it by rounding or because they are hidden."""
    whole = ShareSet(low, high)
    share_sets = {
        str(group): ShareSet(low.loc[:, group_of == group], high.loc[:, group_of == group])
        for group in group_of.unique()
    }
    slack = {group: float(shares.slack().sum()) for group, shares in share_sets.items()}
    slack["joint"] = float(whole.slack().sum()) if len(share_sets) > 1 else next(iter(slack.values()))
    tight = low.size <= _TIGHT_BASES
    base_shares = {
        group: shares.bounds() if tight else shares.outer_bounds()
        for group, shares in share_sets.items()
        if not slack[group]
    }
    conflict = whole.one_conflict() if slack["joint"] and tight else ()
    found = pd.Series(slack, name="slack")
    return QuotientAudit(
        share_sets=share_sets,
        slack=found,
        base_shares=base_shares,
        tight=tight,
        conflict=conflict,
        findings=tuple(_findings(found, share_sets, base_shares, conflict, tight)),
    )


def _findings(
    slack: pd.Series,
    share_sets: Mapping[str, ShareSet],
    base_shares: Mapping[str, pd.DataFrame],
    conflict: tuple[str, ...],
    tight: bool,
) -> Iterable[str]:
    for group, shares in share_sets.items():
        count = shares.low.shape[1]
        if group not in base_shares:
            yield (
                f"{group}: no base shares satisfy the adding-up identity in its {count} sectors; "
                f"the least total miss is {slack[group]:.3f}."
            )
            continue
        exist = f"{group}: base shares that satisfy the adding-up identity in all {count} sectors exist"
        if not tight:
            yield f"{exist}."
            continue
        bounds = base_shares[group]
        certain = bounds[bounds["low"] >= 0.0005].sort_values("low", ascending=False)
        told = [f"{region} {row['low']:.1%} to {row['high']:.1%}" for region, row in certain.iterrows()]
        held = (
            f"; bounded away from 0: {listing(told)}"
            if told
            else "; no region's share is bounded away from 0"
        )
        yield f"{exist}{held}."
    if len(share_sets) > 1:
        if slack["joint"]:
            least = f"; {', '.join(conflict)} already contradict each other" if conflict else ""
            yield (
                f"One base cannot serve all sectors: the least total miss is {slack['joint']:.3f}, "
                f"so the table uses at least two bases{least}."
            )
        else:
            yield "One base can serve all sectors."
