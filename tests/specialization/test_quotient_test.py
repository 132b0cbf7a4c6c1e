import json
import runpy
from math import comb, exp, log, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from spatialkz.errors import InputError, RegionError
from spatialkz.specialization.counts.inference import quotient_test
from spatialkz.tables import ActivityTable

ROOT = Path(__file__).parent.parent.parent
REFERENCE = pd.read_csv(ROOT / "tests" / "reference" / "quotient_tests" / "values.csv")
EXACT = ("binomial", "hypergeometric")
ALTERNATIVES = ("two-sided", "greater", "less")


def one_cell(count, sector, base, total, method, **choices):
    """The cell of a region, all the rest of the country being the other region."""
    counts = pd.DataFrame({"sector": [count, sector - count]}, index=["region", "rest"])
    bases = pd.Series({"region": base, "rest": total - base})
    return quotient_test(counts, bases, method=method, **choices).to_frame().loc[("region", "sector")]


def every_count(sector, base, total, method, **choices):
    """The method's result for each count that the margins allow, a sector for each."""
    counts = np.arange(max(0, base + sector - total), min(base, sector) + 1)
    table = pd.DataFrame([counts, sector - counts], index=["region", "rest"], columns=counts)
    bases = pd.Series({"region": base, "rest": total - base})
    return quotient_test(table, bases, method=method, **choices).to_frame().loc["region"]


def random_table(seed=0, regions=6, sectors=5, mean=8.0):
    rng = np.random.default_rng(seed)
    size = rng.lognormal(0, 1, regions)
    counts = pd.DataFrame(
        rng.poisson(mean * size[:, None] * rng.lognormal(0, 0.5, (regions, sectors)))
        + np.eye(regions, sectors, dtype=int),
        index=[f"r{i}" for i in range(regions)],
        columns=[f"s{j}" for j in range(sectors)],
    )
    base = counts.sum(axis=1) * 4 + 10
    return counts, base


