from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from spatialkz.candidates.evidence.context import growth_points
from spatialkz.candidates.review import _Margins, naming_matrix, naming_test
from spatialkz.datasets import read_table
from spatialkz.errors import InputError, RegionError

SITES = pd.DataFrame(
    {
        "policy": ["zone", "zone", "park"],
        "site": ["Port", "Port", "Campus"],
        "region": ["north", "south", "south"],
    }
)
MAPPING = pd.DataFrame(
    {
        "policy": ["zone", "zone", "park"],
        "site": ["Port", "Port", "Campus"],
        "named": ["chips", "ships", "law"],
        "sector": ["electronics", "", "services"],
        "reason": ["r", "s", "t"],
    }
)
LQ = pd.DataFrame({"electronics": [1.0, 0.8], "services": [3.0, 0.2]}, index=["north", "south"])


def bundled_sites():
    zones = read_table("kazakhstan-2022/sez").rename(columns={"sez": "site"})
    parks = read_table("kazakhstan-2022/technoparks").rename(columns={"technopark": "site"})
    both = pd.concat([zones.assign(policy="special economic zone"), parks.assign(policy="technopark")])
    return both[["policy", "site", "region"]]


@pytest.fixture(scope="module")
def points(quotients):
    return growth_points(bundled_sites(), read_table("kazakhstan-2022/specialization_sectors"), quotients)


def test_points_by_hand():
    found = growth_points(SITES, MAPPING, LQ)
    assert found[["site", "region", "named"]].to_numpy().tolist() == [
        ["Port", "north", "chips"],
        ["Port", "north", "ships"],
        ["Port", "south", "chips"],
        ["Port", "south", "ships"],
        ["Campus", "south", "law"],
    ]
    assert found["status"].tolist() == ["matched", "not mappable", "emerging", "not mappable", "mismatched"]
    assert found["lq"].isna().tolist() == [False, True, False, True, False]
    assert found["reason"].tolist() == ["r", "s", "r", "s", "t"]
    assert growth_points(SITES, MAPPING, LQ, emerging=0.9)["status"].tolist()[2] == "mismatched"
    assert growth_points(SITES, MAPPING, LQ, 0.8)["status"].tolist()[2] == "matched"


def test_every_phrase_of_the_mapping_is_printed_for_its_site():
    printed = pd.concat(
        [
            read_table("kazakhstan-2022/sez").set_index("sez")["specialization"],
            read_table("kazakhstan-2022/technoparks").set_index("technopark")["technologies"],
        ]
    )
    text = printed.groupby(level=0).agg(" | ".join)
    mapping = read_table("kazakhstan-2022/specialization_sectors")
    for row in mapping.itertuples():
        assert all(phrase in text[row.site] for phrase in row.named.split("; "))
    assert mapping["reason"].str.len().min() > 5
    assert (mapping["basis"].notna() == mapping["sector"].notna()).all()
    assert set(mapping["basis"].dropna()) == {"named", "read"}


def test_bundled_points(points):
    cell = points.set_index(["site", "region", "sector"])["status"]
    assert cell[("Taraz", "Zhambyl", "chemical")] == "matched"
    assert cell[("Pavlodar", "Pavlodar", "chemical")] == "emerging"
    assert cell[("Astana-technopolis", "Nur-Sultan", "pharmaceutical")] == "mismatched"
    assert set(points.loc[points["site"] == "Technopark “Altai” LLP", "status"]) == {"not mappable"}
    assert points["site"].nunique() == 10 + 8
    assert points.groupby("site")["region"].nunique()["Technopark of Space monitoring"] == 3


@pytest.mark.parametrize(
    ("sites", "mapping", "error", "message"),
    [
        (SITES.replace("south", "east"), MAPPING, RegionError, "Sites lie in east"),
        (SITES, MAPPING.replace("services", "magic"), InputError, "names the sector magic"),
        (SITES, MAPPING.iloc[:2], InputError, r"says nothing of Campus \(park\)"),
        (SITES.iloc[:2], MAPPING, InputError, r"the list does not have: Campus \(park\)"),
        (SITES, MAPPING.replace({"sector": {"": "electronics"}}), InputError, "repeat: Port × electronics"),
        (SITES, MAPPING.drop(columns="named"), InputError, "mapping lacks the column named"),
        (SITES.drop(columns="region"), MAPPING, InputError, "list of sites lacks the column region"),
    ],
)
def test_bad_points_are_refused(sites, mapping, error, message):
    with pytest.raises(error, match=message):
        growth_points(sites, mapping, LQ)


