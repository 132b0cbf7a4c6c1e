"""Co-location: the statistic by hand, exact p-values, equal paths, size under both nulls, bad input."""

import json
from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest

from spatialkz.errors import InputError, RegionError
from spatialkz.focal.questions.colocation import (
    colocation_test,
    exact_tail,
    one_region_tail,
    ratio_variance,
)
from spatialkz.focal.questions.grades import graded
from spatialkz.focal.questions.null_tables import simulate, variance_ratio
from spatialkz.focal.questions.size_null import SizeNull, first_plants, table_base_shares
from spatialkz.resampling.engine import ColumnShuffle, row_sums
from spatialkz.resampling.shuffles import order_keys
from spatialkz.specialization import audit_table

REGIONS = [f"r{i:02d}" for i in range(17)]
SECTORS = [f"s{j:02d}" for j in range(11)]


def quotients_of(cells):
    """A table that is 2 where a cell is marked and 0.5 elsewhere."""
    cells = np.asarray(cells)
    return pd.DataFrame(0.5 + 1.5 * cells, REGIONS[: len(cells)], SECTORS[: cells.shape[1]])


def independent(seed, n=17, k=11):
    return quotients_of(np.random.default_rng(seed).random((n, k)) < 0.25)


# ---- statistics


def test_variance_ratio_by_hand():
    # Row sums 2, 2, 0, 1, 0 have variance 0.8; columns with 2, 2 and 1 of 5 have 0.24 + 0.24 + 0.16.
    table = quotients_of([[1, 1, 0], [1, 1, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0]])
    found = colocation_test(table, permutations=99, rng=1).to_frame()
    assert found.loc["variance ratio", "statistic"] == pytest.approx(0.8 / 0.64)
    assert found.loc["maximum", "statistic"] == 2
    assert found.loc["variance ratio", "expected"] == 1


def test_moments_and_p_value_agree_with_all_arrangements():
    # The first column may stay: only the others' places relative to it matter.
    cells = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0], [0, 1, 0.0]])
    columns = [cells[:, 0], *(np.array(list(permutations(column))) for column in cells.T[1:])]
    every = np.array(
        [variance_ratio(columns[0] + second + third, cells) for second, third in product(*columns[1:])]
    )
    assert every.mean() == pytest.approx(1)
    assert every.var() == pytest.approx(ratio_variance(cells))
    exact = (every >= variance_ratio(cells.sum(axis=1), cells) - 1e-12).mean()
    found = colocation_test(quotients_of(cells), permutations=9999, rng=2).to_frame().loc["variance ratio"]
    assert found["p_greater"] == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 9999))
    assert found["p_value"] == found["p_greater"]


@pytest.mark.parametrize("grade", ["count", "rank"])
def test_p_values_of_regions_are_those_of_brute_force(grade):
    table = pd.DataFrame(np.random.default_rng(4).lognormal(size=(6, 4)).round(1), REGIONS[:6], SECTORS[:4])
    cells = graded(table, grade).to_numpy()
    # One region gets any value of each column: 6⁴ equally likely rows.
    sums = np.array([sum(row) for row in product(*cells.T)])
    brute = [(sums >= own - 1e-9).mean() for own in cells.sum(axis=1)]
    test = colocation_test(table, grade=grade, permutations=99, rng=1)
    np.testing.assert_allclose(test.regions["p_value"], brute, rtol=1e-12)
    assert test.method == "exact"


def test_graded_cells_without_an_exact_law_are_simulated():
    test = colocation_test(independent(1), grade="log1p", permutations=999, rng=1)
    assert one_region_tail(graded(independent(1), "log1p").to_numpy()) is None
    assert test.method == "permutation"
    # The same cells on another scale have an exact law, which the draws must meet.
    exact = one_region_tail(graded(independent(1), "count", 1).to_numpy())
    np.testing.assert_allclose(test.regions["p_value"], exact, atol=0.06)