def plants_of(counts, seed=0):
    """Sizes of plants that add up to each sector."""
    rng = np.random.default_rng(seed)
    sizes, sectors = [], []
    for sector, total in counts.sum().items():
        cuts = np.unique(rng.integers(1, total, max(1, total // 4))) if total > 1 else []
        parts = np.diff([0, *cuts, total])
        sizes += parts.tolist()
        sectors += [sector] * len(parts)
    return pd.Series(sizes, index=sectors)


# Against other software


@pytest.mark.parametrize("row", range(len(REFERENCE)))
def test_values_of_r(row):
    cell = REFERENCE.iloc[row]
    margins = [int(cell[name]) for name in ("count", "sector", "base", "total")]
    share = cell["base"] / cell["total"]
    for method in EXACT:
        for alternative, tail in (("greater", "above"), ("less", "below")):
            wanted = max(cell[f"{method}_{tail}"], np.finfo(float).tiny)
            found = one_cell(*margins, method, alternative=alternative)["p_value"]
            # R sums or integrates; 15 digits are kept in the file.
            assert found == pytest.approx(wanted, rel=1e-9)
    found = one_cell(*margins, "binomial")
    assert found["low"] * share == pytest.approx(cell["chance_low"], rel=1e-9)
    assert found["high"] * share == pytest.approx(cell["chance_high"], rel=1e-9)


@pytest.mark.parametrize("row", range(len(REFERENCE)))
def test_odds_ratios_of_r(row):
    """The limits, turned back into odds ratios by the quadratic equation they solve."""
    cell = REFERENCE.iloc[row]
    count, sector, base, total = (int(cell[name]) for name in ("count", "sector", "base", "total"))
    found = one_cell(count, sector, base, total, "hypergeometric")
    for side in ("low", "high"):
        mean = found[side] * base * sector / total
        wanted = cell[f"odds_{side}"]
        if wanted == 0:
            assert mean == max(0, base + sector - total)
        elif np.isinf(wanted):
            assert mean == pytest.approx(min(base, sector), rel=1e-12)
        else:
            odds = mean * (total - base - sector + mean) / ((base - mean) * (sector - mean))
            assert odds == pytest.approx(wanted, rel=1e-7)
            if wanted < 1000:  # fisher.test searches 1/ψ with an absolute tolerance of 1e-4
                assert odds == pytest.approx(cell[f"fisher_{side}"], rel=1e-3)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_clopper_pearson_of_scipy(alternative, confidence):
    found = every_count(12, 30, 100, "binomial", alternative=alternative, confidence=confidence)
    for count, row in found.iterrows():
        test = stats.binomtest(count, 12, 0.3, alternative=alternative)
        interval = test.proportion_ci(confidence, "exact")
        assert row["low"] * 0.3 == pytest.approx(interval.low, rel=1e-12)
        assert row["high"] * 0.3 == pytest.approx(interval.high, rel=1e-12)
        if alternative != "two-sided":
            assert row["p_value"] == pytest.approx(test.pvalue, rel=1e-12)


@pytest.mark.parametrize("alternative", ["greater", "less"])
def test_one_sided_fisher_of_scipy(alternative):
    for count, row in every_count(9, 20, 50, "hypergeometric", alternative=alternative).iterrows():
        table = [[count, 9 - count], [20 - count, 50 - 20 - 9 + count]]
        assert row["p_value"] == pytest.approx(stats.fisher_exact(table, alternative).pvalue, rel=1e-12)


def test_hypergeometric_tails_by_whole_numbers():
    sector, base, total = 37, 120, 300
    ways = [comb(base, k) * comb(total - base, sector - k) for k in range(sector + 1)]
    for alternative, sums in (("greater", np.cumsum(ways[::-1])[::-1]), ("less", np.cumsum(ways))):
        found = every_count(sector, base, total, "hypergeometric", alternative=alternative)["p_value"]
        wanted = [int(number) / comb(total, sector) for number in sums]
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_delta_method_by_hand():
    """Derivatives of log(p_1 / p) by p_1 and p_2 written out for two regions."""
    found = one_cell(30, 100, 400, 1000, "delta")
    p1, p2, p = 30 / 400, 70 / 600, 100 / 1000
    by_first, by_second = 1 / p1 - 0.4 / p, -0.6 / p
    variance = by_first**2 * p1 * (1 - p1) / 400 + by_second**2 * p2 * (1 - p2) / 600
    z = log(p1 / p) / sqrt(variance)
    assert found["p_value"] == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-12)
    assert found["low"] == pytest.approx(p1 / p * exp(-1.959963984540054 * sqrt(variance)), rel=1e-12)
    assert found["high"] == pytest.approx(p1 / p * exp(1.959963984540054 * sqrt(variance)), rel=1e-12)


def test_delta_method_is_that_of_shares_when_the_sector_is_small():
    found = one_cell(30, 100, 4_000_000, 10_000_000, "delta")
    wanted = 0.75 * exp(1.959963984540054 * sqrt(1 / 30 - 1 / 100))
    assert found["high"] == pytest.approx(wanted, rel=1e-5)


def test_delta_variance_is_that_of_simulated_counts():
    rng = np.random.default_rng(1)
    bases, chances = np.array([4000, 2500, 9000]), np.array([0.1, 0.3, 0.05])
    drawn = rng.binomial(bases, chances, (200_000, 3))
    logs = np.log(drawn[:, 0] / bases[0] / (drawn.sum(axis=1) / bases.sum()))
    counts = pd.DataFrame({"sector": (bases * chances).astype(int)}, index=list("abc"))
    row = (
        quotient_test(counts, pd.Series(bases, index=list("abc")), method="delta")
        .to_frame()
        .loc[("a", "sector")]
    )
    error = log(row["high"] / row["lq"]) / 1.959963984540054
    assert error == pytest.approx(logs.std(), rel=0.01)


# Size and coverage, by summing over every count


def noncentral(counts, sector, base, total, odds):
    logs = stats.hypergeom.logpmf(counts, total, base, sector) + counts * log(odds)
    weights = np.exp(logs - logs.max())
    return weights / weights.sum()


MARGINS = [(1, 10, 40), (5, 10, 40), (12, 30, 60), (40, 40, 800), (60, 450, 500), (200, 100, 2000)]


@pytest.mark.parametrize(("sector", "base", "total"), MARGINS)
@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("method", EXACT)
def test_exact_tests_never_exceed_their_level(method, sector, base, total, alternative):
    if method == "binomial":  # a base so large that every count up to the sector's total fits
        found = every_count(sector, 1000 * base, 1000 * total, method, alternative=alternative)
        chance = stats.binom.pmf(found.index.to_numpy(), sector, base / total)
    else:
        found = every_count(sector, base, total, method, alternative=alternative)
        chance = stats.hypergeom.pmf(found.index.to_numpy(), total, base, sector)
    assert chance.sum() == pytest.approx(1)
    for level in (0.2, 0.1, 0.05, 0.01, 0.001):
        assert chance[found["p_value"].to_numpy() <= level].sum() <= level * (1 + 1e-9)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_exact_intervals_cover_at_least_as_promised(alternative, confidence):
    sector, base, total = 40, 60, 800
    choices = {"alternative": alternative, "confidence": confidence}
    found = every_count(sector, base, total, "binomial", **choices)
    for quotient in np.linspace(0.05, 13, 40):
        chance = stats.binom.pmf(found.index.to_numpy(), sector, quotient * base / total)
        covered = ((found["low"] <= quotient) & (quotient <= found["high"])).to_numpy()
        assert chance[covered].sum() >= confidence - 1e-9
    found = every_count(sector, base, total, "hypergeometric", **choices)
    for odds in np.geomspace(0.02, 200, 40):
        b = total + (odds - 1) * (base + sector)
        mean = (b - sqrt(b**2 - 4 * odds * (odds - 1) * base * sector)) / (2 * (odds - 1))
        quotient = mean * total / (base * sector)
        chance = noncentral(found.index.to_numpy(), sector, base, total, odds)
        covered = ((found["low"] <= quotient) & (quotient <= found["high"])).to_numpy()
        assert chance[covered].sum() >= confidence - 1e-9


def test_thrown_plants_keep_their_level_where_one_plant_dominates():
    """One plant has half of the jobs; H alone cannot know that, the sizes of the plants can."""
    sizes = np.array([100] + [1] * 100)
    share = 0.02
    chance = np.zeros(201)
    few = stats.binom.pmf(np.arange(101), 100, share)
    chance[:101] += few * (1 - share)
    chance[100:] += few * share
    counts = np.arange(201)[chance > 1e-9]
    table = pd.DataFrame([counts, 200 - counts], index=["region", "rest"], columns=counts)
    base = pd.Series({"region": 200, "rest": 9800})
    rejected = {}
    for name, choices in {
        "H": {"herfindahl": pd.Series(((sizes / 200) ** 2).sum(), index=counts)},
        "plants": {
            "plants": pd.Series(np.tile(sizes, len(counts)), index=np.repeat(counts, len(sizes))),
            "rng": 1,
            "resamples": 3999,
        },
    }.items():
        found = quotient_test(table, base, method="overdispersed", **choices).to_frame().loc["region"]
        rejected[name] = chance[counts][found["p_value"].to_numpy() <= 0.01].sum()
    assert rejected["plants"] <= 0.01
    assert rejected["H"] == pytest.approx(0.02, abs=1e-4)  # what the method page says


def test_the_coverage_page_is_the_one_its_script_makes():
    """The rows that take no time are made again."""
    script = runpy.run_path(str(ROOT / "scripts" / "docs" / "make_coverage_table.py"))
    page = script["PAGE"].read_text(encoding="utf-8")
    assert script["INTRODUCTION"] in page
    for method in ("binomial", "hypergeometric", "delta"):
        for expected in script["EXPECTED"]:
            assert script["coverage_row"](method, expected) in page
            assert script["size_row"](method, expected) in page


# Properties


def choices_of(method, counts):
    if method == "H":
        totals = counts.sum()
        return {"method": "overdispersed", "herfindahl": np.maximum(1 / totals, 0.08)}
    if method == "plants":
        return {"method": "overdispersed", "plants": plants_of(counts), "resamples": 999, "rng": 3}
    return {"method": method, "resamples": 999, "rng": 3}


DUAL = ("binomial", "hypergeometric", "delta", "H", "plants")
ALL = (*DUAL, "parametric-bootstrap", "nonparametric-bootstrap")


@pytest.mark.parametrize("method", DUAL)
@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95])
def test_p_value_and_interval_agree(method, alternative, confidence):
    for seed in range(5):
        counts, base = random_table(seed)
        test = quotient_test(
            counts, base, alternative=alternative, confidence=confidence, **choices_of(method, counts)
        )
        found = test.to_frame()
        outside = (found["low"] > 1) | (found["high"] < 1)
        pd.testing.assert_series_equal(outside, found["p_value"] <= 1 - confidence + 1e-12, check_names=False)


