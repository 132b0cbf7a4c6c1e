"""focal_test: figures on the paper's table, shape of the result, verdicts on known truths, bad input."""

import json
from dataclasses import replace
from importlib import import_module
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph

import spatialkz
from spatialkz.errors import GraphError, InputError
from spatialkz.focal import colocation_test, focal_test, spread_test, table_base_shares
from spatialkz.focal.focal import _DELETIONS, families_of
from spatialkz.focal.questions.colocation import colocation_in
from spatialkz.focal.questions.null_tables import NullTables
from spatialkz.focal.questions.spread import spread_in
from spatialkz.focal.study import _graphs, focal_study
from spatialkz.focal.verdict import UNTESTABLE
from spatialkz.geography import graph_from_pairs, neighbor_graph
from spatialkz.specialization import audit_table
from spatialkz.study import Choices, Study
from spatialkz.tables import ActivityTable

QUICK = {"permutations": 199, "simulations": 0}


@pytest.fixture(scope="module")
def found(study):
    options = {"permutations": 1999, "simulations": 600}
    return focal_test(study.table.values, study.graph, groups=study.table.groups, rng=1, **options)


def lattice(side):
    names = [f"{row}{column}" for row in range(side) for column in range(side)]
    grid = np.array(names).reshape(side, side)
    ends = [(grid[:, :-1], grid[:, 1:]), (grid[:-1], grid[1:])]
    pairs = pd.DataFrame([pair for a, b in ends for pair in zip(a.ravel(), b.ravel(), strict=True)])
    return graph_from_pairs(pairs, pd.Index(names)), grid


def noise(names, sectors=12, seed=1):
    draws = np.random.default_rng(seed).lognormal(-0.5, 0.7, (len(names), sectors))
    return pd.DataFrame(draws, names, [f"sector {j:02d}" for j in range(sectors)])


# ---- the paper's table


def test_figures_on_the_paper_s_table(found):
    table = found.to_frame()
    assert table.loc["all", "colocation_p"] <= 0.001
    assert table.loc["services", "colocation_p"] <= 0.002
    assert 0.3 < table.loc["industry", "colocation_p"] < 0.7
    assert table.loc["all", "contiguity_p"] > 0.1
    without = found.influence["all"].to_frame().loc[("region", "Almaty City"), "colocation_p"]
    assert 0.08 < without < 0.25
    assert found.rests_on() == ["Almaty City"]


def test_industry_goes_against_the_hypothesis(found):
    assert found.families["industry"].verdict not in {"focal", "belt"}
    assert found.families["industry"].evidence.spread.verdict == "not shown"
    table = found.multiverse.table
    shares = (table["colocation"] == "yes").groupby(table["family"]).mean()
    assert shares["industry"] == 0
    assert shares["services"] > 0.5


# ---- what comes out


def test_the_dictionary_has_the_keys_others_rely_on_and_survives_json(found):
    plain = found.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["verdict"] == plain["families"]["all"]["verdict"]
    assert set(plain["families"]) == {"all", "industry", "services"}
    for family in plain["families"].values():
        assert {"verdict", "answer", "colocation", "spread", "shape", "place", "posterior"} <= set(family)
        assert {"verdict", "statistic", "p_value", "power"} <= set(family["colocation"])
        assert {"verdict", "regions", "expected", "p_value", "held_low", "held_high"} <= set(family["spread"])
        assert {"verdict", "spikes", "error"} <= set(family["shape"])
        assert {"verdict", "statistic", "p_value", "rho_low", "rho_high"} <= set(family["place"])
        assert sum(family["posterior"].values()) == pytest.approx(1)
    assert {"dropped", "family", "p_value"} <= set(plain["influence"][0])
    assert all(row["dropped"] for row in plain["influence"])
    assert plain["multiverse"]["specifications"] >= 200
    many = plain["multiverse"]
    assert set(many["parts"]) == {"colocation", "spread", "place"}
    for shares in (many["verdicts"], *many["parts"].values()):
        assert sum(shares.values()) == pytest.approx(1)


