"""Claims that a source makes of its own table, each checked against the table and its audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.specialization.published.audit import QuotientAudit, audit_table
from spatialkz.study import Study
from spatialkz.tables import ActivityTable

Claim = Mapping[str, Any]


@dataclass(frozen=True)
class _AuditedTable:
    """What a claim is held against."""

    table: ActivityTable
    audit: QuotientAudit
    marks: pd.DataFrame | None
    threshold: float


def check_claims(
    claims: Iterable[Claim],
    table: ActivityTable,
    audit: QuotientAudit,
    *,
    marks: pd.DataFrame | None = None,
    threshold: float = 1.0,
) -> pd.DataFrame:
    """Hold each claim against the table.

    A claim is *supported* if it is true of every reading the rounding allows, *contradicted* if of none, and
    *possible* otherwise; *undecided* if it is about shares and no base shares fit the table at all.

    Parameters
    ----------
    claims : iterable of mappings
        Each with ``name``, ``quote``, ``place``, ``kind`` and what the kind asks for: ``product_formula``;
        ``sector_counts`` (counts); ``marks``; ``sector_share`` (sector, regions, between); ``lower_quotient``
        (sector, regions, than); ``specialized`` and ``not_specialized`` (sector, regions).
    table : ActivityTable
        Published quotients.
    audit : QuotientAudit
        Its audit.
    marks : DataFrame, optional
        Which cells the source marks as reaching the threshold, shaped like the table.
    threshold : float
        What the marks are to mean.

    Returns
    -------
    DataFrame
        Index ``claim``; columns ``verdict, found, quote, place``.

    Raises
    ------
    InputError
        If a claim is of an unknown kind, lacks what it needs, or names an unknown region or sector.

    Examples
    --------
    >>> import spatialkz
    >>> from spatialkz.specialization import audit_quotients
    >>> study = spatialkz.load_study()
    >>> audit = audit_quotients(study.table.values, study.table.groups)
    >>> found = check_claims(study.claims, study.table, audit, marks=study.marks)
    >>> print(found.loc["research-in-two-cities", "verdict"], "-", found.loc["formula-1", "verdict"])
    possible - contradicted
    """
    case = _AuditedTable(table, audit, marks, threshold)
    rows = []
    for claim in claims:
        name, kind = claim.get("name", "a claim without a name"), claim.get("kind")
        if kind not in _CHECKS:
            raise InputError(f"The claim {name} is of kind {kind!r}; known are {listing(_CHECKS, 20)}.")
        try:
            _check_names(claim, table)
            verdict, found = _CHECKS[kind](claim, case)
        except KeyError as error:
            raise InputError(f"The claim {name} of kind {kind} needs {error}.") from error
        rows.append((name, verdict, found, claim.get("quote", ""), claim.get("place", "")))
    columns = ["claim", "verdict", "found", "quote", "place"]
    return pd.DataFrame(rows, columns=columns).set_index("claim")


def audit_study(study: Study) -> tuple[QuotientAudit | None, pd.DataFrame | None]:
    """Audit of a study's published quotients and verdicts on its claims, each None if there is none.

    Examples
    --------
    >>> import spatialkz
    >>> audit, claims = audit_study(spatialkz.load_study())
    >>> print(round(audit.slack["joint"], 3), len(claims))
    0.405 9
    """
    audit = audit_table(study.table)
    if audit is None or not study.claims:
        return audit, None
    threshold = study.choices.threshold
    return audit, check_claims(study.claims, study.table, audit, marks=study.marks, threshold=threshold)


def _check_names(claim: Claim, table: ActivityTable) -> None:
    for key, known in (("sector", table.sectors), ("than", table.regions)):
        if key in claim and claim[key] not in known:
            raise InputError(f"The claim {claim['name']} names {claim[key]!r}, which the table lacks.")
    unknown = [region for region in claim.get("regions", []) if region not in table.regions]
    if unknown:
        raise InputError(f"The claim {claim['name']} names {listing(unknown)}, which the table lacks.")


def _verdict(holds_everywhere: bool, holds_somewhere: bool) -> str:
    if holds_everywhere:
        return "supported"
    return "possible" if holds_somewhere else "contradicted"


def _product_formula(_claim: Claim, case: _AuditedTable) -> tuple[str, str]:
    values = case.table.values.to_numpy()
    above = int((case.table.interval()[0].to_numpy() > 1).sum())
    found = (
        f"a product of two shares cannot exceed 1; {above} of {values.size} values do, up to {values.max():g}"
    )
    return _verdict(False, above == 0), found


def _sector_counts(claim: Claim, case: _AuditedTable) -> tuple[str, str]:
    counts = case.table.groups.value_counts().to_dict()
    found = ", ".join(f"{counts.get(group, 0)} in {group}" for group in claim["counts"])
    same = counts == claim["counts"]
    return _verdict(same, same), f"the table has {found}"


def _marks(claim: Claim, case: _AuditedTable) -> tuple[str, str]:
    if case.marks is None:
        raise InputError(f"The claim {claim['name']} needs the marks of the table, and there are none.")
    low, high = case.table.interval()
    marked = case.marks.astype(bool)
    certain = (low >= case.threshold) | (high < case.threshold)
    odd = (case.table.values >= case.threshold) != marked
    cells = [
        f"{region} × {sector} ({case.table.values[sector][region]:g})"
        for sector in odd
        for region in odd.index[odd[sector]]
    ]
    reached = int((case.table.values >= case.threshold).sum().sum())
    found = f"{reached} values reach {case.threshold:g}, {int(marked.sum().sum())} are marked"
    found += f"; they differ in {listing(cells)}" if cells else "; they are the same"
    return _verdict(not cells, not (odd & certain).to_numpy().any()), found


def _sector_share(claim: Claim, case: _AuditedTable) -> tuple[str, str]:
    least, most = claim["between"]
    if not case.audit.feasible(case.table.groups[claim["sector"]]):
        return "undecided", "no base shares satisfy the adding-up identity, so shares have no bounds"
    low, high = case.audit.sector_share(claim["sector"], claim["regions"])
    found = f"the table allows {low:.1%} to {high:.1%}"
    return _verdict(least <= low and high <= most, low <= most and least <= high), found


def _lower_quotient(claim: Claim, case: _AuditedTable) -> tuple[str, str]:
    low, high = (bound[claim["sector"]] for bound in case.table.interval())
    values = case.table.values[claim["sector"]]
    told = ", ".join(f"{region} {values[region]:g}" for region in [*claim["regions"], claim["than"]])
    everywhere = all(high[region] < low[claim["than"]] for region in claim["regions"])
    somewhere = all(low[region] < high[claim["than"]] for region in claim["regions"])
    return _verdict(everywhere, somewhere), told


def _specialized(claim: Claim, case: _AuditedTable) -> tuple[str, str]:
    return _against_threshold(claim, case, above=True)


def _not_specialized(claim: Claim, case: _AuditedTable) -> tuple[str, str]:
    return _against_threshold(claim, case, above=False)


def _against_threshold(claim: Claim, case: _AuditedTable, *, above: bool) -> tuple[str, str]:
    low, high = (bound.loc[claim["regions"], claim["sector"]] for bound in case.table.interval())
    surely, maybe = (low, high) if above else (high, low)
    everywhere = surely >= case.threshold if above else surely < case.threshold
    somewhere = maybe >= case.threshold if above else maybe < case.threshold
    values = case.table.values.loc[claim["regions"], claim["sector"]]
    told = ", ".join(f"{region} {value:g}" for region, value in values.items())
    return _verdict(bool(everywhere.all()), bool(somewhere.all())), told


_CHECKS: dict[str, Callable[[Claim, _AuditedTable], tuple[str, str]]] = {
    "product_formula": _product_formula,
    "sector_counts": _sector_counts,
    "marks": _marks,
    "sector_share": _sector_share,
    "lower_quotient": _lower_quotient,
    "specialized": _specialized,
    "not_specialized": _not_specialized,
}