@pytest.mark.parametrize("method", ALL)
def test_the_interval_holds_the_quotient_and_all_is_finite(method):
    counts, base = random_table(4, mean=1.5)
    found = quotient_test(counts, base, **choices_of(method, counts)).to_frame()
    assert list(found.columns) == ["lq", "low", "high", "p_value", "p_adjusted", "expected", "p_min", "note"]
    assert found.index.names == ["region", "sector"]
    assert np.isfinite(found.drop(columns="note").to_numpy()).all()
    assert (found["low"] <= found["lq"] * (1 + 1e-12)).all()
    assert (found["lq"] <= found["high"] * (1 + 1e-12)).all()
    assert (
        found["high"] <= (base.sum() / base)[found.index.get_level_values(0)].to_numpy() * (1 + 1e-12)
    ).all()
    assert found["p_value"].between(0, 1, inclusive="right").all()
    if method != "delta":
        assert (found["p_min"] <= found["p_value"] * (1 + 1e-12)).all()
    assert found.loc[("r0", "s0"), "lq"] == pytest.approx(
        counts.loc["r0", "s0"] / counts["s0"].sum() / (base["r0"] / base.sum())
    )


@pytest.mark.parametrize("method", ALL)
def test_names_and_order_of_rows_and_columns_do_not_matter(method):
    counts, base = random_table(2)
    choices = choices_of(method, counts)
    found = quotient_test(counts, base, **choices).to_frame()
    turned = quotient_test(counts.iloc[::-1, ::-1], base.sample(frac=1, random_state=1), **choices).to_frame()
    assert turned.index[0] == ("r5", "s4")
    pd.testing.assert_frame_equal(turned.loc[found.index], found)
    if method in ("binomial", "hypergeometric", "delta"):
        renamed = quotient_test(
            counts.rename(index=lambda name: name[::-1]),
            base.rename(index=lambda name: name[::-1]),
            method=method,
        )
        np.testing.assert_array_equal(renamed.to_frame()["p_value"], found["p_value"])


