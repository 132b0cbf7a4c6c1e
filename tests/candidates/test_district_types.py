import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph

from spatialkz.candidates.evidence.area_profile import area_profile, drawn_profile, site_counts
from spatialkz.candidates.evidence.district_types import (
    DistrictRule,
    DistrictRules,
    district_types,
    read_district_rules,
    type_shares,
)
from spatialkz.datasets import data_path, read_table
from spatialkz.errors import InputError, RegionError

RULES = DistrictRules(
    (
        DistrictRule("hub", "large", {"city": 1, "digital": 2}),
        DistrictRule("cluster", "with science", {"chips": 1, "science": 1}),
        DistrictRule("cluster", "with a park", {"chips": 1, "parks": 1}),
        DistrictRule("town", "small", {"digital": 1}),
    ),
    none="nothing",
    fixed=("city",),
)
EVIDENCE = pd.DataFrame(
    {
        "city": [1, 0, 1, 0, 0],
        "digital": [2, 2, 1, 0, 0],
        "chips": [1, 0, 1, 1, 0],
        "science": [0, 1, 0, 0, 0],
        "parks": [1, 0, 0, 1, 0],
    },
    index=["metropolis", "campus", "capital", "works", "steppe"],
)


@pytest.fixture(scope="module")
def places(study):
    """Cities of republican significance, and zones and technoparks together."""
    sites = read_table("kazakhstan-2022/sites")
    zones = sites[sites["kind"].str.contains("SEZ")].assign(kind="growth_points")
    parks = read_table("kazakhstan-2022/technoparks").rename(columns={"technopark": "site"})
    both = pd.concat([zones, parks.assign(kind="growth_points")])
    kinds = study.regions["code"].map(read_table("regions").set_index("code")["kind"])
    return site_counts(both, study.table.regions, by="kind").assign(city=(kinds != "region").astype(int))


@pytest.fixture(scope="module")
def bundled():
    return read_district_rules(data_path("kazakhstan-2022", "district_rules.toml"))


@pytest.fixture(scope="module")
def profile(study, quotients, places):
    return area_profile(quotients, study.sectors, graph=study.graph, places=places)


def test_types_by_hand():
    found = district_types(EVIDENCE, RULES)
    assert found["type"].tolist() == ["hub", "town", "town", "cluster", "nothing"]
    assert found["rule"].tolist() == ["large", "small", "small", "with a park", ""]
    assert found["also"].tolist() == ["cluster; town", "", "", "", ""]


def test_what_is_lacking_is_the_nearest_rule_of_an_earlier_type_within_reach():
    found = district_types(EVIDENCE, RULES)
    # The campus lacks one need of "with science" and two of "with a park"; the hub is out of its reach.
    assert found.loc["campus", ["next_type", "next_rule", "lacks"]].tolist() == [
        "cluster",
        "with science",
        "chips 0 < 1",
    ]
    # One need each: the rule nearest before the one that fired wins.
    assert found.loc["capital", ["next_rule", "lacks"]].tolist() == ["with a park", "parks 0 < 1"]
    # Another rule of the same type is no next type, and the hub is out of reach.
    assert found.loc["works", ["next_type", "next_rule", "lacks"]].tolist() == ["", "", ""]
    assert found.loc["steppe", ["next_type", "lacks"]].tolist() == ["town", "digital 0 < 1"]


def test_adding_what_is_lacking_leads_to_the_next_type(profile, bundled):
    before = district_types(profile, bundled)
    rules = {rule.name: rule for rule in bundled.rules}
    for region, row in before[before["next_type"] != ""].iterrows():
        better = profile.loc[[region]].copy()
        for name, least in rules[row["next_rule"]].needs.items():
            better[name] = np.maximum(better[name], least)
        order = [*bundled.types, bundled.none]
        assert order.index(district_types(better, bundled)["type"].item()) <= order.index(row["next_type"])


