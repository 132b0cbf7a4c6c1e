"""The tables of the page, with every cell written out in its language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from spatialkz.candidates import AREA_EVIDENCE, CANDIDATE_EVIDENCE
from spatialkz.options import PartitionMethod
from spatialkz.report.answers import variable_name
from spatialkz.report.contents import Findings
from spatialkz.report.ranking_answers import lacks, stars
from spatialkz.report.wording import Wording
from spatialkz.specialization import breadth_label

_DASH = "–"
_CRITERIA = {
    "silhouette": 3, "path_silhouette": 3, "calinski_harabasz": 2,
    "davies_bouldin": 2, "gap": 3, "within_ss": 2,
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column ready to print: its heading, its cells, and how they are set."""

    heading: str
    cells: Sequence[str]
    kind: Literal["name", "number", "label"] = "number"


@dataclass(frozen=True)
class Table:
    """A table ready to print.

    Attributes
    ----------
    caption : str
    columns : list of Column
        All of one length; the first names the rows.
    strong : frozenset of int
        Rows that stand out.
    """

    caption: str
    columns: list[Column]
    strong: frozenset[int] = frozenset()


def areas_table(findings: Findings, words: Wording) -> Table:
    """All regions in their order, with evidence and what the other stages say of them."""
    areas = findings.ranking.areas
    columns = [
        _names(words("region"), findings.study.region_names(words.lang).loc[areas["region"]]),
        Column(words("rank"), [words.whole(rank) for rank in areas["rank"]]),
        Column(words("rank_interval"), _ranks(areas)),
        Column(words("p_top_column", top=3), [words.percent(p) for p in areas["p_top3"]]),
    ]
    if findings.study.placement is not None:
        tiers = [_DASH if pd.isna(tier) else str(tier) for tier in areas["tier"]]
        columns.append(Column(words("tier"), tiers))
    columns.append(Column(words("breadth"), [words.whole(count) for count in areas["breadth"]]))
    columns += _types(areas, words)
    columns += _score(areas, AREA_EVIDENCE, words)
    count = breadth_label(findings.quotients.columns)
    local = _local(findings, words, [(count, region) for region in areas["region"]])
    columns.append(Column(words("local_moran"), local, "label"))
    columns.append(Column(words("cluster"), [str(cluster) for cluster in areas["cluster"]]))
    return Table(words("table_areas", n=words.whole(len(areas))), columns)


def candidates_table(findings: Findings, words: Wording) -> Table:
    """All candidates in their order."""
    found, study = findings.ranking.candidates, findings.study
    columns = [
        _names(words("sector"), study.sector_names(words.lang).loc[found["sector"]]),
        _names(words("region"), study.region_names(words.lang).loc[found["region"]]),
        Column(words("rank"), [words.whole(rank) for rank in found["rank"]]),
        Column(words("rank_interval"), _ranks(found)),
        Column(words("p_top_column", top=10), [words.percent(p) for p in found["p_top10"]]),
    ]
    columns.append(Column(words("lq"), [words.number(lq) for lq in found["lq"]]))
    shares = zip(found["share_low"], found["share_high"], strict=True)
    columns.append(Column(words("share"), [words.percent_range(low, high) for low, high in shares]))
    columns.append(Column(words("stars"), stars(found)))
    paths = [words(f"formation_{path}") for path in found["formation"]]
    columns.append(Column(words("formation"), paths, "label"))
    columns += _score(found, CANDIDATE_EVIDENCE, words)
    local = _local(findings, words, list(zip(found["sector"], found["region"], strict=True)))
    columns.append(Column(words("local_moran"), local, "label"))
    columns.append(Column(words("cluster"), [str(cluster) for cluster in found["cluster"]]))
    return Table(words("table_candidates", n=words.whole(len(found))), columns)


def bases_table(findings: Findings, words: Wording) -> Table | None:
    """Base shares that published quotients allow, regions × base groups; None where there are none."""
    if findings.audit is None or not findings.audit.base_shares:
        return None
    regions = findings.quotients.index
    columns = [_names(words("region"), findings.study.region_names(words.lang).loc[regions])]
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
        _names(words("claim"), claims["quote"]),
        _names(words("place"), claims["place"]),
        _names(words("verdict"), [words.label("verdict", verdict) for verdict in claims["verdict"]]),
        _names(words("found"), claims["found"]),
    ]
    return Table(words("table_claims"), columns)