@pytest.mark.parametrize("method", [*EXACT, "delta"])
def test_more_jobs_mean_higher_limits_and_smaller_p_values(method):
    found = every_count(30, 40, 200, method, alternative="greater")
    inner = found.iloc[1:-1] if method == "delta" else found
    assert inner["low"].is_monotonic_increasing
    assert inner["p_value"].is_monotonic_decreasing
    found = every_count(30, 40, 200, method, confidence=0.9)
    wide = every_count(30, 40, 200, method, confidence=0.99)
    assert (wide["low"] <= found["low"]).all()
    assert (wide["high"] >= found["high"]).all()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 400), st.integers(1, 400), st.integers(2, 3000), st.floats(0, 1), st.floats(0.5, 0.9999)
)
def test_both_regions_of_a_country_see_the_same(sector, base, more, where, confidence):
    total = max(sector, base) + more
    least, most = max(0, base + sector - total), min(base, sector)
    count = least + round(where * (most - least))
    for method in EXACT:
        here = one_cell(count, sector, base, total, method, confidence=confidence)
        there = one_cell(sector - count, sector, total - base, total, method, confidence=confidence)
        assert here["p_value"] == pytest.approx(there["p_value"], rel=1e-9)
        share = base / total
        for side, other in (("low", "high"), ("high", "low")):
            assert share * here[side] + (1 - share) * there[other] == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("adjust", ["fdr_bh", "fdr_by", "holm", "bonferroni"])
def test_adjustment_is_that_of_statsmodels(adjust):
    counts, base = random_table(5)
    found = quotient_test(counts, base, adjust=adjust).to_frame()
    told = multipletests(found["p_value"], method=adjust)[1]
    np.testing.assert_allclose(found["p_adjusted"], told, rtol=1e-14)


