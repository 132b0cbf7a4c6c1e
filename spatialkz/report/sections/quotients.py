"""The quotients themselves, the audit of published ones, and whether neighbors are alike."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from spatialkz.report.contents import (
    DASH,
    Column,
    Figure,
    Findings,
    Items,
    Paragraph,
    Section,
    Table,
    name_column,
    section,
)
from spatialkz.report.wording import Wording
from spatialkz.specialization import breadth_label


def quotients(findings: Findings, words: Wording) -> Section:
    """All quotients in one figure."""
    regions, sectors = findings.quotients.shape
    alt = words(
        "alt_quotients",
        regions=words.whole(regions),
        sectors=words.whole(sectors),
        candidates=words.whole(len(findings.ranking.candidates)),
    )
    return section("quotients", Figure("quotients", alt))


def audit(findings: Findings, words: Wording) -> Section:
    """Whether published quotients can be quotients, and what they then imply; empty for other tables."""
    if findings.audit is None:
        return section("audit")
    return section(
        "audit",
        Paragraph(words("audit_about")),
        Items(audit_sentences(findings, words)),
        bases_table(findings, words),
        claims_table(findings, words),
    )


def audit_brief(findings: Findings, words: Wording) -> Iterator[str]:
    """Whether the sectors share a base, and how the source's claims fare."""
    if findings.audit is None:
        return
    groups = len(findings.audit.share_sets)
    # Where there are several groups, what matters in brief is whether they share a base.
    yield from audit_sentences(findings, words)[groups if groups > 1 else 0 :]
    if findings.claims is not None:
        counts = findings.claims["verdict"].value_counts()
        told = [
            f"{words.label('verdict', verdict)}: {counts[verdict]}"
            for verdict in ("supported", "possible", "contradicted")
            if verdict in counts
        ]
        yield words("answer_claims", counts=words.listing(told))


def audit_sentences(findings: Findings, words: Wording) -> list[str]:
    """What the audit of published quotients found: by base group, then for all sectors on one base."""
    audit = findings.audit
    if audit is None:
        return []
    groups = list(audit.share_sets)
    sentences = [
        words(
            "audit_feasible" if audit.feasible(group) else "audit_infeasible",
            group=words.label("group", group),
            slack=words.number(audit.slack[group], 3),
        )
        for group in groups
    ]
    if len(groups) > 1:
        joint = "audit_one_base" if audit.feasible() else "audit_two_bases"
        sentences.append(words(joint, slack=words.number(audit.slack["joint"], 3)))
    if audit.conflict:
        names = findings.study.sector_names(words.lang).loc[list(audit.conflict)]
        sentences.append(words("audit_conflict", names=words.listing(names)))
    return sentences


def bases_table(findings: Findings, words: Wording) -> Table | None:
    """Base shares that published quotients allow, regions × base groups; None where there are none."""
    if findings.audit is None or not findings.audit.base_shares:
        return None
    regions = findings.quotients.index
    columns = [name_column(words("region"), findings.study.region_names(words.lang).loc[regions])]
    for group, bounds in findings.audit.base_shares.items():
        ends = bounds.loc[regions]
        cells = [words.percent_range(low, high) for low, high in zip(ends["low"], ends["high"], strict=True)]
        columns.append(Column(words.label("group", group), cells))
    return Table(words("table_bases"), columns)


def claims_table(findings: Findings, words: Wording) -> Table | None:
    """What the source says of its table, with verdicts; None where it says nothing that was checked."""
    claims = findings.claims
    if claims is None or claims.empty:
        return None
    columns = [
        name_column(words("claim"), claims["quote"]),
        name_column(words("place"), claims["place"]),
        name_column(words("verdict"), [words.label("verdict", verdict) for verdict in claims["verdict"]]),
        name_column(words("found"), claims["found"]),
    ]
    return Table(words("table_claims"), columns)


_FEW_REGIONS = 50  # below, a note on power goes with every test that is not significant


def autocorrelation(findings: Findings, words: Wording) -> Section:
    """Tests of each variable, then the places that stand out."""
    local = local_table(findings, words)
    return section(
        "space",
        Paragraph(caution(findings, words)),
        Figure("moran", words("alt_moran", tested=len(findings.moran.to_frame()))),
        moran_table(findings, words),
        local,
        Paragraph(words("local_empty"))
        if local is None
        else Paragraph(_left_after_adjustment(findings, words), small=True),
    )


def space_brief(findings: Findings, words: Wording) -> Iterator[str]:
    """How many variables are autocorrelated, and what the others do not mean."""
    table, alpha = findings.moran.to_frame(), findings.study.choices.alpha
    raw = table.index[table["p_value"] <= alpha]
    yield words(
        "answer_moran",
        alpha=words.plain(alpha),
        raw=len(raw),
        tested=len(table),
        adjusted=int((table["p_adjusted"] <= alpha).sum()),
    )
    if len(raw):
        named = words.listing(variable_name(findings, words, name) for name in raw)
        yield words("answer_moran_which", names=named)
    if len(raw) < len(table):
        yield caution(findings, words)