@pytest.mark.parametrize("grade", ["count", "rank", "log1p", "symmetric"])
def test_plain_and_compiled_paths_give_the_same_numbers(quotients, grade):
    cells = graded(quotients, grade).to_numpy()
    shuffle, keys = ColumnShuffle.of(cells), order_keys(np.random.default_rng(3), 300)
    plain, compiled = (row_sums(shuffle, keys, compiled=path) for path in (False, True))
    np.testing.assert_array_equal(plain, compiled)
    np.testing.assert_allclose(plain.sum(axis=1), cells.sum())
    seeds = np.random.SeedSequence(5)
    one, other = (simulate(cells, 1000, seeds, compiled=path) for path in (False, True))
    for left, right in zip(one, other, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-12)


def test_every_place_is_equally_likely():
    shuffle = ColumnShuffle.of(np.array([[1, 0, 3], [1, 0, 2], [0, 0, 1], [0, 1, 0.0]]))
    sums = row_sums(shuffle, order_keys(np.random.default_rng(1), 20_000), compiled=False)
    np.testing.assert_allclose(sums.mean(axis=0), 2.25, atol=0.05)
    assert {5.0, 0.0} <= set(np.unique(sums))


# ---- the study


def test_the_first_reading_of_the_study_holds(study, quotients):
    family = study.table.groups
    p_value = {
        name: colocation_test(table, rng=1).to_frame().loc["variance ratio", "p_value"]
        for name, table in {
            "all": quotients,
            "services": quotients.loc[:, family == "services"],
            "industry": quotients.loc[:, family == "industry"],
            "without the largest city": quotients.drop(index="Almaty City"),
        }.items()
    }
    assert p_value["all"] <= 0.001
    assert p_value["services"] <= 0.002
    assert 0.3 < p_value["industry"] < 0.7
    assert 0.08 < p_value["without the largest city"] < 0.25


def test_the_order_of_rows_and_columns_changes_nothing(study, quotients, shuffled):
    shares = table_base_shares(study.table, audit_table(study.table))
    mixed = shuffled(quotients)[quotients.columns[::-1]]
    for options in ({}, {"grade": "log1p"}, {"null": "sizes", "base_shares": shares}):
        one, other = (
            colocation_test(table, permutations=499, rng=3, **options) for table in (quotients, mixed)
        )
        pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())
        pd.testing.assert_frame_equal(one.regions.sort_index(), other.regions.sort_index())
        pd.testing.assert_index_equal(other.regions.index, mixed.index, check_names=False)


def test_results_are_read_only_and_ready_for_json(quotients):
    test = colocation_test(quotients, permutations=99, rng=1)
    json.dumps(test.to_dict(), allow_nan=False)
    with pytest.raises(ValueError, match="read-only"):
        test.table["z"].to_numpy()[0] = 1.0
    assert "Almaty City" in test.summary()
    assert (test.envelope["breadth"].diff().dropna() <= 0).all()


# ---- size under the nulls


def rejections(tables, **options):
    p_values = [
        colocation_test(table, permutations=199, rng=r, **options).to_frame().loc["variance ratio", "p_value"]
        for r, table in enumerate(tables)
    ]
    return np.mean(np.array(p_values) <= 0.05)


def test_the_column_null_keeps_its_size():
    assert rejections(map(independent, range(300))) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 300))


@pytest.fixture(scope="module")
def unequal():
    """Tables without co-location whose regions differ in size as 1, 1/2, 1/3 …"""
    size = 1 / np.arange(1, 18)
    shares = size / size.sum()
    tables = []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        units = np.exp(rng.uniform(np.log(3), np.log(45), 11))
        drawn = np.column_stack([rng.dirichlet((n - 1) * shares) for n in units])
        tables.append(pd.DataFrame(drawn / shares[:, None], REGIONS, SECTORS).round(2))
    return tables, pd.Series(shares, REGIONS)