def test_shares_over_draws_agree_with_one_table_at_a_time(shuffled):
    rng = np.random.default_rng(5)
    drawn = {name: rng.integers(0, 3, (40, 6)).astype(float) for name in RULES.evidence if name != "city"}
    drawn["city"] = np.array([1.0, 0, 1, 0, 1, 0])
    regions = list("abcdef")
    shares = type_shares(drawn, RULES, regions)
    one_by_one = [
        district_types(
            pd.DataFrame({k: np.broadcast_to(v, (40, 6))[d] for k, v in drawn.items()}, index=regions), RULES
        )["type"]
        for d in range(40)
    ]
    counted = pd.concat(one_by_one, axis=1).apply(lambda row: row.value_counts(normalize=True), axis=1)
    pd.testing.assert_frame_equal(
        shares, counted.reindex(columns=shares.columns).fillna(0), check_names=False, check_exact=False
    )
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    pd.testing.assert_frame_equal(
        district_types(shuffled(EVIDENCE), RULES).loc[EVIDENCE.index], district_types(EVIDENCE, RULES)
    )


def test_more_evidence_never_loses_a_region_its_type(profile, bundled):
    order = [*bundled.types, bundled.none]
    before = district_types(profile, bundled)["type"].map(order.index)
    for name in bundled.evidence:
        after = district_types(profile.assign(**{name: profile[name] + 1}), bundled)["type"].map(order.index)
        assert (after <= before).all()


def test_the_profile_counts_what_table_1_shows(profile, quotients):
    assert profile["breadth_all"].to_dict() == (quotients >= 1).sum(axis=1).to_dict()
    np.testing.assert_array_equal(
        profile["breadth_all"], profile["breadth_industry"] + profile["breadth_services"]
    )
    # Almaty City: all but chemicals; Nur-Sultan: electronics, engineering, all digital sectors, research.
    kinds = ["knowledge", "digital", "high_tech", "medium_tech", "growth_points"]
    assert profile.loc["Almaty City", kinds].tolist() == [2, 3, 2, 3, 3]
    assert profile.loc["Nur-Sultan", kinds].tolist() == [1, 3, 1, 1, 4]
    # Akmola surrounds Nur-Sultan.
    assert profile.loc["Akmola", ["digital", "digital_near", "city_near"]].tolist() == [0, 3, 1]
    assert profile.loc["Nur-Sultan", "digital_near"] == 0


def test_near_is_the_largest_of_the_neighbors(study, profile):
    for region in profile.index:
        neighbors = study.graph[region].index
        assert profile.loc[region, "medium_tech_near"] == profile.loc[neighbors, "medium_tech"].max()


def test_types_of_the_bundled_regions_hold_under_rounding(study, quotients, places, bundled, profile):
    found = district_types(profile, bundled)
    hubs = found.index[found["type"] == "digital hub"]
    assert set(hubs) == {"Nur-Sultan", "Almaty City"}
    low, high = (table.to_numpy() for table in study.table.interval())
    draws = low + (high - low) * np.random.default_rng(1).random((500, *low.shape))
    drawn = drawn_profile(draws, quotients.index, study.sectors, graph=study.graph, places=places)
    shares = type_shares(drawn, bundled, quotients.index)
    # No printed quotient is within 0.005 of 1, so rounding moves no type.
    assert np.abs(quotients.to_numpy() - 1).min() > 0.005
    assert shares.idxmax(axis=1).tolist() == found["type"].tolist()
    assert shares.max(axis=1).min() == 1
    assert all(values.shape == (500, 17) for values in drawn.values())


