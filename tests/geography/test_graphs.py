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
    with pytest.raises(InputError, match="one of queen, rook, knn, distance_band, inverse_distance, kernel"):
        neighbor_graph(squares(), "bishop")
    points = squares().set_geometry(squares().centroid)
    with pytest.raises(InputError, match="Contiguity needs a polygon for every region; a, b, c, d has none"):
        neighbor_graph(points)
    with pytest.raises(InputError, match="must be a GeoDataFrame, not DataFrame"):
        neighbor_graph(pd.DataFrame(index=NAMES))
    with pytest.raises(RegionError, match="these repeat: a"):
        neighbor_graph(squares().set_axis(list("abca")))
    with pytest.raises(InputError, match="at least two regions; there are 1"):
        neighbor_graph(squares().iloc[:1])
    with pytest.raises(InputError, match="isolates is 'drop'; it must be one of error, keep, attach"):
        neighbor_graph(squares(), isolates="drop")
    with pytest.raises(InputError, match="parts is 1; it must be one of error, keep, attach"):
        neighbor_graph(squares(), parts=1)


def archipelago():
    """Two pairs of squares, a – b and c – d, and e alone; e is nearest to d, b is nearest to c."""
    west = {"a": 0, "b": 1, "c": 5, "d": 6, "e": 9}
    return gpd.GeoDataFrame(
        geometry=[box(x, 0, x + 1, 1) for x in west.values()], index=pd.Index(west), crs=32642
    )


def links(graph):
    adjacency = graph.adjacency[graph.adjacency > 0]
    return {"".join(pair) for pair in adjacency.index}


def test_a_region_without_neighbors_is_refused_kept_or_attached():
    islands = archipelago()
    with pytest.raises(GraphError, match="e has no neighbors by queen contiguity; choose another recipe"):
        neighbor_graph(islands)
    kept = neighbor_graph(islands, isolates="keep")
    assert list(kept.isolates) == ["e"]
    assert list(kept.unique_ids) == list("abcde")
    assert links(kept) == {"ab", "ba", "cd", "dc"}
    assert links(neighbor_graph(islands, isolates="attach")) == {"ab", "ba", "cd", "dc", "de", "ed"}


def test_parts_are_kept_refused_or_attached():
    islands = archipelago()
    with pytest.raises(GraphError, match=r"2 connected components \(a, b | c, d, e\)"):
        neighbor_graph(islands, isolates="attach", parts="error")
    joined = neighbor_graph(islands, isolates="attach", parts="attach")
    assert joined.n_components == 1
    assert links(joined) == {"ab", "ba", "bc", "cb", "cd", "dc", "de", "ed"}
    # A region that is kept as an isolate is no part.
    half = neighbor_graph(islands, isolates="keep", parts="attach")
    assert links(half) == {"ab", "ba", "bc", "cb", "cd", "dc"}
    assert list(half.isolates) == ["e"]
    assert links(neighbor_graph(squares(), parts="error")) == links(neighbor_graph(squares()))


def test_a_link_made_by_attaching_carries_the_smallest_weight():
    islands = archipelago()
    graph = neighbor_graph(islands, "inverse_distance", threshold=0.0035, parts="attach")
    assert links(graph) == {"ab", "ba", "bc", "cb", "cd", "dc", "de", "ed"}
    np.testing.assert_allclose(graph["b"]["c"], 1 / 0.003)  # d – e, 3 m, is the longest link
    alone = neighbor_graph(islands, "distance_band", threshold=0.0001, isolates="attach", parts="attach")
    assert links(alone) == {"ab", "ba", "bc", "cb", "cd", "dc", "de", "ed"}
    assert set(alone.adjacency) == {1.0}


@pytest.mark.parametrize("labels", [list("zyxwv"), [5, 3, 1, 2, 4], ["r10", "r9", "r100", "r1", "r2"]])
def test_graph_and_matrix_are_in_the_order_of_the_regions(labels):
    islands = archipelago().set_axis(pd.Index(labels))
    graph = neighbor_graph(islands, isolates="keep")
    assert list(graph.unique_ids) == labels
    expected = np.zeros((5, 5))
    expected[[0, 1, 2, 3], [1, 0, 3, 2]] = 1
    np.testing.assert_array_equal(graph.sparse.todense(), expected)
