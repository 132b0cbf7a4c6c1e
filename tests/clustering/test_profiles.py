import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from spatialkz.clustering.profiles import POST_SELECTION, cluster_profiles, profile_name
from spatialkz.errors import InputError, RegionError

LABELS = pd.Series([1, 1, 1, 2, 2, 2], index=list("uvwxyz"))


def test_effect_sizes_equal_hand_calculation():
    table = pd.DataFrame({"a": [1, 2, 3, 2, 4, 6]}, index=LABELS.index)
    row = cluster_profiles(table, LABELS, log=False).to_frame().loc[(1, "a")]
    # Pooled variance (2 + 8) / 4; correction Γ(2) / (√2 Γ(3/2)) = 0.797885.
    assert row["hedges_g"] == pytest.approx(-2 / 2.5**0.5 * 0.7978845608, abs=1e-9)
    # 1 < 2, 4, 6; 2 = 2 < 4, 6; 3 > 2, 3 < 4, 6: one win, one tie, seven losses.
    assert row["cliffs_delta"] == pytest.approx((1 - 7) / 9)
    assert row["mean"] == 2
    assert row["others"] == 4
    assert row["difference"] == -2
    assert row["typical"] == pytest.approx(24 ** (1 / 3) - 1)


def test_delta_is_that_of_the_rank_sum_test(quotients):
    labels = pd.Series(np.arange(17) % 3, index=quotients.index)
    frame = cluster_profiles(quotients, labels).to_frame()
    for cluster in range(3):
        for sector in quotients:
            here = labels == cluster
            u = mannwhitneyu(quotients.loc[here, sector], quotients.loc[~here, sector]).statistic
            delta = 2 * u / (here.sum() * (~here).sum()) - 1
            assert frame.loc[(cluster, sector), "cliffs_delta"] == pytest.approx(delta)


def test_two_clusters_mirror_each_other(quotients):
    labels = (quotients["research"] >= 1).map({True: "yes", False: "no"})
    frame = cluster_profiles(quotients, labels).to_frame()
    for column in ("difference", "hedges_g", "cliffs_delta"):
        np.testing.assert_allclose(frame.loc["yes", column], -frame.loc["no", column])


def test_no_spread_is_no_difference_or_an_infinite_one():
    table = pd.DataFrame({"same": [0.1] * 6, "apart": [0.3] * 3 + [0.7] * 3}, index=LABELS.index)
    frame = cluster_profiles(table, LABELS).to_frame()["hedges_g"]
    assert frame[(1, "same")] == 0
    assert frame[(1, "apart")] == -np.inf
    assert frame[(2, "apart")] == np.inf


def test_one_region_is_a_cluster_too(quotients):
    labels = pd.Series(np.where(quotients.index == "Zhambyl", 1, 2), index=quotients.index)
    profiles = cluster_profiles(quotients, labels)
    row = profiles.to_frame().loc[(1, "chemical")]
    assert row["cliffs_delta"] == 1
    assert row["hedges_g"] > 2
    assert profiles.parts(1)[0] == ("chemical", "high")


@pytest.fixture
def profiles():
    table = pd.DataFrame(
        {
            "machinery": [3.0, 2.5, 4.0, 0.1, 0.2, 0.3],
            "optics": [1.2, 1.1, 1.5, 0.1, 1.3, 0.3],
            "tourism": [0.6, 0.7, 0.8, 0.1, 0.2, 0.3],
            "software": [0.1, 0.2, 0.1, 0.9, 1.2, 1.3],
            "design": [0.2, 0.3, 0.3, 0.8, 1.1, 2.0],
        },
        index=LABELS.index,
    )
    groups = pd.Series(["goods", "goods", "goods", "services", "services"], index=table.columns)
    return cluster_profiles(table, LABELS, groups=groups)


def test_parts_are_the_sectors_that_stand_apart(profiles):
    # Tourism is above the others but no specialization; all services are low, not all goods are high.
    assert profiles.parts(1) == [("machinery", "high"), ("optics", "high"), ("services", "low")]
    assert profiles.parts(1, most=1) == [("machinery", "high"), ("services", "low")]
    assert profiles.parts(1, least_delta=0.9) == [("machinery", "high"), ("services", "low")]
    assert ("goods", "high") in profiles.parts(1, least_quotient=0.5)
    assert profiles.parts(1, least_quotient=5.0) == [("services", "low")]


def test_names(profiles):
    assert profiles.name(1) == "machinery + optics, weak services"
    assert profile_name([("c28", "high")], {"c28": "machines"}) == "machines"
    assert profile_name([("c28", "low")]) == "weak c28"
    assert profile_name([]) == "no sector apart"


def test_the_summary_warns(profiles):
    assert profiles.summary().endswith(POST_SELECTION)
    assert profiles.to_dict()["1"]["parts"][-1] == {"sector": "services", "direction": "low"}
    assert profiles.to_dict()["1"]["members"] == ["u", "v", "w"]


def test_rows_are_joined_by_region(quotients, shuffled):
    labels = pd.Series(np.arange(17) % 3, index=quotients.index)
    one = cluster_profiles(quotients, labels).to_frame()
    pd.testing.assert_frame_equal(one, cluster_profiles(shuffled(quotients), labels).to_frame())


def test_bad_input_is_refused(quotients, profiles):
    labels = pd.Series(1, index=quotients.index)
    with pytest.raises(InputError, match="1 clusters; at least 2"):
        cluster_profiles(quotients, labels)
    with pytest.raises(InputError, match="at least 0"):
        cluster_profiles(quotients - 1, labels)
    halves = pd.Series(np.arange(17) % 2, index=quotients.index)
    with pytest.raises(RegionError, match="groups lacks chemical"):
        cluster_profiles(quotients, halves, groups=pd.Series({"x": "y"}))
    with pytest.raises(InputError, match="no cluster 7"):
        profiles.parts(7)
