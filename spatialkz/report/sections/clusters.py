"""Groups of regions: whether there are any, who is in them, and how far they hold."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import pandas as pd

from spatialkz.clustering.validation.stability import ClusterStability
from spatialkz.options import PartitionMethod
from spatialkz.report.blocks import (
    DASH,
    Column,
    Figure,
    Items,
    Paragraph,
    Section,
    Table,
    name_column,
    section,
)
from spatialkz.report.contents import Findings
from spatialkz.report.wording import Wording

MOST_LEAVES = 200  # most regions for a figure with a line for each
_METHODS: tuple[PartitionMethod, ...] = ("kmeans", "ward")
_RULES = ("silhouette", "path_silhouette", "calinski_harabasz", "davies_bouldin", "gap")
_CRITERIA = {
    "silhouette": 3, "path_silhouette": 3, "calinski_harabasz": 2,
    "davies_bouldin": 2, "gap": 3, "within_ss": 2,
}  # fmt: skip


def clusters(findings: Findings, words: Wording) -> Section:
    """Structure, members and profiles, stability, number of clusters, and Ward's tree."""
    found, study, k = findings.clustering, findings.study, findings.clustering.main.k
    few = len(findings.quotients) <= MOST_LEAVES
    kmeans, ward = (findings.clusters[method] for method in _METHODS)
    widths = words.number(found.main.silhouettes.mean(), 3)
    mapped = Figure("clusters", words("alt_clusters", k=kmeans.k), words("map_note"))
    return section(
        "clusters",
        Items(list(cluster_sentences(findings, words))),
        Paragraph(words("post_selection")),
        None if study.boundaries is None else mapped,
        clusters_table(findings, words),
        Figure("profiles", words("alt_profiles", k=k)) if few else None,
        holding_table(findings, words),
        Paragraph(words("stability_note", resamples=words.whole(study.choices.resamples)), small=True),
        Figure("silhouettes", words("alt_silhouettes", mean=widths)) if few else None,
        Figure("consensus", words("alt_consensus", k=k)) if few and found.consensus is not None else None,
        Figure("criteria", words("alt_criteria")),
        methods_table(findings, words),
        *(criteria_table(findings, words, method) for method in _METHODS),
        Paragraph(words(f"chosen_{kmeans.chosen_by}"), small=True),
        Figure("dendrogram", words("alt_dendrogram", k=ward.k)) if few else None,
        members_table(findings, words, "ward"),
    )


def groups_brief(findings: Findings, words: Wording) -> Iterator[str]:
    """How clear the groups are, how many hold, and whether there is structure at all."""
    clusters = findings.clusters["kmeans"]
    widths = clusters.criteria["silhouette"]
    yield words(
        "answer_silhouette",
        silhouette=words.number(widths.max()),
        k=widths.idxmax(),
        verdict=words(structure(float(widths.max()))),
    )
    stable = int((clusters.stability >= 0.75).sum())
    yield words("answer_stable", stable=stable, k=clusters.k)
    yield structure_sentence(findings, words)


def structure_sentence(findings: Findings, words: Wording) -> str:
    """Whether there are clusters at all, by both tests."""
    tests, alpha = findings.clustering.structure, findings.study.choices.alpha
    p = {null: test.p_value for null, test in tests.items()}
    rejected = [null for null, value in p.items() if value <= alpha]
    key = (
        "clusters_unproven"
        if not rejected
        else "clusters_likely"
        if len(rejected) == len(p)
        else "clusters_open"
    )
    return words(
        key,
        normal=words.equation("p", p["gaussian"]),
        columns=words.equation("p", p["column-permutation"]),
    )


def cluster_sentences(findings: Findings, words: Wording) -> Iterator[str]:
    """Structure, gap statistic, split test and contiguity, a sentence each."""
    found, alpha = findings.clustering, findings.study.choices.alpha
    yield structure_sentence(findings, words)
    gap = found.main.rules["k"].get("gap")
    if gap is not None:
        yield words("gap_one" if gap == 1 else "gap_more", k=gap)
    if found.split is not None:
        p = found.split.p_value
        yield words(
            "split_carries" if p <= alpha else "split_fails",
            splits=len(found.split.splits),
            p=words.equation("p", p),
        )
    if found.contiguity is not None:
        p = found.contiguity.p_value
        yield words(
            "joins_more" if p <= alpha else "joins_chance",
            joins=words.plain(found.contiguity.joins),
            expected=words.number(found.contiguity.expected, 1),
            p=words.equation("p", p),
        )


def clusters_table(findings: Findings, words: Wording) -> Table:
    """Clusters of the first method: members, what sets each apart, bootstrap stability, components."""
    found = findings.clustering
    main, names = found.main, findings.study.region_names(words.lang)
    numbers = list(main.stability.index)
    columns = [
        Column(words("cluster"), [str(number) for number in numbers], "name"),
        Column(words("members"), [words.listing(names[main.labels == number]) for number in numbers], "name"),
        Column(words("apart"), [cluster_name(findings, words, number) for number in numbers], "name"),
        Column(words("stability"), [words.number(value) for value in main.stability]),
        Column(words("judgement"), [words(stability_key(value)) for value in main.stability], "label"),
    ]
    if found.contiguity is not None:
        parts = found.contiguity.to_frame()["components"]
        columns.append(Column(words("map_parts"), [words.whole(parts[number]) for number in numbers]))
    caption = words("members_first", method=words(f"clustering_{main.method}"), k=main.k)
    return Table(caption, columns)