def unattainable_brief(findings: Findings, words: Wording) -> Iterator[str]:
    """Regions for which the local test could not have found anything."""
    table = findings.local.to_frame()
    blocked = (table["label"] == "unattainable").groupby("region", sort=False).agg(["all", "any"])
    regions = findings.study.region_names(words.lang)
    wholly, partly = blocked.index[blocked["all"]], blocked.index[blocked["any"] & ~blocked["all"]]
    if len(wholly):
        least = table.loc[table.index.get_level_values("region").isin(wholly), "p_min"].min()
        yield words("answer_unattainable", names=words.listing(regions[wholly]), p=words.p_value(least))
        if len(partly):
            yield words("answer_partly", names=words.listing(regions[partly]))


def caution(findings: Findings, words: Wording) -> str:
    """What a Moran's I that is not significant does not mean."""
    n = len(findings.quotients)
    said = words("caution_power" if n < _FEW_REGIONS else "caution_absence", n=words.whole(n))
    if findings.detectable is None:
        return said
    curve = findings.detectable.power
    weakest, power = curve.detectable["positive"], words.percent(curve.target)
    if weakest is None:
        return " ".join([said, words("power_none", power=power)])
    return " ".join([said, words("power_weakest", power=power, rho=words.number(weakest))])


def variable_name(findings: Findings, words: Wording, variable: str) -> str:
    """Name of a tested variable: a sector, or the number of specializations."""
    if variable == breadth_label(findings.quotients.columns):
        return words("breadth")
    return str(findings.study.sector_names(words.lang)[variable])


def moran_table(findings: Findings, words: Wording) -> Table:
    """Moran's I of every variable; what is the same for all of them stands in the caption."""
    table = findings.moran.to_frame().join(findings.moran.envelope)
    first, methods = table.iloc[0], table["method"].unique()
    method = methods[0] if len(methods) == 1 else "auto"
    caption = words(
        "moran_table_note",
        n=first["n"],
        method=words(f"method_{method}", permutations=words.whole(findings.moran.permutations)),
        alternative=words(f"alternative_{first['alternative']}"),
    )
    null = [
        f"{words.number(low)} … {words.number(high)}"
        for low, high in zip(table["low"], table["high"], strict=True)
    ]
    columns = [
        name_column(words("variable"), [variable_name(findings, words, name) for name in table.index]),
        Column(words("moran_i"), [words.number(value, 3) for value in table["statistic"]]),
        Column(words("expected"), [words.number(value, 3) for value in table["expected"]]),
        Column(words("variance"), [words.number(value, 4) for value in table["variance"]]),
        Column("z", [words.number(value) for value in table["z"]]),
        Column(words("null_interval"), null),
        Column("p", [words.p_value(p) for p in table["p_value"]]),
        Column(words("p_adjusted_column"), [words.p_value(p) for p in table["p_adjusted"]]),
    ]
    if findings.detectable is not None:
        ends = findings.detectable.left.loc[table.index].itertuples(index=False)
        columns.append(
            Column(
                words("rho_interval"), [f"{words.number(low)} … {words.number(high)}" for low, high in ends]
            )
        )
    alpha = findings.study.choices.alpha
    return Table(caption, columns, frozenset(i for i, p in enumerate(table["p_value"]) if p <= alpha))


def local_table(findings: Findings, words: Wording) -> Table | None:
    """Labels of local Moran's I, regions × variables; None when there is nothing to show."""
    found = findings.local.to_frame()
    shown = found[found["label"] != "not significant"].index.get_level_values("region").unique()
    if shown.empty:
        return None
    columns = [name_column(words("region"), findings.study.region_names(words.lang).loc[shown])]
    for variable in found.index.get_level_values("variable").unique():
        cells = local_cells(findings, words, [(variable, region) for region in shown], short=True)
        columns.append(Column(variable_name(findings, words, variable), cells, "label"))
    return Table(words("local_note", alpha=words.plain(findings.local.alpha)), columns)


def local_cells(
    findings: Findings, words: Wording, pairs: list[tuple[str, str]], *, short: bool = False
) -> list[str]:
    """Label and p-value of local Moran's I by variable and region; in short, only what stands out."""
    found = findings.local.to_frame().reindex(pd.MultiIndex.from_tuples(pairs))
    texts = []
    for label, p, least in zip(found["label"], found["p_value"], found["p_min"], strict=True):
        if pd.isna(label):
            texts.append(DASH)
        elif short and label == "not significant":
            texts.append("")
        elif label == "unattainable":
            bound = words.equation("p", least, "≥")
            texts.append(bound if short else f"{words(f'label_{label}')} ({bound})")
        else:
            texts.append(f"{words(f'label_{label}')} ({words.equation('p', p)})")
    return texts


def _left_after_adjustment(findings: Findings, words: Wording) -> str:
    found = findings.local.to_frame()
    labelled = found[~found["label"].isin(["not significant", "unattainable"])]
    left = int((labelled["p_adjusted"] <= findings.local.alpha).sum())
    return words("local_adjusted", left=left, labels=len(labelled))