def moran_table(findings: Findings, words: Wording) -> Table:
    """Moran's I of every variable; what is the same for all of them stands in the caption."""
    table = findings.moran.to_frame().join(findings.moran.envelope)
    first = table.iloc[0]
    caption = words(
        "moran_table_note",
        n=first["n"],
        method=words(f"method_{first['method']}", permutations=words.whole(findings.moran.permutations)),
        alternative=words(f"alternative_{first['alternative']}"),
    )
    null = [
        f"{words.number(low)} … {words.number(high)}"
        for low, high in zip(table["low"], table["high"], strict=True)
    ]
    columns = [
        _names(words("variable"), [variable_name(findings, words, name) for name in table.index]),
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
    columns = [_names(words("region"), findings.study.region_names(words.lang).loc[shown])]
    for variable in found.index.get_level_values("variable").unique():
        cells = _local(findings, words, [(variable, region) for region in shown], short=True)
        columns.append(Column(variable_name(findings, words, variable), cells, "label"))
    return Table(words("local_note", alpha=words.plain(findings.local.alpha)), columns)


def members_table(findings: Findings, words: Wording, method: PartitionMethod) -> Table:
    """Clusters with their stability and members."""
    clusters = findings.clusters[method]
    names = findings.study.region_names(words.lang)
    numbers = list(clusters.stability.index)
    columns = [
        _names(words("cluster"), [str(number) for number in numbers]),
        _names(words("members"), [words.listing(names[clusters.labels == number]) for number in numbers]),
        Column(words("stability"), [words.number(value) for value in clusters.stability]),
        Column(words("judgement"), [words(stability_key(value)) for value in clusters.stability], "label"),
    ]
    return Table(words(f"members_{method}", k=clusters.k), columns)


def criteria_table(findings: Findings, words: Wording, method: PartitionMethod) -> Table:
    """Criteria of one method by number of clusters, the chosen one standing out."""
    clusters = findings.clusters[method]
    columns = [_names("k", [str(k) for k in clusters.criteria.index])]
    for name, digits in _CRITERIA.items():
        if name not in clusters.criteria:
            continue
        # One cluster has no silhouette.
        cells = [
            _DASH if pd.isna(value) else words.number(value, digits) for value in clusters.criteria[name]
        ]
        columns.append(Column(words(name), cells))
    strong = frozenset(i for i, k in enumerate(clusters.criteria.index) if k == clusters.k)
    return Table(words(f"criteria_{method}"), columns, strong)


def stability_key(stability: float) -> str:
    """Key of the word for a cluster's stability (Hennig 2007).

    >>> stability_key(0.75), stability_key(0.74), stability_key(0.49)
    ('stable', 'doubtful', 'dissolved')
    """
    return "stable" if stability >= 0.75 else "doubtful" if stability >= 0.5 else "dissolved"


def _names(heading: str, cells: Iterable[object]) -> Column:
    return Column(heading, [str(cell) for cell in cells], "name")


def _ranks(table: pd.DataFrame) -> list[str]:
    return [f"{low}–{high}" for low, high in zip(table["rank_low"], table["rank_high"], strict=True)]


def _types(areas: pd.DataFrame, words: Wording) -> list[Column]:
    """District type with how often it holds, what is lacking, how it came about, and prerequisites."""
    columns = []
    if "district_type" in areas:
        shares = zip(areas["district_type"], areas["type_share"], strict=True)
        columns += [
            Column(words("district_type"), [_typed(kind, share, words) for kind, share in shares], "label"),
            Column(
                words("type_lacks"),
                [_DASH if t == "none" else lacks(t, words) for t in areas["type_lacks"]],
                "label",
            ),
        ]
    paths = [words(f"formation_{path}") for path in areas["formation"]]
    columns.append(Column(words("formation"), paths, "label"))
    if "prerequisites" in areas:
        columns.append(Column(words("prerequisites"), [words.whole(n) for n in areas["prerequisites"]]))
    return columns


def _typed(kind: str, share: float, words: Wording) -> str:
    name = words.label("district", kind)
    return name if share == 1 else words("district_share", type=name, share=words.percent(share))


def _score(table: pd.DataFrame, evidence: Iterable[str], words: Wording) -> list[Column]:
    """Score and the evidence behind it, as far as this study has it."""
    columns = [Column(words("score"), [words.number(score, 3) for score in table["score"]])]
    for name in evidence:
        if name in table:
            cells = [words.number(value) for value in table[name]]
            columns.append(Column(words(f"evidence_{name}"), cells))
    return columns


def _local(
    findings: Findings, words: Wording, pairs: list[tuple[str, str]], *, short: bool = False
) -> list[str]:
    """Label and p-value of local Moran's I by variable and region; in short, only what stands out."""
    found = findings.local.to_frame().reindex(pd.MultiIndex.from_tuples(pairs))
    texts = []
    for label, p, least in zip(found["label"], found["p_value"], found["p_min"], strict=True):
        if pd.isna(label):
            texts.append(_DASH)
        elif short and label == "not significant":
            texts.append("")
        elif label == "unattainable":
            bound = words.equation("p", least, "≥")
            texts.append(bound if short else f"{words(f'label_{label}')} ({bound})")
        else:
            texts.append(f"{words(f'label_{label}')} ({words.equation('p', p)})")
    return texts