def test_a_share_moves_where_a_quotient_straddles_the_threshold():
    graph = Graph.from_adjacency(pd.DataFrame({"focal": ["a", "b"], "neighbor": ["b", "a"], "weight": 1}))
    kinds = pd.DataFrame({"role": ["digital"]}, index=["code"])
    draws = np.linspace(0.5, 1.5, 100)[:, None, None] * np.array([[[1.0], [0.1]]])
    drawn = drawn_profile(draws, pd.Index(["a", "b"]), kinds, graph=graph)
    rules = DistrictRules((DistrictRule("town", "here", {"digital": 1}),))
    assert type_shares(drawn, rules, ["a", "b"])["town"].tolist() == [0.5, 0]
    nearby = DistrictRules((DistrictRule("town", "there", {"digital_near": 1}),))
    assert type_shares(drawn, nearby, ["a", "b"])["town"].tolist() == [0, 0.5]


def test_evidence_that_is_not_known_is_absent_and_rules_say_so(quotients, study, bundled):
    bare = area_profile(quotients, study.sectors[["group"]])
    assert list(bare) == ["breadth_all", "breadth_industry", "breadth_services"]
    with pytest.raises(
        InputError, match=r"'hub' needs the evidence city, digital, knowledge, which does not"
    ):
        district_types(bare, bundled)
    with pytest.raises(InputError, match="needs the evidence"):
        type_shares({"digital": np.ones((2, 3))}, bundled, list("abc"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[rule]]\ntype = 'hub'\nname = 'x'", r"\[rule, item 1\] must name its needs"),
        ("[[rule]]\ntype = 'hub'\nname = 'x'\nneeds = 3", r"\[rule, item 1\] needs is 3; expected a section"),
        (
            "[[rule]]\ntype = 'hub'\nname = 'x'\nneeds = { a = 1 }\nat = 2",
            r"unknown key at in \[rule, item 1\]",
        ),
        ("[[rule]]\ntype = 'hub'\nname = 'x'\nneeds = { a = 'many' }", "a is 'many'; expected a number"),
        ("[[rule]]\ntype = 'hub'\nname = 'x'\nneeds = {}", "must need some evidence"),
        ("[[rule]]\ntype = 'none'\nname = 'x'\nneeds = { a = 1 }", "the name for no district"),
        (
            "[[rule]]\ntype = 'p'\nname = 'x'\nneeds = { a = 1 }\n" * 2,
            "these repeat: x",
        ),
        ("fixed = ['b']\n[[rule]]\ntype = 'hub'\nname = 'x'\nneeds = { a = 1 }", "fixed names b"),
        ("rules = 1", "unknown key rules at the top; perhaps rule"),
        ("none = ", "not valid TOML"),
        ("", r"\[rule\] is lacking"),
    ],
)
def test_bad_rules_are_refused(tmp_path, text, message):
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_district_rules(path)


def test_bad_evidence_is_refused(quotients, study, places):
    with pytest.raises(InputError, match=r"There is no file nowhere.toml"):
        read_district_rules("nowhere.toml")
    with pytest.raises(InputError, match="campus × chips is nan"):
        district_types(EVIDENCE.astype(float).replace({"chips": {0: np.nan}}), RULES)
    with pytest.raises(InputError, match="expected was"):
        type_shares({name: np.ones((2, 3)) for name in RULES.evidence}, RULES, list("ab"))
    with pytest.raises(InputError, match="must be finite"):
        type_shares({name: np.full((2, 2), np.nan) for name in RULES.evidence}, RULES, list("ab"))
    with pytest.raises(InputError, match="list of sectors lacks research"):
        area_profile(quotients, study.sectors.drop("research"))
    with pytest.raises(InputError, match="already give"):
        area_profile(quotients, study.sectors, places=places.rename(columns={"city": "digital"}))
    with pytest.raises(RegionError, match="places lacks Shymkent"):
        area_profile(quotients, study.sectors, places=places.drop("Shymkent"))
    with pytest.raises(InputError, match="threshold is 0"):
        area_profile(quotients, study.sectors, threshold=0)
    with pytest.raises(RegionError, match="Sites lie in Atlantis"):
        site_counts(
            pd.DataFrame({"site": ["x"], "kind": ["zone"], "region": ["Atlantis"]}),
            quotients.index,
            by="kind",
        )