def test_bad_options_are_refused():
    with pytest.raises(InputError, match="emerging is 2"):
        growth_points(SITES, MAPPING, LQ, emerging=2)
    with pytest.raises(InputError, match="threshold is 0"):
        growth_points(SITES, MAPPING, LQ, 0)


def test_a_cell_named_twice_counts_once(points, quotients):
    naming = naming_matrix(points, quotients.index, quotients.columns)
    assert naming.loc["Nur-Sultan", "pharmaceutical"] == 1
    assert naming.loc["Almaty City", "computer"] == 1
    assert naming.to_numpy().max() == 1
    assert naming.loc["Aktobe"].sum() == 0


@pytest.mark.parametrize("shape", [(6, 9), (9, 6)])
def test_walks_keep_both_margins_and_move(shape):
    rng = np.random.default_rng(3)
    start = (rng.random((200, *shape)) < 0.4).astype(np.int8)
    for one in start[:3]:
        ends = _Margins(one).walk(np.repeat(one[None], 50, axis=0), rng)
        assert (ends.sum(axis=1) == one.sum(axis=0)).all()
        assert (ends.sum(axis=2) == one.sum(axis=1)).all()
        assert set(np.unique(ends)) == {0, 1}
        assert len(np.unique(ends.reshape(50, -1), axis=0)) > 40


def all_with_margins(start):
    rows, columns = start.shape
    for bits in product((0, 1), repeat=rows * columns):
        cells = np.array(bits).reshape(rows, columns)
        if (cells.sum(0) == start.sum(0)).all() and (cells.sum(1) == start.sum(1)).all():
            yield cells


START = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 1, 1]], dtype=np.int8)


@pytest.mark.parametrize("flip", [False, True])
def test_draws_are_uniform_over_all_matrices_with_these_margins(flip):
    start = START.T if flip else START
    matrices = [tuple(m.ravel()) for m in all_with_margins(start)]
    draws = _Margins(start).walk(np.repeat(start[None], 9000, axis=0), np.random.default_rng(11))
    counts = pd.Series([tuple(int(v) for v in d.ravel()) for d in draws]).value_counts()
    assert set(counts.index) == set(matrices)
    assert len(matrices) > 10
    assert stats.chisquare(counts.to_numpy()).pvalue > 0.001


@pytest.mark.parametrize("statistic", ["symmetric", "share"])
def test_p_value_agrees_with_counting_all_matrices(statistic):
    lq = pd.DataFrame([[3.0, 0.2, 0.9, 0.1], [1.5, 0.4, 2.0, 0.7], [0.1, 0.3, 0.0, 5.0]])
    x = (lq.to_numpy() - 1) / (lq.to_numpy() + 1) if statistic == "symmetric" else lq.to_numpy() >= 1
    values = np.array([(m * x).sum() for m in all_with_margins(START)]) / START.sum()
    wanted = (values >= (START * x).sum() / START.sum() - 1e-9).mean()
    test = naming_test(pd.DataFrame(START), lq, statistic=statistic, simulations=99, uplifts=[1], rng=5)
    row = test.to_frame().iloc[0]
    assert row["p_value"] == pytest.approx(wanted, abs=4 * np.sqrt(wanted * (1 - wanted) / 9999) + 1e-4)
    assert row["expected"] == pytest.approx(values.mean(), abs=0.01)
    assert row["standard_deviation"] == pytest.approx(values.std(), rel=0.05)


def test_p_values_are_uniform_under_the_null():
    """Policies that name cells whatever the quotients are."""
    rng = np.random.default_rng(8)
    p_values = []
    for _ in range(80):
        lq = pd.DataFrame(rng.lognormal(0, 1, (8, 6)))
        naming = pd.DataFrame((rng.random((8, 6)) < 0.35).astype(int))
        test = naming_test(naming, lq, permutations=199, simulations=99, uplifts=[1], rng=rng)
        p_values.append(test.to_frame()["p_value"].item())
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_region_and_sector_levels_alone_do_not_make_it_reject():
    """Odds of being named that are a region's times a sector's leave all matrices equally likely."""
    rng = np.random.default_rng(4)
    rejected = 0
    for _ in range(40):
        level = rng.normal(0, 1.5, 10)[:, None] + rng.normal(0, 1.5, 8)[None, :]
        lq = pd.DataFrame(np.exp(level + rng.normal(0, 0.3, level.shape)))
        naming = pd.DataFrame((rng.random(level.shape) < 1 / (1 + np.exp(1 - level))).astype(int))
        x = (lq - 1) / (lq + 1)
        assert x.where(naming == 1).stack().mean() > x.stack().mean()
        test = naming_test(naming, lq, permutations=199, simulations=99, uplifts=[1], rng=rng)
        rejected += test.to_frame()["p_value"].item() <= 0.05
    # More than 6 of 40 would happen in 0.3 % of the cases at 5 %.
    assert rejected <= 6


