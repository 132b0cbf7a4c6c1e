import json
from itertools import product
from math import factorial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spatialkz.errors import InputError, RegionError
from spatialkz.specialization.indices.concentration import concentration, theil_decomposition
from spatialkz.specialization.indices.dartboard import TESTABLE, concentration_test
from spatialkz.specialization.indices.regional import regional_specialization
from spatialkz.specialization.quotients import location_quotient

REFERENCE = Path(__file__).parent.parent / "reference" / "concentration"
RELATIVE = ["hoover", "krugman", "locational_gini", "krugman_gini", "gini_of_quotients", "theil_t", "theil_l"]
PARTITION = pd.Series(list("AAABBCCCC"), index=[f"R{i}" for i in range(1, 10)])


def reference(name):
    return pd.read_csv(REFERENCE / f"{name}.csv", index_col=0)


def random_table():
    table = reference("table")
    return table.drop(columns="population"), table["population"]


# -- numbers of others -----------------------------------------------------


def test_printed_value_of_reat():
    """Help page of gini.conc in REAT 3.0.3 (example of Farhauer & Kröll)."""
    jobs = pd.DataFrame({"i": [500, 500, 1000, 7000, 1000]}, index=list("abcde"))
    base = pd.Series([20000, 15000, 20000, 40000, 5000], index=list("abcde"))
    assert concentration(jobs, base).loc["i", "gini_of_quotients"] == pytest.approx(0.4068966, abs=5e-8)


@pytest.mark.parametrize(
    ("column", "base", "theirs", "factor", "tolerance"),
    [
        ("gini_of_quotients", "population", "reat_gini_conc_pop", 1, 1e-11),
        ("gini_of_quotients", "rows", "reat_gini_conc_rowsums", 1, 1e-11),
        ("gini_of_quotients", "population", "pysal_gini_of_quotients_pop", 1, 1e-11),
        ("gini_of_quotients", "even", "reat_gini_unweighted", 1, 1e-11),
        ("locational_gini", "even", "econcomplex_gini", 1, 1e-11),
        ("locational_gini", "population", "reat_gini_weighted_sorted", 1, 1e-11),
        ("locational_gini", "population", "econcomplex_hoover_gini_pop", 1, 1e-11),
        ("locational_gini", "population", "econgeo_hoover_gini_pop", 1, 5e-4),
        ("krugman_gini", "rows", "econgeo_locational_gini", 1, 1e-11),
        ("krugman_gini", "rows", "econcomplex_locational_gini", 1, 1e-11),
        ("hoover", "population", "reat_hoover_pop", 1, 1e-11),
        ("hoover", "population", "econgeo_hoover_index_pop", 100, 5e-3),
        ("hoover", "population", "econcomplex_hoover_index_pop", 100, 1e-9),
        ("krugman", "population", "reat_krugman_conc_pop", 1, 1e-11),
        ("herfindahl", "rows", "reat_herf", 1, 1e-11),
        ("herfindahl_normalized", "rows", "reat_herf_norm", 1, 1e-11),
        ("theil_t", "even", "pysal_theil", 1, 1e-11),
        ("theil_l", "even", "reat_theil", 1, 1e-11),
    ],
)
def test_sectors_against_other_packages(column, base, theirs, factor, tolerance):
    values, population = random_table()
    base = {"population": population, "rows": None, "even": pd.Series(1, index=values.index)}[base]
    ours = concentration(values, base, contained=False)[column] * factor
    np.testing.assert_allclose(ours, reference("sectors")[theirs], atol=tolerance, rtol=0)


