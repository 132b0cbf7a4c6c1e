"""Figures, tables and sentences on clusters, held against the analysis behind them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.patches import Rectangle
from scipy.cluster.hierarchy import linkage

from spatialkz.clustering import cluster_profiles
from spatialkz.options import LANGUAGES
from spatialkz.report import draw_figures
from spatialkz.report.drawing.clusters import (
    consensus_plot,
    criteria_plot,
    profiles_plot,
    silhouettes_plot,
    tree_order,
)
from spatialkz.report.drawing.style import styled
from spatialkz.report.sections.clusters import (
    cluster_name,
    cluster_sentences,
    clusters,
    clusters_table,
    criteria_table,
    holding_table,
    methods_table,
    structure_sentence,
)
from spatialkz.report.wording import Wording
from spatialkz.specialization import symmetric_quotient

ENGLISH = Wording("en")


def drawn(draw, findings):
    with styled():
        return draw(findings, ENGLISH)


def with_clustering(findings, **changes):
    return replace(findings, clustering=replace(findings.clustering, **changes))


def frames(axes):
    return [patch for patch in axes.patches if isinstance(patch, Rectangle) and not patch.get_fill()]


def cells(axes):
    return next(part for part in axes.collections if isinstance(part, QuadMesh)).get_array()


def rows_of(axes, findings):
    names = findings.study.region_names("en")
    return [names.index[names == tick.get_text()][0] for tick in axes.get_yticklabels()]


def test_profiles_show_each_region_by_cluster_and_frame_what_sets_clusters_apart(grouped):
    axes = drawn(profiles_plot, grouped).axes[0]
    regions = rows_of(axes, grouped)
    labels = grouped.clustering.main.labels
    assert sorted(regions) == sorted(labels.index)
    assert (np.diff(labels.loc[regions]) != 0).sum() == grouped.clustering.main.k - 1
    sectors = grouped.study.table.groups.sort_values(kind="stable").index
    wanted = symmetric_quotient(grouped.quotients).loc[regions, sectors]
    np.testing.assert_allclose(cells(axes).reshape(wanted.shape), wanted)
    profiles = grouped.clustering.profiles
    parts = [(c, name, direction) for c in profiles.members for name, direction in profiles.parts(c)]
    found = frames(axes)
    assert len(found) == len(parts)
    assert sum(frame.get_linestyle() == "solid" or frame.get_linestyle() == "-" for frame in found) == sum(
        direction == "high" for _, _, direction in parts
    )
    # Almaty City stands for itself, and services as a group are framed at once.
    city, services = regions.index("Almaty City"), grouped.study.table.groups.eq("services").sum()
    widest = [frame for frame in found if frame.get_width() > services - 1]
    assert [round(frame.get_y()) for frame in widest] == [city]


def test_the_order_is_that_of_the_tree_where_clusters_are_its_branches(findings):
    tree, ward = findings.clustering.tree, findings.clusters["ward"].labels
    np.testing.assert_allclose(tree, linkage(symmetric_quotient(findings.quotients), "ward"), rtol=1e-12)
    assert list(ward.index) == list(findings.quotients.index)
    ordered = ward.loc[tree_order(tree, ward)]
    assert (np.diff(ordered) != 0).sum() == findings.clusters["ward"].k - 1
    one = pd.Series(1, ward.index)
    assert list(tree_order(tree, one)) == list(ordered.index)


def test_the_consensus_matrix_is_in_its_own_order(grouped):
    found = grouped.clustering.consensus
    axes = drawn(consensus_plot, grouped).axes[0]
    assert rows_of(axes, grouped) == list(found.order)
    np.testing.assert_allclose(
        cells(axes).reshape(found.matrix.shape), found.matrix.loc[found.order, found.order]
    )
    assert sorted(round(frame.get_width() + 0.1) for frame in frames(axes)) == sorted(
        found.labels.value_counts()
    )
    shown = [text.get_text() for text in axes.texts if "%" in text.get_text()]
    assert shown == [ENGLISH.percent(p) for p in found.to_frame().loc[found.order, "probability"]]


def test_without_a_consensus_there_is_no_such_figure(grouped, tmp_path):
    one = with_clustering(grouped, consensus=None)
    quick = replace(one, study=replace(grouped.study, boundaries=None), focal=None)
    assert "consensus" not in draw_figures(quick, tmp_path, "en")


def test_silhouettes_fall_within_each_cluster(grouped):
    axes = drawn(silhouettes_plot, grouped).axes[0]
    main = grouped.clustering.main
    regions = rows_of(axes, grouped)
    assert list(main.labels.loc[regions]) == sorted(main.labels)
    np.testing.assert_allclose([bar.get_width() for bar in axes.patches], main.silhouettes.loc[regions])
    for _, widths in main.silhouettes.loc[regions].groupby(main.labels.loc[regions], sort=False):
        assert widths.is_monotonic_decreasing


def test_every_criterion_has_a_panel_with_the_k_it_would_choose(findings):
    main = findings.clustering.main
    panels = [axes for axes in drawn(criteria_plot, findings).axes if axes.get_title(loc="left")]
    assert len(panels) == len(main.criteria.columns) - 1  # the standard error goes with the gap
    for name in main.rules.index.drop("structure"):
        axes = next(axes for axes in panels if axes.get_title(loc="left") == ENGLISH(name))
        chosen, curve, best = axes.lines[0], axes.lines[-2], axes.lines[-1]
        assert set(chosen.get_xdata()) == {main.k}
        column = main.criteria[name].dropna()
        np.testing.assert_allclose(curve.get_ydata(), column)
        assert list(best.get_xdata()) == [main.rules.loc[name, "k"]]
    gap = next(axes for axes in panels if axes.get_title(loc="left") == ENGLISH("gap"))
    reach = np.ptp(gap.collections[0].get_segments()[0][:, 1])
    assert reach == pytest.approx(2 * main.criteria["se"].iloc[0])


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("which", ["grouped", "other_findings"])
def test_tables_agree_with_the_analysis(request, which, lang):
    findings, words = request.getfixturevalue(which), Wording(lang)
    found, names = findings.clustering, findings.study.region_names(lang)
    table = clusters_table(findings, words)
    members = {column.heading: column.cells for column in table.columns}
    told = [name for cell in members[words("members")] for name in cell.replace(";", ",").split(", ")]
    assert sorted(told) == sorted(names)
    assert list(members[words("map_parts")]) == [str(n) for n in found.contiguity.to_frame()["components"]]
    assert all(members[words("apart")])
    holding = holding_table(findings, words).columns
    by_region = found.without_region
    assert list(holding[1].cells) == [words.number(value) for value in by_region.jaccard.min()]
    for number, cell in zip(by_region.jaccard.columns, holding[2].cells, strict=True):
        left = [names[one] for one, cluster in by_region.dissolving().index if cluster == number]
        assert cell == (words.listing(left) if left else "–")
    methods = {column.heading: column.cells for column in methods_table(findings, words).columns}
    assert list(methods["k"]) == [str(clusters.k) for clusters in found.clusters.values()]
    assert methods[words("gap")][0] == str(found.main.rules.loc["gap", "k"])
    assert set(methods[words("gap")][1:]) == {"–"}
    assert methods[words("adjusted_rand")][0] == words.number(1)


def test_what_is_not_defined_for_one_cluster_is_a_dash(findings):
    columns = {c.heading: c.cells for c in criteria_table(findings, ENGLISH, "kmeans").columns}
    assert columns["k"][0] == "1"
    assert columns[ENGLISH("silhouette")][0] == "–"
    assert columns[ENGLISH("gap")][0] == ENGLISH.number(findings.clustering.main.criteria["gap"][1], 3)
    assert not any("nan" in cell for cells in columns.values() for cell in cells)
    assert ENGLISH("gap") not in [c.heading for c in criteria_table(findings, ENGLISH, "ward").columns]


def test_what_is_missing_leaves_its_columns_out(grouped):
    bare = with_clustering(grouped, contiguity=None, without_sector=None, split=None)
    assert ENGLISH("map_parts") not in [column.heading for column in clusters_table(bare, ENGLISH).columns]
    assert len(holding_table(bare, ENGLISH).columns) == 3
    assert holding_table(with_clustering(grouped, without_region=None), ENGLISH) is None
    assert len(list(cluster_sentences(bare, ENGLISH))) == len(list(cluster_sentences(grouped, ENGLISH))) - 2


def test_names_are_made_of_the_words_of_the_language(findings):
    study = findings.study
    values = pd.DataFrame(1.0, study.table.regions, study.table.sectors)
    regions = values.index
    values.loc[regions[:4], "chemical"] = 5
    values.loc[regions[:4], "vehicles"] = 0.2
    values.loc[regions[4:8], "vehicles"] = 0.1
    labels = pd.Series([1] * 4 + [2] * 4 + [3] * 9, regions)

    def name(cluster, lang="en", table=values):
        changed = with_clustering(
            findings, profiles=cluster_profiles(table, labels, groups=study.table.groups)
        )
        return cluster_name(changed, Wording(lang), cluster)

    assert name(1) == "Chemicals"
    assert name(1, "ru") == "Химическая промышленность"
    assert name(2) == "weak: Motor vehicles and trailers"
    assert name(3, table=values.assign(vehicles=1.0)) == "no sector"
    services = study.table.groups.index[study.table.groups == "services"]
    piled = values.assign(**dict.fromkeys(services, 1.0), vehicles=1.0)
    piled.loc[regions[:4], services] = 3.0
    assert name(1, "kk", piled) == "Химия өнеркәсібі, Қызметтер"
    piled.loc[regions[:4], "vehicles"] = 0.1
    assert name(1, "ru", piled) == "Химическая промышленность, Услуги; слабы: Автомобили и прицепы"


@pytest.mark.parametrize(
    ("gaussian", "columns", "said"),
    [
        (0.3, 0.051, "No cluster structure can be shown"),
        (0.05, 0.3, "stays open"),
        (0.3, 0.01, "stays open"),
        (0.005, 0.05, "is rare in data without clusters"),
    ],
)
def test_the_sentence_on_structure_follows_both_tests(findings, gaussian, columns, said):
    tests = findings.clustering.structure
    changed = with_clustering(
        findings,
        structure={
            "gaussian": replace(tests["gaussian"], p_value=gaussian),
            "column-permutation": replace(tests["column-permutation"], p_value=columns),
        },
    )
    sentence = structure_sentence(changed, ENGLISH).replace("\u00a0", " ")
    assert said in sentence
    assert f"one normal sample: p = {gaussian:.3f}" in sentence
    assert f"independent sectors: p = {columns:.3f}" in sentence


@pytest.mark.parametrize(
    ("p", "given", "said"),
    [
        (0.001, False, "were found: 6"),
        (0.001, True, "are a description"),
        (0.2, False, "are a description"),
    ],
)
def test_groups_are_found_or_only_described(grouped, p, given, said):
    """Found are only groups whose number was not given, where both tests reject."""
    found = grouped.clustering
    main = replace(found.main, chosen_by="given" if given else "structure")
    tests = {null: replace(test, p_value=p) for null, test in found.structure.items()}
    changed = with_clustering(grouped, clusters={**found.clusters, "kmeans": main}, structure=tests)
    assert said in next(iter(cluster_sentences(changed, ENGLISH)))
    assert ("describe" in clusters_table(changed, ENGLISH).caption) == ("description" in said)


def test_one_cluster_comes_first_and_leaves_out_what_is_asked_of_groups(findings):
    found = clusters(findings, ENGLISH)
    assert [figure.name for figure in found.figures] == ["criteria", "dendrogram"]
    assert next(iter(cluster_sentences(findings, ENGLISH))).startswith(
        "No groups of similar regions were found"
    )
    methods = methods_table(findings, ENGLISH)
    assert ENGLISH("adjusted_rand") not in [column.heading for column in methods.columns]
    assert set(methods.columns[1].cells) == {"1"}


def test_sentences_turn_with_what_was_found(grouped):
    found = grouped.clustering
    main = replace(found.main, rules=found.main.rules.assign(k=3))
    sure = with_clustering(
        grouped,
        clusters={"kmeans": main},
        split=replace(found.split, p_value=0.01),
        contiguity=replace(found.contiguity, p_value=0.01),
    )
    text = " ".join(cluster_sentences(sure, ENGLISH))
    for part in ("chooses k = 3", "carries over", "more often than if"):
        assert part in text.replace("\u00a0", " ")
    unsure = with_clustering(
        grouped, split=replace(found.split, p_value=0.2), contiguity=replace(found.contiguity, p_value=0.2)
    )
    text = " ".join(cluster_sentences(unsure, ENGLISH))
    assert "do not significantly differ" in text
    assert "no more often than chance" in text