def test_power_grows_from_the_size_and_is_what_repeating_the_test_gives(quotients, points):
    naming = naming_matrix(points, quotients.index, quotients.columns)
    test = naming_test(naming, quotients, permutations=299, simulations=300, rng=2)
    assert test.power.index[0] == 1
    assert test.power.iloc[0] < 0.08
    assert test.power.is_monotonic_increasing
    assert test.power[test.detectable] >= 0.8
    # Repeated from outside: name by a fresh draw, raise its cells threefold, test.
    rng = np.random.default_rng(21)
    start = naming.to_numpy().astype(np.int8)
    policies = _Margins(start).walk(np.repeat(start[None], 40, axis=0), rng)
    found = [
        naming_test(
            pd.DataFrame(policy, index=naming.index, columns=naming.columns),
            quotients * np.where(policy, 2.0, 1.0),
            permutations=199,
            simulations=99,
            uplifts=[1],
            rng=rng,
        )
        .to_frame()["p_value"]
        .item()
        <= 0.05
        for policy in policies
    ]
    # Three standard errors of 40 repetitions.
    assert np.mean(found) == pytest.approx(test.power[2.0], abs=3 * np.sqrt(0.25 / 40))


def test_the_same_in_any_order_and_by_the_same_seed(quotients, points, shuffled):
    naming = naming_matrix(points, quotients.index, quotients.columns)
    options = {"permutations": 299, "simulations": 99, "uplifts": [1, 3], "rng": 7}
    one = naming_test(naming, quotients, **options)
    other = naming_test(shuffled(naming), shuffled(quotients).iloc[:, ::-1], **options)
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())
    pd.testing.assert_series_equal(one.power, other.power)
    assert one.to_dict()["detectable_uplift"] == one.detectable
    assert "named cells" in one.summary()
    less = naming_test(naming, quotients, alternative="less", **options)
    assert less.to_frame()["p_value"].item() > 0.5


def test_no_power_is_said_as_such():
    lq = pd.DataFrame([[0.0, 0.0, 2.0], [0.0, 0.5, 0.0], [1.0, 0.0, 0.0]])
    test = naming_test(pd.DataFrame(np.eye(3, dtype=int)), lq, permutations=199, simulations=99, rng=1)
    # Six matrices: no p-value below 1/6.
    assert test.detectable is None
    assert "not even a factor of 50" in test.summary()
    assert test.to_dict()["detectable_uplift"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"naming": pd.DataFrame([[1, 1], [1, 0]])}, "Only one naming of 3 cells"),
        ({"naming": pd.DataFrame([[0, 0], [0, 0]])}, "Only one naming of 0 cells"),
        ({"naming": pd.DataFrame([[2, 0], [0, 1]])}, "0 and 1 only"),
        ({"naming": pd.DataFrame([[1, 0], [0, 1]], index=[0, 5])}, "differ in their regions: 1, 5"),
        ({"statistic": "median"}, "statistic is 'median'"),
        ({"permutations": 10}, "permutations is 10"),
        ({"simulations": 10}, "simulations is 10"),
        ({"alpha": 0}, "alpha is 0"),
        ({"uplifts": []}, "uplifts must be positive"),
        ({"uplifts": [0]}, "uplifts must be positive"),
        ({"alternative": "more"}, "alternative is 'more'"),
    ],
)
def test_bad_tests_are_refused(change, message):
    given = {"naming": pd.DataFrame([[1, 0], [0, 1]]), "quotients": pd.DataFrame([[1.0, 0.5], [0.5, 2.0]])}
    with pytest.raises(InputError, match=message):
        naming_test(**{**given, **change})


def test_the_other_reading_of_where_the_park_of_innovative_technologies_lies(study, quotients):
    """What data/datapackage.json says of it: the paper's text has its village in Almaty Region."""
    elsewhere = study.context.sites.copy()
    elsewhere.loc[elsewhere["site"] == "Park of innovative technologies", "region"] = "Almaty Region"
    matched = []
    for sites in (study.context.sites, elsewhere):
        points = growth_points(sites, study.context.specializations, quotients)
        zones = points[points["policy"] == "special economic zone"]
        matched.append(int((zones["status"] == "matched").sum()))
        mapped = zones.dropna(subset=["sector"])
        test = naming_test(
            naming_matrix(mapped, quotients.index, quotients.columns),
            quotients,
            permutations=999,
            simulations=99,
            uplifts=[2.0],
            rng=1,
        )
        assert test.to_frame()["p_value"].iloc[0] > 0.05
    assert matched == [12, 9]