def test_the_smallest_p_value_is_reached_by_an_extreme_count():
    for method in EXACT:
        for alternative in ALTERNATIVES:
            found = every_count(12, 40, 200, method, alternative=alternative)
            np.testing.assert_allclose(found["p_min"], found["p_value"].min(), rtol=1e-9)
    found = one_cell(1, 2, 30, 100, "binomial")
    assert found["p_min"] == pytest.approx(2 * 0.3**2)
    assert found["note"] == "no count could reach p ≤ 0.05"


def test_groups_are_compared_with_their_own_base():
    counts = pd.DataFrame({"steel": [9, 3], "law": [2, 6], "cars": [4, 5]}, index=["N", "S"])
    groups = pd.Series({"steel": "industry", "cars": "industry", "law": "services"})
    base = pd.DataFrame({"industry": [40, 60], "services": [30, 90]}, index=["N", "S"])
    found = quotient_test(counts, base, groups=groups).to_frame()
    assert found.loc[("N", "steel"), "p_value"] == one_cell(9, 12, 40, 100, "binomial")["p_value"]
    assert found.loc[("N", "law"), "p_value"] == one_cell(2, 8, 30, 120, "binomial")["p_value"]
    table = ActivityTable(counts, kind="counts", unit="jobs", groups=groups, base=base)
    pd.testing.assert_frame_equal(quotient_test(table).to_frame(), found)


def test_without_a_base_it_is_the_sum_of_the_row():
    counts, _ = random_table(1)
    pd.testing.assert_frame_equal(
        quotient_test(counts).to_frame(), quotient_test(counts, counts.sum(axis=1)).to_frame()
    )


# Draws


def test_overdispersion_of_plants_of_one_job_is_binomial():
    counts, base = random_table(3)
    totals = counts.sum()
    binomial = quotient_test(counts, base).to_frame()
    found = quotient_test(counts, base, method="overdispersed", herfindahl=1 / totals).to_frame()
    pd.testing.assert_frame_equal(found, binomial)
    plants = pd.Series(1, index=np.repeat(totals.index, totals))
    found = quotient_test(counts, base, method="overdispersed", plants=plants, rng=1).to_frame()
    # Monte-Carlo error of 9,999 resamples, four standard errors
    np.testing.assert_allclose(found["p_value"], binomial["p_value"], atol=4 * 2 * 0.5 / 100)
    np.testing.assert_allclose(found["low"], binomial["low"], rtol=0.1)
    np.testing.assert_allclose(found["high"], binomial["high"], rtol=0.1)


def test_overdispersion_of_equal_plants_is_binomial_in_plants():
    counts, base = random_table(3)
    plants = quotient_test(counts, base * 20).to_frame()
    found = quotient_test(
        counts * 20, base * 20, method="overdispersed", herfindahl=1 / counts.sum()
    ).to_frame()
    for column in ("low", "high", "p_value"):
        np.testing.assert_allclose(found[column], plants[column], rtol=1e-9)


def test_variance_of_thrown_plants_is_that_of_ellison_and_glaeser():
    rng = np.random.default_rng(2)
    sizes = np.ceil(rng.lognormal(2, 1, 60))
    shares = sizes / sizes.sum()
    drawn = (rng.random((200_000, 60)) < 0.3) @ shares
    assert drawn.var() == pytest.approx(0.3 * 0.7 * (shares**2).sum(), rel=0.01)


@pytest.mark.parametrize(
    ("bootstrap", "exact"),
    [("parametric-bootstrap", "binomial"), ("nonparametric-bootstrap", "hypergeometric")],
)
def test_bootstrap_p_values_approach_the_exact_ones(bootstrap, exact):
    counts, base = random_table(6)
    found = quotient_test(counts, base, method=bootstrap, rng=1).to_frame()
    wanted = quotient_test(counts, base, method=exact).to_frame()
    np.testing.assert_allclose(found["p_value"], wanted["p_value"], atol=0.04)
    assert (found["p_value"] >= 2 / 10_000).all()


def test_bootstrap_limits_of_many_jobs_are_those_of_the_delta_method():
    for method in ("parametric-bootstrap", "nonparametric-bootstrap"):
        found = one_cell(3000, 10_000, 400_000, 1_000_000, method, rng=1)
        wanted = one_cell(3000, 10_000, 400_000, 1_000_000, "delta")
        assert found["low"] == pytest.approx(wanted["low"], rel=2e-3)
        assert found["high"] == pytest.approx(wanted["high"], rel=2e-3)


