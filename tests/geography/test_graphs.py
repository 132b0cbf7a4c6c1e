import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph
from shapely import box

from spatialkz.errors import GraphError, InputError, RegionError
from spatialkz.geography import aligned, graph_from_pairs, neighbor_graph

NAMES = pd.Index(["a", "b", "c", "d"])


def squares():
    return gpd.GeoDataFrame(
        geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1), box(0, 1, 1, 2), box(1, 1, 2, 2)], index=NAMES, crs=3857
    )


def test_queen_counts_corners_and_rook_does_not():
    assert neighbor_graph(squares(), "queen")["a"].index.tolist() == ["b", "c", "d"]
    assert neighbor_graph(squares(), "rook")["a"].index.tolist() == ["b", "c"]


def test_pairs_may_stand_once_or_twice_and_in_any_order():
    once = graph_from_pairs(pd.DataFrame({"x": ["b", "c", "d"], "y": ["a", "b", "c"]}), NAMES)
    twice = graph_from_pairs(
        pd.DataFrame({"x": ["a", "b", "c", "d", "b"], "y": ["b", "c", "d", "c", "a"]}), NAMES
    )
    matrix = aligned(once, NAMES).sparse.todense()
    assert (matrix == matrix.T).all()
    np.testing.assert_array_equal(matrix, aligned(twice, NAMES).sparse.todense())


def test_a_region_without_neighbors_is_named():
    graph = graph_from_pairs(pd.DataFrame({"x": ["a"], "y": ["b"]}), NAMES)
    assert list(graph.isolates) == ["c", "d"]
    with pytest.raises(GraphError, match="c, d has none"):
        aligned(graph, NAMES)


def test_alignment_orders_the_matrix_by_label():
    graph = graph_from_pairs(pd.DataFrame({"x": ["a", "b", "c"], "y": ["b", "c", "d"]}), NAMES)
    turned = aligned(graph, NAMES[::-1])
    assert list(turned.unique_ids) == ["d", "c", "b", "a"]
    np.testing.assert_array_equal(turned.sparse.todense(), aligned(graph, NAMES).sparse.todense()[::-1, ::-1])


def test_bad_graphs_are_refused():
    with pytest.raises(RegionError, match="has z, which the table does not"):
        graph_from_pairs(pd.DataFrame({"x": ["a"], "y": ["z"]}), NAMES)
    with pytest.raises(GraphError, match="its own neighbor: a"):
        graph_from_pairs(pd.DataFrame({"x": ["a"], "y": ["a"]}), NAMES)
    ring = (np.array(list("abcd")), np.array(list("bcda")))
    with pytest.raises(GraphError, match="must not be negative"):
        aligned(Graph.from_arrays(*ring, np.array([1.0, 1, 1, -1])), NAMES)
    looped = Graph.from_arrays(np.array(list("abcda")), np.array(list("bcdaa")), np.ones(5))
    with pytest.raises(GraphError, match="self-loops"):
        aligned(looped, NAMES)
    with pytest.raises(InputError, match="one of queen, rook"):
        neighbor_graph(squares(), "bishop")
    points = squares().set_geometry(squares().centroid)
    with pytest.raises(InputError, match="Contiguity needs a polygon for every region; a, b, c, d has none"):
        neighbor_graph(points)
