"""Tables of clusters: members and names, how far they hold, how methods agree."""

from __future__ import annotations

from collections.abc import Hashable

import pandas as pd

from spatialkz.clustering.validation.stability import ClusterStability
from spatialkz.report.contents import Findings
from spatialkz.report.tables import Column, Table, stability_key
from spatialkz.report.wording import Wording

_DASH = "–"
_RULES = ("silhouette", "path_silhouette", "calinski_harabasz", "davies_bouldin", "gap")


def clusters_table(findings: Findings, words: Wording) -> Table:
    """Clusters of the first method: members, what sets each apart, bootstrap stability, parts on the map."""
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
        parts = found.contiguity.to_frame()["parts"]
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


def _left_out(stability: ClusterStability, names: pd.Series, heading: str, words: Wording) -> list[Column]:
    least, dissolving = stability.jaccard.min(), stability.dissolving().index
    culprits = [
        words.listing(names[left] for left, cluster in dissolving if cluster == number)
        if number in dissolving.get_level_values(1)
        else _DASH
        for number in stability.jaccard.columns
    ]
    return [
        Column(heading, [words.number(value) for value in least]),
        Column(words("dissolved_without"), culprits, "name"),
    ]


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


def _chosen(by_rule: pd.Series, rule: str) -> str:
    return str(by_rule[rule]) if rule in by_rule.index else _DASH