@pytest.mark.parametrize("method", ["parametric-bootstrap", "nonparametric-bootstrap", "plants"])
def test_one_seed_one_result(method):
    counts, base = random_table(2)
    choices = choices_of(method, counts)
    first = quotient_test(counts, base, **choices)
    assert first.resamples == 999
    pd.testing.assert_frame_equal(first.to_frame(), quotient_test(counts, base, **choices).to_frame())
    other = quotient_test(counts, base, **choices | {"rng": 4}).to_frame()
    assert (other["p_value"] != first.to_frame()["p_value"]).any()


# Cells that are unlike the others


@pytest.mark.parametrize("count", [0, 7])
def test_none_or_all_of_a_sector_gets_exact_limits_and_a_note(count):
    wanted = one_cell(count, 7, 30, 100, "binomial")
    found = one_cell(count, 7, 30, 100, "delta")
    assert "exact binomial" in found["note"]
    for column in ("low", "high", "p_value"):
        assert found[column] == wanted[column]
    for method in ("parametric-bootstrap", "nonparametric-bootstrap"):
        found = one_cell(count, 7, 30, 100, method, rng=1)
        assert "exact binomial limits" in found["note"]
        assert (found["low"], found["high"]) == (wanted["low"], wanted["high"])
    assert one_cell(2, 7, 30, 100, "delta")["note"] == ""


@pytest.mark.parametrize(
    "method", ["binomial", "hypergeometric", "delta", "parametric-bootstrap", "nonparametric-bootstrap"]
)
def test_a_sector_that_is_the_whole_base_is_never_specialized(method):
    found = one_cell(30, 100, 30, 100, method, rng=1, resamples=999)
    assert found["lq"] == pytest.approx(1)
    assert found["p_value"] == pytest.approx(1)
    assert found["note"]
    if method == "hypergeometric":
        assert found["low"] == pytest.approx(1)
        assert found["high"] == pytest.approx(1)
        assert found["p_min"] == pytest.approx(1)


def test_p_values_are_never_zero():
    found = one_cell(90_000, 100_000, 200_000, 10_000_000, "binomial")
    assert 0 < found["p_value"] <= 2.3e-308
    assert one_cell(90_000, 100_000, 200_000, 10_000_000, "hypergeometric")["p_value"] > 0


def test_the_result_cannot_be_changed_and_goes_to_json():
    counts, base = random_table(1)
    test = quotient_test(counts, base)
    assert not test.table["lq"].to_numpy().flags.writeable
    written = json.loads(json.dumps(test.to_dict()))
    assert written["cells"]["r1"]["s2"]["lq"] == test.table.loc[("r1", "s2"), "lq"]
    assert "Null hypothesis" in test.summary()
    small = pd.DataFrame({"steel": [1, 1], "law": [40, 5]}, index=["N", "S"])
    assert "2 cells: no count could reach p ≤ 0.05." in quotient_test(small, BASE).summary()


def test_a_large_table_is_worth_its_cells():
    """Cells are summed in chunks of their own order."""
    rng = np.random.default_rng(0)
    base = pd.Series(rng.integers(1000, 100_000, 200))
    counts = pd.DataFrame(rng.poisson(base.to_numpy()[:, None] * rng.lognormal(-7, 1, 100)))
    found = quotient_test(counts, base, method="hypergeometric").to_frame()
    for region, sector in rng.integers(0, 100, (40, 2)):
        margins = counts.loc[region, sector], counts[sector].sum(), base[region], base.sum()
        alone = one_cell(*margins, "hypergeometric")
        for column in ("low", "high", "p_value"):
            assert found.loc[(region, sector), column] == pytest.approx(alone[column], rel=1e-9)


# Bad input