def test_every_number_of_a_sentence_is_that_of_the_frame(found):
    for family, row in found.to_frame().iterrows():
        sentence, answer = found.sentence(family), found.families[family].answer()
        assert sentence.startswith(answer)
        assert f": {row['verdict']}" in answer
        assert f"({row['reason']})" in answer
        assert f"p = {row['colocation_p']:.2g}" in answer
        assert f"{row['regions']:.0f} regions have any specialization; by chance" in answer
        assert f"{row['regions_expected']:.1f} would" in answer
        assert f"varies {row['variance_ratio']:.2f} times" in sentence
        assert f"Moran's I is {row['breadth_moran']:.3f}" in sentence
        assert f"with probability {row['spikes']:.2f} (± {row['spikes_error']:.2f}" in sentence
    assert "Without Almaty City the co-location test decides otherwise" in found.sentence()
    assert found.summary().count("\n") == 2
    with pytest.raises(InputError, match="There is no family 'crafts'; there are all"):
        found.sentence("crafts")


def test_families_of_the_caller_come_after_the_groups_and_what_is_one_test_is_called_so(study):
    """Programming, computer and information are specialized in the two cities alone."""
    table, groups = study.table.values, study.table.groups
    chosen = {"pair": ["research", "computer"], "same": list(groups.index[groups == "services"])[::-1]}
    test = focal_test(table, study.graph, groups=groups, families=chosen, rng=1, **QUICK)
    assert list(test.families) == ["all", "industry", "services", "pair", "same"]
    assert test.families["pair"].sectors == ("research", "computer")
    assert set(test.multiverse.table["family"]) == set(test.families)
    assert list(families_of(table, pd.Series("all", table.columns), None)) == ["all"]
    services, same = test.families["services"], test.families["same"]
    (names,) = services.alike
    assert set(names) == {"programming", "computer", "information"}
    assert (table[list(names)] >= 1).nunique(axis=1).eq(1).all()
    told = f"{', '.join(names)}. To these tests they are one sector, counted 3 times."
    assert told in services.answer()
    assert (services.same_as, same.same_as) == ("", "services")
    assert same.answer().endswith("These are the sectors of services: one test, not two.")
    assert same.to_dict()["same_as"] == "services"


def test_the_order_of_rows_and_columns_changes_nothing(study, quotients, shuffled):
    mixed = shuffled(quotients)[quotients.columns[::-1]]
    options = {"permutations": 99, "simulations": 600, "rng": 3}
    one, other = (focal_test(table, study.graph, **options) for table in (quotients, mixed))
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame().loc[one.to_frame().index])
    pd.testing.assert_frame_equal(one.multiverse.joint, other.multiverse.joint)
    assert one.multiverse.verdicts().to_dict() == other.multiverse.verdicts().to_dict()


def test_steps_are_told_as_they_start(study, quotients):
    steps = []
    focal_test(quotients, study.graph, rng=1, progress=lambda *told: steps.append(told), **QUICK)
    assert [step for step, _ in steps] == ["all", "influence", "multiverse"]
    shares = [done for _, done in steps]
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert shares[-1] < 1


# ---- known truths on a map where the tests are strong


@pytest.fixture(scope="module")
def plain():
    graph, grid = lattice(7)
    return graph, grid, noise(grid.ravel())


def decided(table, graph, **options):
    """Without deletions and the multiverse, on which no verdict depends."""
    known = {"permutations": 499, "simulations": 3000, "rng": 1, **options}
    with patch.object(import_module("spatialkz.focal.focal"), "_DELETIONS", ()):
        return focal_test(table, graph, **known)


def test_strong_hubs_apart_are_focal(plain):
    graph, grid, table = plain
    hubs = table.copy()
    hubs.loc[[grid[1, 1], grid[1, 5], grid[3, 3], grid[5, 1], grid[5, 5]]] *= 8
    test = decided(hubs, graph)
    found = test.families["all"].evidence
    assert (test.verdict, found.place.verdict) == ("focal", "apart")
    assert found.spread.held == (5, 5)


def test_adjoining_hubs_are_focal_and_adjoining(plain):
    graph, grid, table = plain
    hubs = table.copy()
    hubs.loc[[grid[1, 1], grid[1, 2], grid[2, 1], grid[2, 2], grid[3, 2]]] *= 8
    test = decided(hubs, graph)
    assert (test.verdict, test.families["all"].evidence.place.verdict) == ("focal", "adjoining")