def test_regions_of_unequal_size_pass_for_colocation_unless_size_is_accounted_for(unequal):
    tables, shares = unequal
    assert rejections(tables, grade="rank") > 0.4
    # Effective units are estimated: 0.07 in a long simulation, and two standard errors of 120 tables.
    assert rejections(tables, grade="rank", null="sizes", base_shares=shares) < 0.12
    assert rejections(tables, null="sizes", base_shares=shares) < 0.12


def test_counted_units_keep_the_size():
    size = 1 / np.arange(1, 18)
    shares = pd.Series(size / size.sum(), REGIONS)
    tables = [
        pd.DataFrame(np.random.default_rng(r).multinomial(15, shares, 11).T, REGIONS, SECTORS) / 15
        for r in range(120)
    ]
    quotients = [table.div(shares, axis=0) for table in tables]
    options = {"grade": "rank", "base_shares": shares}
    assert rejections(quotients, null="columns", **options) > 0.4
    assert rejections(quotients, null="sizes", units=15, **options) == pytest.approx(0.05, abs=0.06)


def test_effective_units_are_found_again():
    size = 1 / np.arange(1, 18)
    shares = (size / size.sum())[:, None]
    rng = np.random.default_rng(1)
    for units in (3, 12, 45):
        drawn = rng.dirichlet((units - 1) * shares[:, 0], 400).T
        found = effective(drawn / shares, np.broadcast_to(shares, drawn.shape))
        assert np.median(found) == pytest.approx(units, rel=0.12)


@pytest.mark.parametrize(("n", "plants", "number"), [(17, (3, 11), 120), (100, (20, 120), 40)])
def test_few_plants_of_unknown_number_do_not_pass_for_colocation(n, plants, number):
    # Effective units alone rejected 19 and 37 % (17 regions, count and rank), 43 and 96 % (100 regions).
    regions = [f"r{i:03d}" for i in range(n)]
    base = 1 / np.arange(1, n + 1)
    shares = pd.Series(base / base.sum(), regions)
    tables = []
    for seed in range(number):
        rng = np.random.default_rng(seed)
        counts = np.column_stack(
            [rng.multinomial(rng.integers(*plants, endpoint=True), shares) for _ in SECTORS]
        )
        tables.append(
            pd.DataFrame(counts / counts.sum(axis=0) / shares.to_numpy()[:, None], regions, SECTORS)
        )
    for grade in ("count", "rank"):
        level = rejections(tables, grade=grade, null="sizes", base_shares=shares)
        assert level <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / number)


def test_few_plants_that_follow_each_other_are_still_found():
    # The sectors' plants choose regions by size times an attraction that all sectors share.
    rng = np.random.default_rng(5)
    base = 1 / np.arange(1, 18)
    shares = pd.Series(base / base.sum(), REGIONS)
    attraction = np.where(np.arange(17) % 6 == 5, 12.0, 1.0) * shares.to_numpy()
    counts = rng.multinomial(15, attraction / attraction.sum(), 11).T
    table = pd.DataFrame(counts / 15 / shares.to_numpy()[:, None], REGIONS, SECTORS)
    test = colocation_test(table, null="sizes", base_shares=shares, permutations=999, rng=1)
    assert test.p_value <= 0.01


def test_plants_arrive_by_size_until_as_many_regions_have_one():
    shares = np.array([0.5, 0.3, 0.2])
    plants, arrival = first_plants(np.random.default_rng(1), np.broadcast_to(shares, (40_000, 3)), 1)
    assert ((plants > 0).sum(axis=1) == 1).all()
    assert (arrival[plants > 0] == arrival.min(axis=1)).all()
    # With N plants all in region i with probability s_i^N; N has a prior in 1/N, so −ln(1 − s_i) in all.
    expected = -np.log1p(-shares) / -np.log1p(-shares).sum()
    np.testing.assert_allclose((plants > 0).mean(axis=0), expected, atol=0.04)