GOOD = pd.DataFrame({"steel": [30, 10], "law": [5, 15]}, index=["N", "S"])
BASE = pd.Series({"N": 100, "S": 100})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"counts": GOOD.astype(float) + 0.5},
            r"counts must be whole numbers, but N × steel is 30.5.*error of money",
        ),
        ({"base": BASE + 0.5}, r"base must be whole numbers, but N × base is 100.5"),
        ({"counts": -GOOD}, "counts must be at least 0, but N × steel is -30"),
        ({"counts": GOOD.where(GOOD != 30)}, "N × steel is nan"),
        ({"counts": GOOD.assign(law=0)}, "there is none in law"),
        ({"counts": GOOD.iloc[:1], "base": BASE.iloc[:1]}, "1 regions"),
        ({"counts": GOOD.to_numpy()}, "must be a pandas DataFrame"),
        ({"counts": GOOD.astype(str)}, "must hold numbers"),
        ({"base": BASE.replace(100, 0)}, "it is zero in N"),
        ({"base": BASE // 5}, r"it is in N × steel \(30 > 20\)"),
        ({"method": "exact"}, "method is 'exact'; it must be one of binomial, hypergeometric"),
        ({"alternative": "both"}, "alternative is 'both'"),
        ({"adjust": "none"}, "adjust is 'none'"),
        ({"confidence": 1.0}, "confidence is 1.0; it must lie between 0 and 1"),
        ({"confidence": "95%"}, "confidence is '95%'"),
        ({"method": "parametric-bootstrap", "resamples": 98}, "at least 99"),
        ({"method": "parametric-bootstrap", "resamples": 999, "confidence": 0.999}, "at least 1999"),
        ({"method": "parametric-bootstrap", "resamples": 1e4}, "whole number"),
        ({"herfindahl": pd.Series({"steel": 0.5, "law": 0.5})}, "are for method 'overdispersed'"),
        ({"method": "overdispersed"}, "needs herfindahl"),
        ({"method": "overdispersed", "herfindahl": 0.5}, "needs herfindahl"),
        ({"method": "overdispersed", "herfindahl": pd.Series({"steel": 0.5})}, "no entry for law"),
        (
            {"method": "overdispersed", "herfindahl": pd.Series({"steel": 0.5, "law": None})},
            "no entry for law",
        ),
        (
            {"method": "overdispersed", "herfindahl": pd.Series({"steel": 0.02, "law": 0.5})},
            "steel has 0.02 with 40 jobs",
        ),
        ({"method": "overdispersed", "herfindahl": pd.Series({"steel": 1.2, "law": 0.5})}, "steel has 1.2"),
        (
            {"method": "overdispersed", "plants": pd.Series([40, 19], index=["steel", "law"])},
            "law has 19 of 20",
        ),
        ({"method": "overdispersed", "plants": pd.Series([40], index=["steel"])}, "law has 0 of 20"),
        (
            {"method": "overdispersed", "plants": pd.Series([40, 20.5, -0.5], index=["steel", "law", "law"])},
            "law has 20.5, law has -0.5",
        ),
        ({"method": "overdispersed", "plants": [40, 20]}, "plants must be a Series"),
        ({"rng": -1, "method": "parametric-bootstrap"}, "rng is -1"),
        (
            {"base": BASE * 10_000_000, "method": "nonparametric-bootstrap"},
            "hypergeometric method tests the same",
        ),
    ],
)
def test_bad_input_gets_one_clear_sentence(change, sentence):
    with pytest.raises(InputError, match=sentence):
        quotient_test(**{"counts": GOOD, "base": BASE} | change)


def test_regions_must_match_and_h_and_plants_exclude_each_other():
    with pytest.raises(RegionError, match="base lacks S"):
        quotient_test(GOOD, pd.Series({"N": 100, "X": 100}))
    h, plants = pd.Series({"steel": 0.5, "law": 0.5}), pd.Series([40, 20], index=["steel", "law"])
    with pytest.raises(InputError, match="not both"):
        quotient_test(GOOD, BASE, method="overdispersed", herfindahl=h, plants=plants)
    with pytest.raises(InputError, match="it is smaller in N × steel"):
        quotient_test(GOOD * 10**9 + 1, pd.Series({"N": 30 * 10**9, "S": 10**11}))


def test_money_and_published_quotients_are_refused():
    volumes = ActivityTable(GOOD, kind="volumes", unit="million tenge", base=BASE)
    with pytest.raises(
        InputError, match=r"volumes \(million tenge\).*intervals that rounding leaves.*error model"
    ):
        quotient_test(volumes)
    with pytest.raises(InputError, match="published quotients, but a test needs the counts"):
        quotient_test(ActivityTable(GOOD, kind="quotients"))