def test_a_belt_is_a_belt(plain):
    graph, _, table = plain
    slope = np.exp(1.5 * np.sin(np.arange(7) / 2).repeat(7))
    test = decided(table.mul(slope, axis=0), graph)
    assert (test.verdict, test.families["all"].reason) == ("belt", "co-located and contiguous")


def test_belts_of_each_sector_s_own_are_sector_belts(plain):
    graph, _, table = plain
    belts = table.copy()
    north = np.arange(49) // 7
    for place, sector in enumerate(belts):
        east = np.arange(49) % 7
        angle = 2 * np.pi * place / 12
        belts[sector] *= np.exp(0.5 * (np.cos(angle) * north + np.sin(angle) * east))
    test = decided(belts, graph)
    assert test.verdict == "sector belts"


def test_independent_sectors_are_dispersed(plain):
    graph, grid, _ = plain
    found = [decided(noise(grid.ravel(), seed=seed), graph).verdict for seed in range(4)]
    # Breadth of independent sectors can be contiguous by chance, and is in two of these four (p = .044).
    assert found.count("dispersed") >= 2
    assert not {"focal", "belt", "sector belts"} & set(found)


def test_one_city_with_everything_is_the_clearest_focus(plain):
    graph, grid, table = plain
    city = table * 0.3
    city.loc[grid[3, 3]] = 20
    test = decided(city, graph)
    assert test.verdict == "focal"
    assert test.families["all"].evidence.spread.held[0] == 1
    assert test.families["all"].spread.holders == (grid[3, 3],)


def test_a_checkerboard_is_not_focal_and_has_a_name(plain):
    graph, grid, table = plain
    odd = [grid[i, j] for i in range(7) for j in range(7) if (i + j) % 2]
    board = table**0.1
    board.loc[odd] *= 2
    test = decided(board, graph)
    assert (test.verdict, test.families["all"].reason) == (
        "mixed",
        "co-located in regions that alternate with others",
    )


def test_without_models_shape_is_open(plain):
    graph, grid, table = plain
    hubs = table.copy()
    hubs.loc[grid[1, 1]] *= 8
    test = decided(hubs, graph, **QUICK)
    assert (test.verdict, test.families["all"].evidence.shape.verdict) == ("undecided", "open")


def test_unequal_sizes_alone_are_not_called_focal(plain):
    """Few plants that choose regions by size: columns reject, sizes do not."""
    graph, grid, _ = plain
    size = np.random.default_rng(5).lognormal(0, 1.6, grid.size)
    base = pd.Series(size / size.sum(), grid.ravel())
    counts = np.random.default_rng(6).multinomial(30, base, 12).T
    table = pd.DataFrame(counts / 30, base.index).div(base, axis=0)
    test = decided(table, graph, base_shares=base, units=30, **QUICK)
    row = test.to_frame().loc["all"]
    assert row["colocation_p"] <= 0.05 < row["colocation_sized_p"]
    assert (row["verdict"], row["reason"]) == (
        "undecided",
        "unequal size of the regions explains the co-location",
    )


# ---- tables that say nothing, and bad input


@pytest.mark.parametrize(("factor", "why"), [(0.01, "below the threshold 1"), (0, "below the threshold 1")])
def test_nothing_above_the_threshold_is_undecided_with_the_reason(study, quotients, factor, why):
    test = focal_test(quotients * factor, study.graph, rng=1, **QUICK)
    assert (test.verdict, test.families["all"].reason) == ("undecided", UNTESTABLE)
    assert f"every quotient is {why}" in test.sentence()
    assert test.influence == {}
    json.dumps(test.to_dict(), allow_nan=False)


def test_everything_above_the_threshold_is_undecided_with_the_reason(study, quotients):
    test = focal_test(quotients + 2, study.graph, rng=1, **QUICK)
    assert test.verdict == "undecided"
    assert "every quotient reaches the threshold 1" in test.sentence()


def test_sectors_specialized_nowhere_or_everywhere_say_nothing(study, quotients):
    few = quotients.assign(chemical=0.2, research=3.0)
    options = {"permutations": 99, "simulations": 0, "rng": 1}
    with_constants = focal_test(few, study.graph, **options)
    assert with_constants.families["all"].colocation.constant == ("chemical", "research")
    without = focal_test(few.drop(columns=["chemical", "research"]), study.graph, **options)
    ratio = [test.to_frame().loc["all", "variance_ratio"] for test in (with_constants, without)]
    assert ratio[0] == pytest.approx(ratio[1])
    flat = pd.DataFrame(0.5, quotients.index, quotients.columns).assign(research=quotients["research"])
    assert focal_test(flat, study.graph, **options).verdict == "undecided"


