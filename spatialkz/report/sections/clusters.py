"""Groups of regions: whether there are any, who is in them, and how far they hold."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import pandas as pd

from spatialkz.clustering.validation.stability import ClusterStability
from spatialkz.options import PartitionMethod
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

MOST_LEAVES = 200  # most regions for a figure with a line for each
_METHODS: tuple[PartitionMethod, ...] = ("kmeans", "ward")
_RULES = ("silhouette", "path_silhouette", "calinski_harabasz", "davies_bouldin", "gap")
_TOLD_RULES = ("structure", "silhouette", "given")  # with a sentence of their own
_CRITERIA = {
    "silhouette": 3, "path_silhouette": 3, "calinski_harabasz": 2,
    "davies_bouldin": 2, "gap": 3, "within_ss": 2,
}  # fmt: skip


def clusters(findings: Findings, words: Wording) -> Section:
    """Whether there are groups, the number of clusters by every rule, and Ward's tree; groups where shown."""
    few = len(findings.quotients) <= MOST_LEAVES
    kmeans, ward = (findings.clusters[method] for method in _METHODS)
    rule = kmeans.chosen_by
    chosen = words(f"chosen_{rule}") if rule in _TOLD_RULES else words("chosen_rule", rule=words(rule))
    tree = words("alt_dendrogram", k=ward.k) if ward.k > 1 else words("alt_dendrogram_one")
    return section(
        "clusters",
        Items(list(cluster_sentences(findings, words))),
        *_groups(findings, words, few),
        Figure("criteria", words("alt_criteria")),
        methods_table(findings, words),
        *(criteria_table(findings, words, method) for method in _METHODS),
        Paragraph(chosen, small=True),
        Figure("dendrogram", tree) if few else None,
        members_table(findings, words, "ward") if ward.k > 1 else None,
    )


def _groups(findings: Findings, words: Wording, few: bool) -> Iterator[Paragraph | Figure | Table | None]:
    """Members and profiles of the groups, and how far they hold; nothing for one cluster."""
    found, study, k = findings.clustering, findings.study, findings.clustering.main.k
    if k == 1:
        return
    yield Paragraph(words("post_selection"))
    if study.boundaries is not None:
        yield Figure("clusters", words("alt_clusters", k=k), words("map_note"))
    yield clusters_table(findings, words)
    yield Figure("profiles", words("alt_profiles", k=k)) if few else None
    yield holding_table(findings, words)
    yield Paragraph(words("stability_note", resamples=words.whole(study.choices.resamples)), small=True)
    if few:
        mean = words.number(found.main.silhouettes.mean(), 3)
        yield Figure("silhouettes", words("alt_silhouettes", mean=mean))
        yield Figure("consensus", words("alt_consensus", k=k)) if found.consensus is not None else None


def groups_brief(findings: Findings, words: Wording) -> Iterator[str]:
    """Whether there are groups, by what tests, how clear they are, and how many hold."""
    clusters = findings.clusters["kmeans"]
    widths = clusters.criteria["silhouette"]
    yield groups_verdict(findings, words)
    yield structure_sentence(findings, words)
    yield words(
        "answer_silhouette",
        silhouette=words.number(widths.max()),
        k=widths.idxmax(),
        verdict=words(structure(float(widths.max()))),
    )
    if clusters.k > 1:
        yield words("answer_stable", stable=int((clusters.stability >= 0.75).sum()), k=clusters.k)


def groups_verdict(findings: Findings, words: Wording) -> str:
    """One cluster, groups that were found, or groups that only describe."""
    k = findings.clustering.main.k
    return words(
        "groups_one" if k == 1 else "groups_described" if described(findings) else "groups_found", k=k
    )


def described(findings: Findings) -> bool:
    """Whether groups are shown that were not found: k was given, or data without any give as much."""
    main, tests = findings.clustering.main, findings.clustering.structure
    return main.k > 1 and (main.chosen_by == "given" or len(_rejected(findings)) < len(tests))


def _rejected(findings: Findings) -> list[str]:
    """Kinds of data without clusters that are rejected."""
    tests, alpha = findings.clustering.structure, findings.study.choices.alpha
    return [null for null, test in tests.items() if test.p_value <= alpha]


def structure_sentence(findings: Findings, words: Wording) -> str:
    """Whether there are clusters at all, by both tests."""
    tests, rejected = findings.clustering.structure, _rejected(findings)
    key = "clusters_open" if rejected else "clusters_unproven"
    return words(
        "clusters_likely" if len(rejected) == len(tests) else key,
        normal=words.equation("p", tests["gaussian"].p_value),
        columns=words.equation("p", tests["column-permutation"].p_value),
    )


def cluster_sentences(findings: Findings, words: Wording) -> Iterator[str]:
    """Verdict, structure, gap statistic, split test and contiguity, a sentence each."""
    found, alpha = findings.clustering, findings.study.choices.alpha
    yield groups_verdict(findings, words)
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
    key = "members_described" if described(findings) else "members_first"
    caption = words(key, method=words(f"clustering_{main.method}"), k=main.k)
    return Table(caption, columns)


def cluster_name(findings: Findings, words: Wording, cluster: Hashable) -> str:
    """One line made of the sectors and groups that set a cluster apart."""
    sectors = findings.study.sector_names(words.lang)
    said: dict[str, list[str]] = {"high": [], "low": []}
    profiles = findings.clustering.profiles
    for part, direction in [] if profiles is None else profiles.parts(cluster):
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


def holding_table(findings: Findings, words: Wording) -> Table | None:
    """How far the clusters hold without each region and without each sector, and what dissolves them."""
    found, study = findings.clustering, findings.study
    if found.without_region is None:
        return None
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
    if found.agreement is None:
        return Table(words("table_cluster_rules"), columns)
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