@pytest.mark.parametrize(
    ("column", "theirs", "factor", "tolerance"),
    [
        ("krugman", "reat_krugman_spec", 1, 1e-11),
        ("krugman", "econgeo_krugman", 1, 1e-11),
        ("krugman", "econcomplex_krugman", 1, 1e-11),
        ("hoover", "econgeo_spec_coeff", 1, 1e-11),
        ("hoover", "econcomplex_spec", 1, 1e-11),
        ("hachman", "econgeo_hachman", 1, 1e-11),
        ("hachman", "econcomplex_hachman", 1, 1e-11),
        ("gini_of_quotients", "reat_gini_spec", 1, 1e-11),
        ("herfindahl", "reat_herf", 1, 1e-11),
        ("herfindahl", "econgeo_herfindahl", 1, 1e-11),
        ("herfindahl_normalized", "reat_herf_norm", 1, 1e-11),
        ("herfindahl_normalized", "econcomplex_herfindahl_norm", 1, 1e-11),
        ("entropy", "econcomplex_entropy_bits", 1 / np.log(2), 1e-11),
        ("entropy", "econgeo_entropy", 1 / np.log(2), 5e-4),
    ],
)
def test_regions_against_other_packages(column, theirs, factor, tolerance):
    ours = regional_specialization(random_table()[0])[column] * factor
    np.testing.assert_allclose(ours, reference("regions")[theirs], atol=tolerance, rtol=0)


def test_decomposition_against_pysal():
    values, _ = random_table()
    parts = theil_decomposition(values, PARTITION, pd.Series(1, index=values.index), contained=False)
    for part in ("", "_between", "_within"):
        np.testing.assert_allclose(
            parts[f"theil_t{part}"], reference("sectors")[f"pysal_theil{part}"], atol=1e-11
        )


def test_where_definitions_differ_they_do():
    """The page of the method says so with these numbers."""
    theirs = reference("sectors").loc["S1"]
    assert theirs["reat_krugman_conc2"] == pytest.approx(1.2029, abs=5e-5)  # against the other sectors' mean
    assert theirs["reat_gini_weighted_pop"] == pytest.approx(0.6256, abs=5e-5)  # weights left unsorted
    assert theirs["reat_gini_weighted_sorted"] == pytest.approx(0.7206, abs=5e-5)
    values, population = random_table()
    ours = concentration(values, population).loc["S1"]
    assert ours["krugman"] == pytest.approx(1.2875, abs=5e-5)
    assert ours["locational_gini"] == pytest.approx(0.7206, abs=5e-5)
    assert ours["gini_of_quotients"] == pytest.approx(0.6152, abs=5e-5)
    assert reference("regions").loc["R1", "reat_krugman_spec2"] == pytest.approx(0.8457, abs=5e-5)
    assert regional_specialization(values).loc["R1", "krugman"] == pytest.approx(0.8683, abs=5e-5)


# -- properties ------------------------------------------------------------

cells = st.floats(0.01, 1e5)
tables = arrays(float, (6, 3), elements=cells).map(
    lambda a: pd.DataFrame(a, index=list("abcdef"), columns=["x", "y", "z"])
)
bases = arrays(float, 6, elements=cells).map(lambda a: pd.Series(a, index=list("abcdef")))


def same(left, right):
    pd.testing.assert_frame_equal(left, right, rtol=1e-7, atol=1e-9)


@settings(deadline=None)
@given(tables, bases, st.floats(0.001, 1000), st.permutations(list("abcdef")))
def test_units_of_measurement_and_order_do_not_matter(values, base, unit, order):
    found = concentration(values, base, contained=False)
    same(concentration(values * unit, base / unit, contained=False), found)
    same(concentration(values.loc[order], base, contained=False), found)
    same(concentration(values[["z", "x", "y"]], base, contained=False).loc[["x", "y", "z"]], found)
    same(concentration(values[["y"]], base, contained=False), found.loc[["y"]])
    regions = regional_specialization(values)
    same(regional_specialization(values.loc[order] * unit).loc[regions.index], regions)
    same(regional_specialization(values[["z", "x", "y"]]), regions)