def test_bad_input_is_refused_in_one_sentence(study, quotients):
    ring = Graph.from_dicts({name: {"abcd"[(i + 1) % 4]: 1.0} for i, name in enumerate("abcd")})
    with pytest.raises(InputError, match="4 regions"):
        focal_test(quotients.iloc[:4].set_axis(list("abcd")), ring)
    with pytest.raises(InputError, match="several sectors"):
        focal_test(quotients[["research"]], study.graph)
    with pytest.raises(InputError, match="must be finite"):
        focal_test(quotients.mask(quotients > 12), study.graph)
    with pytest.raises(InputError, match="names crafts, which quotients does not have"):
        focal_test(quotients, study.graph, families={"mine": ["crafts", "research"]})
    with pytest.raises(InputError, match="groups has no entry for chemical"):
        focal_test(quotients, study.graph, groups=study.table.groups.drop("chemical"))
    with pytest.raises(InputError, match="at least 99"):
        focal_test(quotients, study.graph, permutations=5)
    island = Graph.from_dicts({"a": {}, "b": {"c": 1.0}, "c": {"b": 1.0}, "d": {"c": 1.0}, "e": {"b": 1.0}})
    with pytest.raises(GraphError):
        focal_test(quotients.iloc[:5].set_axis(list("abcde")), island, **QUICK)


# ---- a whole study


def test_few_regions_are_tested_without_deletions(study, quotients):
    five = quotients.loc[["Akmola", "Kostanay", "North Kazakhstan", "Karaganda", "Nur-Sultan"]]
    test = focal_test(five, study.graph.subgraph(five.index), rng=1, **QUICK)
    assert len(five) not in _DELETIONS
    assert test.multiverse is None
    assert test.to_dict()["multiverse"] == {"specifications": 0, "verdicts": {}}
    assert test.rests_on() == []


@pytest.fixture(scope="module")
def studied(quick):
    return focal_study(quick, audit_table(quick.table), rng=1)


BARE = Choices(permutations=99, simulations=600)


def test_a_study_brings_its_families_graphs_and_base_shares(studied):
    test, notes = studied
    assert notes == ()
    assert list(test.families) == ["all", "industry", "services", "high technology"]
    assert set(test.multiverse.table["graph"]) == {"graph", "second order", "knn:k=4", "city_merged"}
    assert set(test.multiverse.table["without"]) == {"none", "broadest"}
    assert set(test.multiverse.table["null"]) == {"columns", "sizes"}
    assert test.families["all"].sized is not None


def test_volumes_bring_their_own_base_and_no_rounding():
    study = replace(spatialkz.load_study("kazakhstan-gva-2020"), choices=BARE)
    test, _ = focal_study(study, graphs={}, rng=1)
    assert set(test.multiverse.table["rounding"]) == {0}
    assert test.families["all"].sized is not None


def test_a_study_without_polygons_has_fewer_graphs(quick):
    graphs, notes = _graphs(replace(quick, boundaries=None))
    assert (list(graphs), notes) == (["second order"], ())


def test_a_recipe_that_fails_is_noted(quick):
    no_crs = quick.boundaries.set_crs(None, allow_override=True)
    graphs, notes = _graphs(replace(quick, boundaries=no_crs))
    assert list(graphs) == ["second order", "city_merged"]
    assert len(notes) == 1
    assert notes[0].startswith("The focal test was not repeated on the graph knn:k=4: ")


def test_a_graph_that_is_there_already_is_not_counted_twice(quick):
    merged = neighbor_graph(quick.boundaries, "city_merged")
    assert list(_graphs(replace(quick, graph=merged))[0]) == ["second order", "knn:k=4"]


