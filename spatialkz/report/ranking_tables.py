"""Tables that hold the ranking against expert tiers and growth points."""

from __future__ import annotations

import pandas as pd

from spatialkz.report.contents import Findings
from spatialkz.report.ranking_answers import policy_name
from spatialkz.report.tables import Column, Table
from spatialkz.report.wording import Wording

_DASH = "–"
_TWICE = 2.0


def disagreement_table(findings: Findings, words: Wording) -> Table | None:
    """Regions that the ranking puts into another tier than the expert; None where there are none."""
    if findings.review is None or findings.review.agreement is None:
        return None
    found = findings.review.agreement.regions
    apart = found[found["difference"] != 0]
    if apart.empty:
        return None
    names = findings.study.region_names(words.lang).loc[apart.index]
    against = [words("pairs_against_of", against=row.against, pairs=row.pairs) for row in apart.itertuples()]
    columns = [
        Column(words("region"), list(names), "name"),
        Column(words("tier"), [str(tier) for tier in apart["tier"]]),
        Column(words("tier_by_rank"), [str(tier) for tier in apart["tier_by_rank"]]),
        Column(words("pairs_against"), against),
    ]
    return Table(words("table_disagree"), columns)


def naming_table(findings: Findings, words: Wording) -> Table | None:
    """Every naming test that was run, with its power; None where no policy names a sector."""
    if findings.review is None or not findings.review.naming:
        return None
    tests = findings.review.naming
    rows = pd.concat({policy: test.to_frame().iloc[0] for policy, test in tests.items()}, axis=1).T
    found = [
        _DASH if test.detectable is None else words("naming_times", factor=words.plain(test.detectable))
        for test in tests.values()
    ]
    columns = [
        Column(words("policy"), [policy_name(policy, words) for policy in tests], "name"),
        Column(words("named_cells"), [words.whole(int(count)) for count in rows["named"]]),
        Column(words("naming_mean"), [words.number(value, 3) for value in rows["statistic"]]),
        Column(words("expected"), [words.number(value, 3) for value in rows["expected"]]),
        Column("p", [words.p_value(p) for p in rows["p_value"]]),
        Column(words("naming_power"), [words.percent(test.power[_TWICE]) for test in tests.values()]),
        Column(words("naming_detectable"), found),
    ]
    return Table(words("table_naming"), columns)