@settings(deadline=None)
@given(tables, bases)
def test_bounds(values, base):
    found = concentration(values, base, contained=False)
    smallest = (base / base.sum()).min()
    for name, low, high in [
        ("hoover", 0, 1 - smallest),
        ("krugman", 0, 2 * (1 - smallest)),
        ("locational_gini", 0, 1 - smallest),
        ("krugman_gini", 0, (1 - smallest) / 2),
        ("gini_of_quotients", 0, 5 / 6),
        ("theil_t", 0, -np.log(smallest)),
        ("theil_l", 0, np.inf),
        ("mori_nishikimi_smith", 0, -np.log(smallest)),
        ("herfindahl", 1 / 6, 1),
        ("herfindahl_normalized", 0, 1),
        ("entropy", 0, np.log(6)),
    ]:
        assert found[name].between(low - 1e-9, high + 1e-9).all(), name
    # A triangle as high as Hoover's index fits between the diagonal and the curve.
    assert (found["hoover"] <= found["locational_gini"] + 1e-9).all()
    # Pinsker's inequality.
    assert (found["theil_t"] >= found["krugman"] ** 2 / 2 - 1e-9).all()
    regions = regional_specialization(values)
    shares = values.sum() / values.sum().sum()
    assert regions["hachman"].between(shares.min() - 1e-9, 1 + 1e-9).all()
    assert regions["krugman"].between(0, 2 * (1 - shares.min()) + 1e-9).all()
    assert regions["herfindahl"].between(1 / 3 - 1e-9, 1 + 1e-9).all()


@settings(deadline=None)
@given(bases, st.floats(0.01, 100))
def test_zero_at_proportionality(base, factor):
    found = concentration(pd.DataFrame({"x": base * factor}), base, contained=False)
    np.testing.assert_allclose(found[RELATIVE], 0, atol=1e-9)
    mixes = regional_specialization(pd.DataFrame({"x": base, "y": 2 * base, "z": base * factor}))
    np.testing.assert_allclose(mixes[["krugman", "hoover", "gini_of_quotients", "theil"]], 0, atol=1e-9)
    np.testing.assert_allclose(mixes["hachman"], 1, atol=1e-9)


@settings(deadline=None)
@given(bases, st.sampled_from("abcdef"))
def test_largest_at_full_concentration(base, region):
    values = pd.DataFrame({"x": 0.0}, index=base.index)
    values.loc[region] = 7
    found = concentration(values, base, contained=False).loc["x"]
    share = base[region] / base.sum()
    expected = {
        "hoover": 1 - share,
        "krugman": 2 * (1 - share),
        "locational_gini": 1 - share,
        "krugman_gini": (1 - share) / 2,
        "gini_of_quotients": 5 / 6,
        "theil_t": -np.log(share),
        "mori_nishikimi_smith": -np.log(share),
        "theil_l": np.inf,
        "herfindahl": 1,
        "herfindahl_normalized": 1,
        "entropy": 0,
        "empty_regions": 5,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-9), name


@settings(deadline=None)
@given(tables, bases, st.floats(0.01, 0.99))
def test_principle_of_transfers(values, base, part):
    """Activity moved from a higher quotient to a lower, not past each other, lowers the indices."""
    values = values[["x"]]
    quotients = location_quotient(values, base, contained=False)["x"]
    rich, poor = quotients.idxmax(), quotients.idxmin()
    assume(quotients[rich] > quotients[poor] * 1.01)
    # The amount that would make both quotients equal.
    x, b = values["x"], base
    level = (x[rich] + x[poor]) / (b[rich] + b[poor])
    moved = values.copy()
    moved.loc[rich, "x"] -= part * (x[rich] - level * b[rich])
    moved.loc[poor, "x"] += part * (x[rich] - level * b[rich])
    before = concentration(values, base, contained=False).loc["x"]
    after = concentration(moved, base, contained=False).loc["x"]
    for name in ("locational_gini", "theil_t", "theil_l"):
        assert after[name] <= before[name] + 1e-9, name
    # Hoover satisfies it weakly only.
    assert after["hoover"] <= before["hoover"] + 1e-9


