"""The windowed quotient against a loop, its limits, and lctools."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from libpysal.graph import Graph

from spatialkz.errors import GraphError, InputError, RegionError
from spatialkz.geography import graph_from_pairs
from spatialkz.specialization import location_quotient
from spatialkz.specialization.variants import windowed_quotient

few = settings(max_examples=25, deadline=None)
REFERENCE = Path(__file__).parents[1] / "reference" / "quotients"
REGIONS = list("abcde")

tables = arrays(float, (5, 3), elements=st.floats(0.001, 1e6)).map(
    lambda cells: pd.DataFrame(cells, index=REGIONS, columns=list("xyz"))
)
matrices = arrays(float, (5, 5), elements=st.sampled_from([0.0, 0.5, 1.0, 3.0])).map(
    lambda cells: cells * (1 - np.eye(5))
)


def graph_of(matrix, regions=REGIONS):
    """Graph of a dense weights matrix; libpysal marks an isolate by a self-loop of weight 0."""
    rows, columns = np.nonzero(matrix)
    lone = np.flatnonzero((matrix > 0).sum(axis=1) == 0)
    names = np.array(regions, dtype=object)
    return Graph.from_arrays(
        np.concatenate([names[rows], names[lone]]),
        np.concatenate([names[columns], names[lone]]),
        np.concatenate([matrix[rows, columns], np.zeros(len(lone))]),
    )


@few
@given(tables, matrices, st.floats(0.1, 5))
def test_every_cell_equals_a_loop(values, matrix, self_weight):
    found = windowed_quotient(values, graph_of(matrix), self_weight=self_weight)
    base = values.sum(axis=1)
    for i, region in enumerate(REGIONS):
        weights = matrix[i].copy()
        weights[i] = self_weight
        for sector in values:
            part = sum(w * values.loc[k, sector] for w, k in zip(weights, REGIONS, strict=True))
            whole = sum(w * base[k] for w, k in zip(weights, REGIONS, strict=True))
            national = values[sector].sum() / base.sum()
            assert found.loc[region, sector] == pytest.approx(part / whole / national)


@few
@given(tables)
def test_limits(values):
    """Alone, a region keeps its simple quotient; the whole country as window gives 1."""
    nobody = graph_of(np.zeros((5, 5)))
    np.testing.assert_allclose(windowed_quotient(values, nobody), location_quotient(values), rtol=1e-12)
    everyone = graph_of(np.ones((5, 5)) - np.eye(5))
    np.testing.assert_allclose(windowed_quotient(values, everyone), 1, rtol=1e-9)


@few
@given(tables, matrices, st.floats(0.01, 100), st.permutations(REGIONS))
def test_units_and_order_do_not_matter(values, matrix, unit, order):
    graph = graph_of(matrix)
    wanted = windowed_quotient(values, graph)
    pd.testing.assert_frame_equal(windowed_quotient(values * unit, graph), wanted, rtol=1e-9)
    pd.testing.assert_frame_equal(windowed_quotient(values.loc[order], graph).loc[REGIONS], wanted, rtol=1e-9)


@few
@given(tables, matrices)
def test_a_window_lies_between_its_members(values, matrix):
    found, simple = windowed_quotient(values, graph_of(matrix)), location_quotient(values)
    for i, region in enumerate(REGIONS):
        members = simple[(matrix[i] > 0) | (np.arange(5) == i)]
        assert (found.loc[region] <= members.max() * (1 + 1e-9)).all()
        assert (found.loc[region] >= members.min() * (1 - 1e-9)).all()


def test_values_of_lctools():
    """FLQ(WType="Binary") of lctools 0.2-10 weights the place itself twice, against its help page."""
    jobs = pd.read_csv(REFERENCE / "jobs.csv", index_col="region")[["chemicals"]]
    all_jobs = pd.read_csv(REFERENCE / "all_jobs.csv", index_col="region")["all jobs"]
    places = pd.read_csv(REFERENCE / "places.csv", index_col="region").to_numpy()
    peers = pd.read_csv(REFERENCE / "r_packages.csv").query("package == 'lctools'").set_index("quantity")
    distances = np.hypot(*(places[:, None] - places).T).T
    matrix = np.zeros((7, 7))
    nearest = np.argsort(distances, axis=1)[:, 1:3]
    np.put_along_axis(matrix, nearest, 1.0, axis=1)
    graph = graph_of(matrix, jobs.index)
    found = windowed_quotient(jobs, graph, all_jobs, self_weight=2)["chemicals"]
    np.testing.assert_allclose(found, peers.loc["Binary", "value"], rtol=1e-12)
    # With the weight of 1 that the help page describes, region A's window is A, C and D.
    window = ["region A", *jobs.index[nearest[0]]]
    share = jobs.loc[window, "chemicals"].sum() / all_jobs[window].sum()
    plain = share / (jobs["chemicals"].sum() / all_jobs.sum())
    assert windowed_quotient(jobs, graph, all_jobs).loc["region A", "chemicals"] == pytest.approx(plain)
    assert abs(plain - found["region A"]) > 0.05


def test_an_enclave_and_its_surroundings_share_a_window():
    """A city inside one region: the window of either is the two together."""
    graph = graph_from_pairs(
        pd.DataFrame({"a": ["city"], "b": ["around"]}), pd.Index(["city", "around", "far"])
    )
    values = pd.DataFrame({"x": [8.0, 2, 10], "y": [2.0, 8, 70]}, index=["city", "around", "far"])
    found = windowed_quotient(values, graph)
    assert found.loc["city", "x"] == found.loc["around", "x"] == pytest.approx((10 / 20) / (20 / 100))
    assert found.loc["far", "x"] == location_quotient(values).loc["far", "x"]


def test_groups_take_their_own_base():
    values = pd.DataFrame({"x": [8.0, 2], "y": [2.0, 8], "z": [3.0, 1], "w": [1.0, 3]}, index=["N", "S"])
    groups = pd.Series({"x": "one", "y": "one", "z": "two", "w": "two"})
    graph = graph_from_pairs(pd.DataFrame({"a": ["N"], "b": ["S"]}), values.index)
    found = windowed_quotient(values, graph, groups=groups, self_weight=3)
    assert found.loc["N", "x"] == pytest.approx((26 / 40) / (10 / 20))
    assert found.loc["N", "z"] == pytest.approx((10 / 16) / (4 / 8))


def test_bad_input_is_named():
    values = pd.DataFrame({"x": [3.0, 1, 2], "y": [1.0, 3, 2]}, index=list("abc"))
    pairs = pd.DataFrame({"region": ["a"], "neighbor": ["b"]})
    graph = graph_from_pairs(pairs, values.index)
    with pytest.raises(RegionError, match="the graph lacks d; the graph has c, which the table does not"):
        windowed_quotient(values.rename(index={"c": "d"}), graph)
    with pytest.raises(RegionError, match="the graph has c"):
        windowed_quotient(values.loc[["a", "b"]], graph)
    with pytest.raises(GraphError, match="c has no neighbors and self_weight is 0"):
        windowed_quotient(values, graph, self_weight=0)
    assert windowed_quotient(
        values.loc[["a", "b"]], graph_from_pairs(pairs, pd.Index(["a", "b"])), self_weight=0
    ).loc["a", "x"] == pytest.approx(location_quotient(values.loc[["a", "b"]]).loc["b", "x"])
    for bad in (-1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="self_weight is"):
            windowed_quotient(values, graph, self_weight=bad)
    with pytest.raises(GraphError, match="not dict"):
        windowed_quotient(values, {"a": ["b"]})
    with pytest.raises(GraphError, match="own neighbor"):
        windowed_quotient(values, graph.assign_self_weight(1.0))
    negative = Graph.from_arrays(list("abc"), list("bca"), [1.0, -1.0, 1.0])
    with pytest.raises(GraphError, match="at least 0"):
        windowed_quotient(values, negative)
    with pytest.raises(InputError, match="none in y"):
        windowed_quotient(values.assign(y=0.0), graph)
    with pytest.raises(InputError, match="b × x is nan"):
        windowed_quotient(values.where(values != 1.0), graph)
