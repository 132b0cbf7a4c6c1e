import numpy as np
import pandas as pd
import pytest
from small_maps import cloud, dense

from spatialkz.errors import GraphError, InputError, RegionError
from spatialkz.geography import (
    TravelTime,
    neighbor_graph,
)


def times(*rows):
    return pd.DataFrame(rows, columns=["from", "to", "minutes"])


TRIANGLE = times(("r0", "r1", 30), ("r1", "r0", 50), ("r1", "r2", 60), ("r2", "r0", 100), ("r0", "r0", 0))


@pytest.mark.parametrize(
    ("policy", "there", "back"),
    [("mean", 40, 40), ("longer", 50, 50), ("shorter", 30, 30), ("keep", 30, 50)],
)
def test_travel_time_settles_asymmetry_as_it_is_told(policy, there, back):
    matrix = dense(cloud(3), TravelTime(TRIANGLE, power=1, asymmetry=policy))
    expected = [[0, 1 / there, 1 / 100], [1 / back, 0, 1 / 60], [1 / 100, 1 / 60, 0]]
    np.testing.assert_allclose(matrix, expected)


def test_travel_time_picks_the_nearest_or_those_within_the_limit():
    assert dense(cloud(3), "travel_time", table=TRIANGLE, k=1).tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 0]]
    assert dense(cloud(3), "travel_time", table=TRIANGLE, threshold=60).tolist() == [
        [0, 1, 0],
        [1, 0, 1],
        [0, 1, 0],
    ]
    directed = dense(cloud(3), TravelTime(TRIANGLE, threshold=35, asymmetry="keep"))
    assert directed.tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    weighted = dense(cloud(3), TravelTime(TRIANGLE, k=1, power=2))
    np.testing.assert_allclose(weighted, [[0, 1 / 1600, 0], [1 / 1600, 0, 0], [0, 1 / 3600, 0]])
    shuffled = TRIANGLE.sample(frac=1, random_state=2)
    np.testing.assert_array_equal(dense(cloud(3), TravelTime(shuffled, power=1)),
                                  dense(cloud(3), TravelTime(TRIANGLE, power=1)))  # fmt: skip


def test_a_travel_recipe_does_not_follow_later_changes_of_its_table():
    table = TRIANGLE.copy()
    recipe = TravelTime(table, threshold=60)
    table["minutes"] = 1000
    assert dense(cloud(3), recipe).sum() == 4


@pytest.mark.parametrize(
    ("rows", "options", "complaint"),
    [
        ([("r0", "r1", -5)], {"k": 1}, "must be positive numbers, but are not for r0 – r1"),
        ([("r0", "r1", 0)], {"k": 1}, "must be positive numbers, but are not for r0 – r1"),
        ([("r0", "r1", None)], {"k": 1}, "must be positive numbers, but are not for r0 – r1"),
        ([("r0", "r1", "far")], {"k": 1}, "must be positive numbers, but are not for r0 – r1"),
        ([("r0", "r1", 5), ("r0", "r1", 6)], {"k": 1}, "once in the travel table, but r0 – r1 repeats"),
        ([("r0", "r1", 5), ("r1", "r0", 6)], {"k": 1, "asymmetry": "error"}, "different times for r0 – r1"),
        ([("r0", "r1", 5)], {}, "needs k, threshold"),
        ([("r0", "r1", 5)], {"k": 1, "threshold": 9}, "k or threshold, not both"),
        ([("r0", "r1", 5)], {"threshold": 0}, "threshold is 0; it must be a positive number of minutes"),
        ([("r0", "r1", 5)], {"power": -1}, "power is -1; it must be a positive number"),
        ([("r0", "r1", 5)], {"k": 1, "asymmetry": "both"}, "asymmetry is 'both'; it must be one of mean"),
        ([("r0", "r1", 5), ("r1", "r2", 5)], {"k": 2}, "fewer than 2 pairs for"),
    ],
)
def test_bad_travel_tables_are_refused(rows, options, complaint):
    with pytest.raises(InputError, match=complaint):
        neighbor_graph(cloud(3), "travel_time", table=times(*rows), **options)


def test_a_travel_table_must_name_the_regions():
    with pytest.raises(RegionError, match="the travel table lacks r2"):
        neighbor_graph(cloud(3), TravelTime(times(("r0", "r1", 5)), k=1))
    with pytest.raises(RegionError, match="the travel table has r9, which the map does not"):
        neighbor_graph(cloud(2), TravelTime(times(("r0", "r1", 5), ("r9", "r1", 5)), k=1))
    with pytest.raises(RegionError, match="two regions in every row"):
        TravelTime(times(("r0", None, 5)), k=1)
    with pytest.raises(InputError, match="columns are from, to and minutes"):
        TravelTime(TRIANGLE[["from", "to"]], k=1)
    with pytest.raises(GraphError, match="r2 has no neighbors by travel time up to 45 minutes"):
        neighbor_graph(cloud(3), TravelTime(TRIANGLE, threshold=45))


def test_a_travel_recipe_prints_itself():
    recipe = TravelTime(TRIANGLE, k=1, power=2)
    assert str(recipe) == "travel time, 1 nearest, inverse with power 2 (mean of both ways)"
    assert repr(recipe) == "TravelTime(<6 times>, k=1, threshold=None, power=2, asymmetry='mean')"