@settings(deadline=None)
@given(tables, bases, st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_decomposition_adds_up(values, base, groups):
    assume(len(set(groups)) > 1)
    parts = theil_decomposition(values, pd.Series(groups, index=values.index), base, contained=False)
    whole = concentration(values, base, contained=False)
    for name in ("theil_t", "theil_l"):
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-9)
        np.testing.assert_allclose(
            parts[f"{name}_between"] + parts[f"{name}_within"], parts[name], rtol=1e-7, atol=1e-9
        )
    assert (parts >= 0).all(axis=None)


@settings(deadline=None)
@given(tables, bases)
def test_decomposition_at_its_ends(values, base):
    each_its_own = theil_decomposition(values, pd.Series(values.index, values.index), base, contained=False)
    np.testing.assert_allclose(each_its_own[["theil_t_within", "theil_l_within"]], 0, atol=1e-9)
    two = pd.Series(list("uuuvvv"), index=values.index)
    halves = theil_decomposition(values, two, base, contained=False)
    summed = concentration(values.groupby(two).sum(), base.groupby(two).sum(), contained=False)
    np.testing.assert_allclose(halves["theil_t_between"], summed["theil_t"], atol=1e-9)
    np.testing.assert_allclose(halves["theil_l_between"], summed["theil_l"], atol=1e-9)


# -- zeros, bases, areas ---------------------------------------------------


def test_an_empty_region_makes_theil_l_infinite_and_is_counted():
    values = pd.DataFrame({"x": [1, 2, 0, 0], "y": [1, 1, 1, 0], "z": [1, 1, 1, 1]}, index=list("abcd"))
    base = pd.Series([4, 3, 2, 1], index=list("abcd"))
    found = concentration(values, base)
    assert found["empty_regions"].tolist() == [2, 1, 0]
    assert np.isinf(found["theil_l"]).tolist() == [True, True, False]
    assert np.isfinite(found.drop(columns="theil_l")).all(axis=None)
    parts = theil_decomposition(values, pd.Series(list("uuvv"), index=list("abcd")), base)
    assert np.isinf(parts["theil_l_between"]).tolist() == [True, False, False]  # x is nowhere in v
    assert np.isinf(parts["theil_l_within"]).tolist() == [False, True, False]
    assert not parts.isna().any(axis=None)
    np.testing.assert_array_equal(parts["theil_l"], found["theil_l"])


def test_each_sector_has_the_base_of_its_group():
    values = pd.DataFrame({"steel": [3, 1], "cars": [1, 1], "law": [1, 3], "it": [2, 2]}, index=["N", "S"])
    groups = pd.Series({"steel": "industry", "cars": "industry", "law": "services", "it": "services"})
    found = concentration(values, groups=groups)
    assert found.loc["steel", "hoover"] == pytest.approx(abs(3 / 4 - 4 / 6))
    assert found.loc["law", "hoover"] == pytest.approx(abs(1 / 4 - 3 / 8))
    pd.testing.assert_frame_equal(found.loc[["law", "it"]], concentration(values[["law", "it"]]))


def test_the_divergence_takes_areas():
    values, population = random_table()
    area = pd.Series(np.arange(1, 10), index=values.index)
    by_area = concentration(values, population, area=area[::-1])
    pd.testing.assert_series_equal(
        by_area["mori_nishikimi_smith"],
        concentration(values, area, contained=False)["theil_t"],
        check_names=False,
    )
    without = concentration(values, population)
    pd.testing.assert_series_equal(without["mori_nishikimi_smith"], without["theil_t"], check_names=False)


def test_a_region_against_a_larger_economy():
    one = pd.DataFrame({"a": [3.0], "b": [1.0]}, index=["here"])
    found = regional_specialization(one, pd.Series({"b": 50.0, "a": 50.0})).loc["here"]
    assert found["krugman"] == pytest.approx(0.5)
    assert found["hachman"] == pytest.approx(1 / (0.75 * 1.5 + 0.25 * 0.5))