def cluster_name(findings: Findings, words: Wording, cluster: Hashable) -> str:
    """One line made of the sectors and groups that set a cluster apart."""
    sectors = findings.study.sector_names(words.lang)
    said: dict[str, list[str]] = {"high": [], "low": []}
    for part, direction in findings.clustering.profiles.parts(cluster):
        said[direction].append(sectors.get(part) or words.label("group", part))
    high, low = words.listing(said["high"]), words.listing(said["low"])
    if said["high"] and said["low"]:
        return words("apart_both", high=high, low=low)
    if said["low"]:
        return words("apart_low", low=low)
    return high if said["high"] else words("apart_none")


def members_table(findings: Findings, words: Wording, method: PartitionMethod) -> Table:
    """Clusters with their stability and members."""
    clusters = findings.clusters[method]
    names = findings.study.region_names(words.lang)
    numbers = list(clusters.stability.index)
    columns = [
        name_column(words("cluster"), [str(number) for number in numbers]),
        name_column(
            words("members"), [words.listing(names[clusters.labels == number]) for number in numbers]
        ),
        Column(words("stability"), [words.number(value) for value in clusters.stability]),
        Column(words("judgement"), [words(stability_key(value)) for value in clusters.stability], "label"),
    ]
    return Table(words(f"members_{method}", k=clusters.k), columns)


def holding_table(findings: Findings, words: Wording) -> Table:
    """How far the clusters hold without each region and without each sector, and what dissolves them."""
    found, study = findings.clustering, findings.study
    columns = [
        Column(words("cluster"), [str(number) for number in found.without_region.jaccard.columns], "name")
    ]
    regions = study.region_names(words.lang)
    columns += _left_out(found.without_region, regions, words("left_out_region"), words)
    if found.without_sector is not None:
        sectors = study.sector_names(words.lang)
        columns += _left_out(found.without_sector, sectors, words("left_out_sector"), words)
    return Table(words("table_holding"), columns)


def methods_table(findings: Findings, words: Wording) -> Table:
    """The k of each rule, by method, and how far the methods agree with the first."""
    found = findings.clustering
    rules = {method: clusters.rules["k"] for method, clusters in found.clusters.items()}
    columns = [
        Column(words("method"), [words(f"clustering_{method}") for method in rules], "name"),
        Column("k", [words.whole(clusters.k) for clusters in found.clusters.values()]),
    ]
    for rule in _RULES:
        columns.append(Column(words(rule), [_chosen(by_rule, rule) for by_rule in rules.values()]))
    agreement = found.agreement[found.main.method].loc[list(rules)]
    columns.append(Column(words("adjusted_rand"), [words.number(value) for value in agreement]))
    first = words(f"clustering_{found.main.method}")
    return Table(words("table_cluster_methods", method=first), columns)


def criteria_table(findings: Findings, words: Wording, method: PartitionMethod) -> Table:
    """Criteria of one method by number of clusters, the chosen one standing out."""
    clusters = findings.clusters[method]
    columns = [name_column("k", [str(k) for k in clusters.criteria.index])]
    for name, digits in _CRITERIA.items():
        if name not in clusters.criteria:
            continue
        # One cluster has no silhouette.
        cells = [DASH if pd.isna(value) else words.number(value, digits) for value in clusters.criteria[name]]
        columns.append(Column(words(name), cells))
    strong = frozenset(i for i, k in enumerate(clusters.criteria.index) if k == clusters.k)
    return Table(words(f"criteria_{method}"), columns, strong)


def stability_key(stability: float) -> str:
    """Key of the word for a cluster's stability (Hennig 2007).

    >>> stability_key(0.75), stability_key(0.74), stability_key(0.49)
    ('stable', 'doubtful', 'dissolved')
    """
    return "stable" if stability >= 0.75 else "doubtful" if stability >= 0.5 else "dissolved"


def structure(silhouette: float) -> str:
    """Key of the verdict on a mean silhouette (Kaufman & Rousseeuw 1990, ch. 2).

    >>> structure(0.24), structure(0.25), structure(0.72)
    ('structure_none', 'structure_weak', 'structure_strong')
    """
    for limit, verdict in ((0.25, "none"), (0.5, "weak"), (0.7, "reasonable")):
        if silhouette < limit:
            return f"structure_{verdict}"
    return "structure_strong"


def _left_out(stability: ClusterStability, names: pd.Series, heading: str, words: Wording) -> list[Column]:
    least, dissolving = stability.jaccard.min(), stability.dissolving().index
    culprits = [
        words.listing(names[left] for left, cluster in dissolving if cluster == number)
        if number in dissolving.get_level_values(1)
        else DASH
        for number in stability.jaccard.columns
    ]
    return [
        Column(heading, [words.number(value) for value in least]),
        Column(words("dissolved_without"), culprits, "name"),
    ]


def _chosen(by_rule: pd.Series, rule: str) -> str:
    return str(by_rule[rule]) if rule in by_rule.index else DASH