def test_too_small_a_study_is_noted_and_not_tested():
    table = ActivityTable(pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [2.0, 1, 1, 3]}, list("abcd")), "quotients")
    pairs = pd.DataFrame({"region": list("abc"), "neighbor": list("bcd")})
    test, notes = focal_study(Study("tiny", table, graph_from_pairs(pairs, table.regions)))
    assert test is None
    assert notes == (
        "Whether sectors are focal was not tested: that takes at least 5 regions and 2 sectors without "
        "suppressed cells, and there are 4 and 2.",
    )


def test_groups_and_families_are_taken_as_they_are_or_refused(quotients, study):
    named = pd.Series("all", index=quotients.columns).where(study.table.groups == "industry", "services")
    few = {"permutations": 99, "simulations": 0, "rng": 1}
    with pytest.raises(InputError, match="called 'all'"):
        focal_test(quotients, study.graph, groups=named, **few)
    for families, told in (
        ({"x": ["chemical"]}, "Family 'x' has 1 sectors; at least 2"),
        ({"x": []}, "has 0 sectors"),
        ({"all": ["chemical", "vehicles"]}, "called 'all'"),
    ):
        with pytest.raises(InputError, match=told):
            focal_test(quotients, study.graph, families=families, **few)
    with pytest.raises(InputError, match="no entry for chemical"):
        focal_test(quotients, study.graph, groups=study.table.groups.replace("industry", None), **few)


def test_the_sentence_counts_the_specifications_of_its_own_family(studied):
    found, _ = studied
    own = found.multiverse.table.query("family == 'all'")
    assert f"Over {len(own)} specifications" in found.sentence()
    for name, share in own["verdict"].value_counts(normalize=True).items():
        assert f"{name} in {share:.0%}" in found.sentence()


def test_concentration_stands_beside_colocation_and_contiguity(studied, quick):
    found, _ = studied
    told = found.to_dict()["concentration"]
    assert list(told) == list(quick.table.sectors)
    assert all(0 < row["p_value"] <= 1 for row in told.values())
    assert "By the locational Gini" in found.sentence()
    with patch.object(import_module("spatialkz.focal.focal"), "_DELETIONS", ()):
        without, notes = focal_study(replace(quick, choices=BARE), None, graphs={}, rng=1)
    assert without.to_dict()["concentration"] is None
    assert "unequal sizes of regions" in notes[0]


def test_the_study_s_own_specification_has_the_verdict_of_the_main_answer(studied):
    found, _ = studied
    table = found.multiverse.table.query(
        "grade == 1.0 and null == 'sizes' and graph == 'graph' and without == 'none' and rounding == 0"
    ).set_index("family")
    for name, family in found.families.items():
        row, parts = table.loc[name], family.evidence
        assert row["verdict"] == family.verdict
        assert [row["colocation"], row["spread"], row["place"]] == [
            parts.colocation.verdict,
            parts.spread.verdict,
            parts.place.verdict,
        ]
        assert row["colocation_statistic"] == pytest.approx(parts.colocation.statistic)
        assert row["spread_statistic"] == pytest.approx(parts.spread.regions / 17)
        assert row["contiguity_statistic"] == pytest.approx(parts.place.statistic)
        assert row["rho_upper"] == pytest.approx(parts.place.rho_upper)
        assert row["colocation_p"] == pytest.approx(parts.colocation.p_sizes, abs=0.12)
        assert row["contiguity_p"] == pytest.approx(parts.place.p_value, abs=0.15)
    power = found.families["all"].evidence.colocation.power
    assert table.loc["all", "colocation_power"] == pytest.approx(power, abs=0.1)


def test_tests_of_one_family_share_their_null_tables(study):
    """With the numbers that each has alone with the same seed."""
    table = study.table.values
    shares = table_base_shares(study.table, audit_table(study.table))
    options = {"permutations": 199, "rng": 5}
    tables = NullTables.of(table, ("count", "rank"), 1.0, shares, None, 199, 5)
    spread, alone = spread_in(tables, 0.05), spread_test(table, base_shares=shares, **options)
    pd.testing.assert_frame_equal(spread.table, alone.table)
    for grade, null in (("count", "columns"), ("count", "sizes"), ("rank", "columns"), ("rank", "sizes")):
        shared = colocation_in(tables, grade, null)
        alone = colocation_test(table, grade=grade, null=null, base_shares=shares, **options)
        pd.testing.assert_frame_equal(shared.table, alone.table)
        pd.testing.assert_frame_equal(shared.regions, alone.regions)