def test_bad_input_is_refused_by_name():
    values, population = random_table()
    with pytest.raises(InputError, match="none in S2"):
        concentration(values.assign(S2=0))
    with pytest.raises(InputError, match="zero in R4"):
        concentration(values, population.where(population.index != "R4", 0))
    with pytest.raises(InputError, match="R1 × S1 is -1"):
        concentration(values.assign(S1=values["S1"].where(values.index != "R1", -1)))
    with pytest.raises(InputError, match="R1 × S1 is nan"):
        concentration(values.assign(S1=values["S1"].where(values.index != "R1")))
    with pytest.raises(InputError, match="1 regions"):
        concentration(values.iloc[:1])
    with pytest.raises(InputError, match="group of one sector: S1"):
        concentration(values[["S1"]])
    with pytest.raises(InputError, match="no entry for S3"):
        concentration(values, groups=pd.Series("g", index=["S1", "S2", "S4", "S5", "S6"]))
    with pytest.raises(InputError, match="cannot be smaller"):
        concentration(values, population / 100)
    with pytest.raises(RegionError, match="base lacks R9"):
        concentration(values, population.iloc[:-1])
    with pytest.raises(RegionError, match="area lacks R1"):
        concentration(values, area=population.iloc[1:])
    with pytest.raises(InputError, match="area must be positive; it is zero in R2"):
        concentration(values, area=population.where(population.index != "R2", 0))
    with pytest.raises(RegionError, match="partition lacks R9"):
        theil_decomposition(values, PARTITION.iloc[:-1])
    with pytest.raises(InputError, match="no group for R2"):
        theil_decomposition(values, PARTITION.where(PARTITION.index != "R2"))
    with pytest.raises(InputError, match="every region into A"):
        theil_decomposition(values, pd.Series("A", index=values.index))


def test_bad_mixes_are_refused_by_name():
    values, _ = random_table()
    with pytest.raises(InputError, match="two sectors; there is only S1"):
        regional_specialization(values[["S1"]])
    with pytest.raises(InputError, match="1 regions"):
        regional_specialization(values.iloc[:1])
    with pytest.raises(InputError, match="none in R3"):
        regional_specialization(values.mul(values.index != "R3", axis=0))
    with pytest.raises(InputError, match="reference has no S2"):
        regional_specialization(values.assign(S2=0))
    with pytest.raises(InputError, match="lacks S6 and has S7"):
        regional_specialization(values, values.sum().rename({"S6": "S7"}))


# -- the dartboard ---------------------------------------------------------


def test_expected_values_and_p_values_agree_with_the_enumerated_null():
    base = pd.Series({"a": 50, "b": 30, "c": 20})
    counts = pd.DataFrame({"x": [1, 0, 4]}, index=list("abc"))
    outcomes = [o for o in product(range(6), repeat=3) if sum(o) == 5]
    weights = [
        factorial(5) * np.prod([p**k / factorial(k) for p, k in zip([0.5, 0.3, 0.2], o, strict=True)])
        for o in outcomes
    ]
    every = concentration(pd.DataFrame(outcomes, columns=list("abc")).T, base, contained=False)
    test = concentration_test(counts, base, index=TESTABLE, permutations=20000, rng=1).to_frame().loc["x"]
    observed = concentration(counts, base).loc["x"]
    for name in TESTABLE:
        exact = np.average(every[name], weights=weights)
        tail = (
            every[name] <= observed[name] + 1e-9
            if name == "entropy"
            else every[name] >= observed[name] - 1e-9
        )
        row = test.loc[name]
        assert row["statistic"] == pytest.approx(observed[name])
        assert row["expected"] == pytest.approx(exact, abs=4 * row["standard_deviation"] / np.sqrt(20000))
        assert row["p_value"] == pytest.approx(np.dot(tail, weights), abs=4 * np.sqrt(0.25 / 20000))


