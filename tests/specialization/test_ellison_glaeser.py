from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spatialkz.errors import InputError, RegionError
from spatialkz.specialization.indices.dartboard import concentration_test
from spatialkz.specialization.indices.ellison_glaeser import ellison_glaeser, ellison_glaeser_test

REFERENCE = Path(__file__).parent.parent / "reference" / "concentration"

AUSTRIA = pd.DataFrame(
    {
        "region": ["Wien"] * 5 + ["Linz"] * 4 + ["Graz"],
        "sector": "machines",
        "size": [200, 650, 12000, 100, 50, 16000, 13000, 1500, 1500, 25000],
    }
)
AUSTRIAN_BASE = pd.Series({"Wien": 500000, "Linz": 400000, "Graz": 100000})


def random_plants():
    population = pd.read_csv(REFERENCE / "table.csv", index_col=0)["population"]
    return pd.read_csv(REFERENCE / "plants.csv"), population


def test_printed_values_of_reat():
    """Help page of ellison.a in REAT 3.0.3 (example of Farhauer & Kröll); G, H and z from running it."""
    row = ellison_glaeser_test(AUSTRIA, AUSTRIAN_BASE, permutations=99, rng=1).to_frame().loc["machines"]
    assert row["gamma"] == pytest.approx(0.05990628, abs=5e-9)
    assert row["statistic"] == pytest.approx(0.16816327, abs=5e-9)
    assert row["plant_herfindahl"] == pytest.approx(0.24468878, abs=5e-9)
    assert row["z"] == pytest.approx(0.19590020, abs=5e-9)
    assert row["count"] == 10


def test_random_plants_against_reat():
    plants, population = random_plants()
    ours = ellison_glaeser_test(plants, population, permutations=99, rng=1).to_frame()
    theirs = pd.read_csv(REFERENCE / "ellison_glaeser.csv", index_col=0)
    for column, name in {"gamma": "gamma", "statistic": "G", "z": "z", "plant_herfindahl": "H"}.items():
        np.testing.assert_allclose(ours[column], theirs[name], atol=1e-10)


def test_given_h_is_the_same_as_given_plants():
    plants, population = random_plants()
    test = ellison_glaeser_test(plants, population, permutations=99, rng=1).to_frame()
    values = plants.pivot_table(index="region", columns="sector", values="size", aggfunc="sum", fill_value=0)
    found = ellison_glaeser(
        values.reindex(population.index, fill_value=0), test["plant_herfindahl"], population
    )
    for column in ("gamma", "maurel_sedillot", "expected"):
        np.testing.assert_allclose(found[column], test[column], atol=1e-12)


def test_moments_and_tail_over_all_throws_of_a_few_plants():
    """γ and the index of Maurel & Sédillot are 0 on average, var G is as the formula, p is the exact tail."""
    sizes = np.array([5, 3, 2, 1])
    base = pd.Series({"a": 5, "b": 3, "c": 2})
    x = (base / base.sum()).to_numpy()
    throws = list(product(range(3), repeat=4))
    weights = np.array([x[list(t)].prod() for t in throws])
    values = pd.DataFrame([np.bincount(t, sizes, minlength=3) for t in throws], columns=base.index).T
    h = ((sizes / sizes.sum()) ** 2).sum()
    every = ellison_glaeser(values, pd.Series(h, index=values.columns), base, contained=False)
    assert np.dot(weights, every["gamma"]) == pytest.approx(0, abs=1e-12)
    assert np.dot(weights, every["maurel_sedillot"]) == pytest.approx(0, abs=1e-12)
    raw = every["raw_concentration"]
    variance = np.dot(weights, (raw - np.dot(weights, raw)) ** 2)
    plants = pd.DataFrame({"region": list("acca"), "sector": "x", "size": sizes})
    row = ellison_glaeser_test(plants, base, contained=False, permutations=20000, rng=1).to_frame().loc["x"]
    assert row["standard_deviation"] ** 2 == pytest.approx(variance, rel=1e-9)
    assert row["expected"] == pytest.approx(np.dot(weights, raw), rel=1e-9)
    tail = np.dot(weights, raw >= row["statistic"] - 1e-12)
    assert row["p_value"] == pytest.approx(tail, abs=4 * np.sqrt(tail * (1 - tail) / 20000))


def test_plants_that_choose_as_one_have_one_on_average():
    base = pd.Series({"a": 5.0, "b": 3, "c": 2})
    together = pd.DataFrame(np.eye(3), index=base.index, columns=base.index)
    found = ellison_glaeser(together, pd.Series(0.3, index=base.index), base, contained=False)
    assert np.dot(base / base.sum(), found["gamma"]) == pytest.approx(1)
    np.testing.assert_allclose(found["maurel_sedillot"], 1)