def test_units_that_cannot_be_are_refused_in_one_sentence():
    table = independent(1)
    options = {"null": "sizes", "base_shares": pd.Series(1.0, REGIONS)}
    for units, message in (
        (pd.Series(20, SECTORS[:9]), "units has no number for s09, s10"),
        (pd.Series(20, SECTORS).where(lambda s: s.index != "s03", 0), "not so in s03"),
        (3, "units is 3 in s00, but 17 regions have that sector"),
    ):
        with pytest.raises(InputError, match=message):
            colocation_test(table, units=units, **options)


def effective(quotients, shares):
    from spatialkz.focal.questions.size_null import effective_units

    return effective_units(quotients, shares)


def test_base_shares_known_within_bounds_are_taken_in_turn(study, quotients):
    shares = table_base_shares(study.table, audit_table(study.table), draws=2, rng=np.random.default_rng(1))
    assert len(shares) == 3
    for choice in shares:
        # Each choice satisfies the adding-up identity of its own base within the rounding.
        assert ((choice * quotients).sum(axis="index") - 1).abs().max() < 0.0051
    null = SizeNull(np.stack([s.to_numpy() for s in shares]), np.full(11, 5.0), counted=False)
    seeds = np.random.SeedSequence(2)
    whole = null.scores(seeds, slice(0, 600))
    np.testing.assert_array_equal(null.scores(seeds, slice(512, 600)), whole[512:])


# ---- bad input, and tables that say nothing


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (quotients_of(np.zeros((6, 3))), "every quotient is below the threshold 1"),
        (quotients_of(np.ones((6, 3))), "every quotient reaches the threshold 1"),
        (quotients_of([[1, 0], [1, 0], [1, 0], [0, 0], [0, 0]]), "fewer than two sectors differ"),
    ],
)
def test_tables_that_cannot_show_colocation_say_why(table, reason):
    test = colocation_test(table, permutations=99, rng=1)
    assert reason in test.reason
    assert test.to_frame()["statistic"].isna().all()
    assert (test.to_frame()["p_value"] == 1).all()
    assert (test.regions["p_value"] == 1).all()
    json.dumps(test.to_dict(), allow_nan=False)
    assert reason in test.summary()


def test_a_constant_sector_is_named_and_adds_nothing():
    table = independent(1)
    with_constant = table.assign(everywhere=2.0)
    one, other = (colocation_test(t, permutations=99, rng=1) for t in (table, with_constant))
    assert other.constant == ("everywhere",)
    assert one.to_frame().loc["variance ratio", "statistic"] == pytest.approx(
        other.to_frame().loc["variance ratio", "statistic"]
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.iloc[:4], "at least 5"),
        (lambda t: t.iloc[:, :1], "several sectors"),
        (lambda t: t.assign(s00=t["s00"].drop(index="r03")), "r03 × s00 is nan"),
        (lambda t: t - 1, "at least 0"),
    ],
)
def test_bad_tables_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        colocation_test(change(independent(1)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"null": "rows"}, "null is 'rows'"),
        ({"grade": "squared"}, "grade is 'squared'"),
        ({"threshold": 0.0}, "threshold is 0.0"),
        ({"permutations": 9}, "at least 99"),
        ({"alternative": "up"}, "alternative is 'up'"),
        ({"null": "sizes"}, "needs base_shares"),
        ({"null": "sizes", "base_shares": []}, "base_shares is empty"),
        ({"null": "sizes", "base_shares": pd.Series(0.0, REGIONS)}, "must be positive"),
        ({"null": "sizes", "base_shares": pd.Series(1.0, REGIONS), "units": 0.0}, "units must be from 1 to"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        colocation_test(independent(1), **options)


def test_base_shares_of_other_regions_are_refused():
    with pytest.raises(RegionError, match="base_shares lacks r16"):
        colocation_test(independent(1), null="sizes", base_shares=pd.Series(1.0, REGIONS[:16]))


def test_the_tail_of_a_region_specialized_in_everything_is_never_zero():
    values = np.zeros((50, 200), dtype=np.int64)
    values[0] = 1
    assert 0 < exact_tail(values)[0] < 1e-300