def test_known_moments():
    """The mean Herfindahl index is exact; 2N times Theil's T tends to χ² with n − 1 degrees of freedom."""
    base = pd.Series(np.arange(1, 11), index=range(10))
    counts = pd.DataFrame({"x": np.full(10, 200)})
    test = concentration_test(counts, base, contained=False, permutations=9999, rng=1).to_frame().loc["x"]
    x = base / base.sum()
    assert test.loc["herfindahl", "expected"] == pytest.approx(
        (x**2).sum() + (1 - (x**2).sum()) / 2000, rel=2e-3
    )
    assert test.loc["theil_t", "expected"] == pytest.approx(9 / 4000, rel=0.03)
    assert (test["count"] == 2000).all()


def test_size_of_the_test():
    """Under the null at most 5 % of sectors come out at 5 %, up to 4 standard errors."""
    rng = np.random.default_rng(3)
    base = pd.Series(rng.integers(1, 50, size=17))
    for units in (5, 60):
        drawn = rng.multinomial(units, base / base.sum(), size=400).T
        test = concentration_test(pd.DataFrame(drawn), base, contained=False, permutations=199, rng=5)
        rejected = (test.to_frame()["p_value"] <= 0.05).groupby(level="index").mean()
        assert (rejected <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)).all()


def test_results_depend_on_the_seed_alone():
    values, population = random_table()
    test = concentration_test(values, population, permutations=199, rng=7).to_frame()
    again = concentration_test(values[::-1], population, permutations=199, rng=7).to_frame()
    pd.testing.assert_frame_equal(test, again)
    alone = concentration_test(values[["S3"]], population, permutations=199, rng=7).to_frame()
    pd.testing.assert_frame_equal(
        test.loc[["S3"]].drop(columns="p_adjusted"), alone.drop(columns="p_adjusted")
    )
    other = concentration_test(values, population, permutations=199, rng=8).to_frame()
    assert not np.allclose(test["expected"], other["expected"])


def test_alternatives_point_towards_concentration():
    even = pd.DataFrame({"x": [25] * 4, "y": [97, 1, 1, 1]}, index=list("abcd"))
    base = pd.Series(100, index=list("abcd"))
    p = {
        side: concentration_test(even, base, alternative=side, permutations=999, rng=1).to_frame()["p_value"]
        for side in ("greater", "less", "two-sided")
    }
    assert (p["greater"]["y"] == 1 / 1000).all()
    assert (p["two-sided"]["y"] == 2 / 1000).all()
    assert (p["less"]["y"] == 1).all()
    assert (p["greater"]["x"] == 1).all()
    assert (p["less"]["x"] < 0.05).all()


def test_the_result_is_frozen_and_says_what_it_is():
    values, population = random_table()
    test = concentration_test(values, population, index=["hoover", "theil_t"], permutations=99, rng=1)
    assert test.to_frame().index.names == ["sector", "index"]
    assert list(test.to_frame()) == (
        "statistic expected standard_deviation low high p_value p_adjusted count".split()
    )
    assert (test.to_frame()["p_adjusted"] >= test.to_frame()["p_value"]).all()
    with pytest.raises(ValueError, match="read-only"):
        test.table["p_value"].to_numpy()[0] = 0
    assert json.loads(json.dumps(test.to_dict()))["tests"][0]["sector"] == "S1"
    assert "independently" in test.summary()
    assert "99 simulations" in test.summary()


def test_what_cannot_be_thrown_is_refused():
    values, population = random_table()
    with pytest.raises(InputError, match=r"fractions in R1 × S1 \(2.5\)"):
        concentration_test(values.assign(S1=[2.5, *[1] * 8]), population)
    with pytest.raises(InputError, match="index is theil_l"):
        concentration_test(values, population, index="theil_l")
    with pytest.raises(InputError, match="index is empty"):
        concentration_test(values, population, index=[])
    with pytest.raises(InputError, match="permutations is 9"):
        concentration_test(values, population, permutations=9)
    with pytest.raises(InputError, match="alternative is 'both'"):
        concentration_test(values, population, alternative="both")