def test_jobs_thrown_one_by_one_are_always_concentrated_and_plants_are_not():
    """The page of the method quotes this: 20 plants without any tendency, in 17 equal regions."""
    rng = np.random.default_rng(2)
    plants = pd.DataFrame(
        {
            "region": rng.integers(0, 17, size=200 * 20),
            "sector": np.repeat(np.arange(200), 20),
            "size": np.ceil(rng.lognormal(3, 1, size=200 * 20)),
        }
    )
    base = pd.Series(1, index=range(17))
    jobs = plants.pivot_table(index="region", columns="sector", values="size", aggfunc="sum", fill_value=0)
    thrown = concentration_test(jobs, base, index="theil_t", contained=False, permutations=99, rng=1)
    assert (thrown.to_frame()["p_value"] <= 0.05).mean() > 0.99
    whole = ellison_glaeser_test(plants, base, contained=False, permutations=199, rng=1).to_frame()
    assert (whole["p_value"] <= 0.05).mean() <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 200)
    assert abs(whole["gamma"].mean()) < 4 * whole["gamma"].std() / np.sqrt(200)


def test_results_depend_on_the_seed_alone():
    plants, population = random_plants()
    test = ellison_glaeser_test(plants, population, permutations=199, rng=3).to_frame()
    shuffled = plants.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        ellison_glaeser_test(shuffled, population[::-1], permutations=199, rng=3).to_frame(), test
    )
    one = plants[plants["sector"] == "S2"]
    alone = ellison_glaeser_test(one, population, permutations=199, rng=3).to_frame()
    assert alone.loc["S2", "p_value"] == test.loc["S2", "p_value"]


def test_without_a_base_the_plants_make_it():
    plants, population = random_plants()
    test = ellison_glaeser_test(plants, permutations=99, rng=1).to_frame()
    sums = plants.groupby("region")["size"].sum()
    given = ellison_glaeser_test(plants, sums, permutations=99, rng=1).to_frame()
    pd.testing.assert_frame_equal(test, given)
    groups = pd.Series({"S1": "one", "S2": "one", "S3": "two"})
    bases = pd.DataFrame({"one": population, "two": population[::-1].to_numpy()})
    grouped = ellison_glaeser_test(plants, bases, groups=groups, permutations=99, rng=1).to_frame()
    single = ellison_glaeser_test(plants, population, permutations=99, rng=1).to_frame()
    np.testing.assert_allclose(grouped.loc[["S1", "S2"], "gamma"], single.loc[["S1", "S2"], "gamma"])
    assert grouped.loc["S3", "gamma"] != pytest.approx(single.loc["S3", "gamma"])


def test_columns_may_have_other_names():
    named = AUSTRIA.set_axis(["place", "trade", "jobs"], axis=1)
    test = ellison_glaeser_test(
        named, AUSTRIAN_BASE, region="place", sector="trade", size="jobs", permutations=99, rng=1
    )
    assert test.to_frame().loc["machines", "gamma"] == pytest.approx(0.05990628, abs=5e-9)
    assert test.to_frame().index.name == "sector"


def test_bad_h_is_refused_by_name():
    values = pd.DataFrame({"x": [3, 1], "y": [1, 3]}, index=["N", "S"])
    with pytest.raises(InputError, match="no value for y"):
        ellison_glaeser(values, pd.Series({"x": 0.1}))
    with pytest.raises(InputError, match=r"not so in x \(1\), y \(-0.1\)"):
        ellison_glaeser(values, pd.Series({"x": 1.0, "y": -0.1}))
    with pytest.raises(InputError, match=r"cannot exceed .* x \(0.9 > 0.625\)"):
        ellison_glaeser(values, pd.Series({"x": 0.9, "y": 0.1}))
    with pytest.raises(InputError, match="none in x"):
        ellison_glaeser(values.assign(x=0), pd.Series({"x": 0.1, "y": 0.1}))


def test_bad_plants_are_refused_by_name():
    with pytest.raises(InputError, match="lacks the column size; it has region, sector"):
        ellison_glaeser_test(AUSTRIA.drop(columns="size"), AUSTRIAN_BASE)
    with pytest.raises(InputError, match="these rows lack one: 0, 1"):
        ellison_glaeser_test(AUSTRIA.assign(region=[None, None, *["Wien"] * 8]), AUSTRIAN_BASE)
    with pytest.raises(InputError, match="not in rows 0, 1"):
        ellison_glaeser_test(AUSTRIA.assign(size=[0, np.nan, *[1] * 8]), AUSTRIAN_BASE)
    with pytest.raises(InputError, match="column size holds text"):
        ellison_glaeser_test(AUSTRIA.assign(size="many"), AUSTRIAN_BASE)
    with pytest.raises(InputError, match="leave out rail"):
        ellison_glaeser_test(AUSTRIA.assign(sector=["rail", *["machines"] * 9]), AUSTRIAN_BASE)
    with pytest.raises(RegionError, match="base lacks Graz"):
        ellison_glaeser_test(AUSTRIA, AUSTRIAN_BASE.drop("Graz"))
    with pytest.raises(InputError, match="zero in Graz"):
        ellison_glaeser_test(AUSTRIA, AUSTRIAN_BASE.where(AUSTRIAN_BASE.index != "Graz", 0))
    with pytest.raises(InputError, match="alternative is 'more'"):
        ellison_glaeser_test(AUSTRIA, AUSTRIAN_BASE, alternative="more")
