"""What changed between the periods of a study; nothing for a study of one period."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from spatialkz.change import ChangeAnalysis
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

_MOST_SECTORS = 4


def analysis(findings: Findings) -> ChangeAnalysis:
    """What was found of change, where the study has periods."""
    if findings.change is None:
        raise ValueError("no change was analyzed")
    return findings.change


def shown_sectors(findings: Findings) -> list[str]:
    """The sectors of the figures: those whose quotients moved most, in the order of the table."""
    table = analysis(findings).change.to_frame()
    moved = table["difference"].abs().groupby(level="sector", sort=False).mean()
    most = moved[moved.index.isin(analysis(findings).panel.sectors)].nlargest(_MOST_SECTORS).index
    return [sector for sector in analysis(findings).panel.sectors if sector in set(most)]


def change(findings: Findings, words: Wording) -> Section:
    """Quotients then and now, growth in parts, convergence, who came and left, and the trend of focality."""
    if findings.change is None:
        return section("change")
    shares = "classic" in findings.change.shares
    first, last = str(findings.change.change.first), str(findings.change.change.last)
    return section(
        "change",
        Paragraph(words("change_about", first=first, last=last)),
        Figure("change_slopes", words("alt_change_slopes", first=first, last=last)),
        Items(turnover_sentences(findings, words)),
        Figure("change_years", words("alt_change_years")),
        Figure("change_shares", words("alt_change_shares")) if shares else None,
        convergence_table(findings, words),
        Paragraph(words("change_beta"), small=True) if findings.change.convergence else None,
        trend_table(findings, words),
        Paragraph(words("change_trend_about"), small=True) if findings.change.focality else None,
    )


def change_brief(findings: Findings, words: Wording) -> Iterator[str]:
    """How many specializations came and left, and whether focality has a trend."""
    if findings.change is None:
        return
    states = findings.change.turnover["state"].value_counts()
    yield words(
        "answer_change",
        first=str(findings.change.change.first),
        last=str(findings.change.change.last),
        **{state: words.whole(int(states.get(state, 0))) for state in ("entered", "left", "stayed")},
    )
    if findings.change.focality is not None:
        trend, alpha = findings.change.focality.trend, findings.study.choices.alpha
        sure = trend.index[(trend[["p_value", "p_reversal"]] <= alpha).all(axis=1)]
        named = words.listing(words(f"change_{name}") for name in sure)
        yield words("answer_trend", names=named) if len(sure) else words("answer_no_trend")


def turnover_sentences(findings: Findings, words: Wording) -> list[str]:
    """Who entered and left each sector."""
    turnover = analysis(findings).turnover
    regions, sectors = findings.study.region_names(words.lang), findings.study.sector_names(words.lang)
    told = []
    for state in ("entered", "left"):
        pairs = turnover.index[turnover["state"] == state]
        names = [f"{regions[region]} × {sectors[sector]}" for region, sector in pairs[:12]]
        more = f" (+{words.whole(len(pairs) - 12)})" if len(pairs) > 12 else ""
        told.append(words(f"change_{state}", names=words.listing(names) + more))
    return told


def convergence_table(findings: Findings, words: Wording) -> Table | None:
    """β with its bound, spread then and now, and how far ranks kept."""
    found = analysis(findings)
    if found.convergence is None:
        return None
    table = found.convergence.to_frame().join(found.mobility)

    def numbers(column: str, digits: int = 2) -> list[str]:
        return [words.number(x, digits) if np.isfinite(x) else DASH for x in table[column].astype(float)]

    columns = [
        name_column(words("sector"), findings.study.sector_names(words.lang).loc[table.index]),
        Column("β", numbers("beta")),
        Column(words("change_beta_high"), numbers("beta_high")),
        Column(words("change_sigma_before"), numbers("sigma_before")),
        Column(words("change_sigma_after"), numbers("sigma_after")),
        Column("p", [words.p_value(p) for p in table["sigma_p"]]),
        Column(words("change_tau"), numbers("tau")),
        Column(words("change_rank_shift"), numbers("mean_shift", 1)),
    ]
    return Table(words("table_convergence"), columns)


def trend_table(findings: Findings, words: Wording) -> Table | None:
    """Slope of co-location, spread and place over the periods, with both p-values."""
    found = analysis(findings).focality
    if found is None:
        return None
    table = found.trend
    ends = found.periods["observed"].unstack("period").loc[table.index]
    columns = [
        name_column(words("change_measure"), [words(f"change_{name}") for name in table.index]),
        Column(str(ends.columns[0]), [words.number(value) for value in ends.iloc[:, 0]]),
        Column(str(ends.columns[-1]), [words.number(value) for value in ends.iloc[:, -1]]),
        Column(words("change_slope"), [words.number(value, 3) for value in table["slope"]]),
        Column(words("change_p_permuted"), [words.p_value(p) for p in table["p_value"]]),
        Column(words("change_p_reversed"), [words.p_value(p) for p in table["p_reversal"]]),
    ]
    return Table(words("table_trend"), columns)
