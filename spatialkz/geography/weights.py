"""From a graph to its matrix of weights, without a detour for well-formed graphs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import csr_array

from spatialkz.errors import GraphError, listing
from spatialkz.geography import aligned


def row_standardized(graph: Graph, regions: pd.Index) -> csr_array:
    """Weights in the order of ``regions``, each row summing to 1.

    Raises
    ------
    RegionError, GraphError
        As :func:`spatialkz.geography.aligned`.

    Examples
    --------
    >>> graph = Graph.from_arrays(["a", "b", "b", "c"], ["b", "a", "c", "b"], [1.0, 1.0, 1.0, 1.0])
    >>> row_standardized(graph, pd.Index(["c", "b", "a"])).toarray()
    array([[0. , 1. , 0. ],
           [0.5, 0. , 0.5],
           [0. , 1. , 0. ]])
    """
    weights = _weights(graph, regions)
    with np.errstate(over="ignore"):
        totals = np.asarray(weights.sum(axis=1))
    if not np.isfinite(totals).all():
        raise GraphError(f"The weights of {listing(regions[~np.isfinite(totals)])} are too large to add up.")
    if not (totals > 0).all():
        raise GraphError(f"Every region needs a weight above 0; {listing(regions[totals <= 0])} has none.")
    weights.data /= np.repeat(totals, np.diff(weights.indptr))
    return weights


def binary(graph: Graph, regions: pd.Index) -> csr_array:
    """Weights in the order of ``regions``, 1 for every neighbor; errors as :func:`row_standardized`."""
    weights = _weights(graph, regions)
    weights.data[:] = 1.0
    return weights


def _weights(graph: Graph, regions: pd.Index) -> csr_array:
    weights = _matrix(graph, regions) if isinstance(graph, Graph) else None
    if weights is None:
        # Something is wrong with it, or it is unusual: the careful way, which knows the words.
        weights = csr_array(aligned(graph, regions).sparse, dtype=np.float64)
        weights.eliminate_zeros()
    return weights


def _matrix(graph: Graph, regions: pd.Index) -> csr_array | None:
    """Weights by position, or None if the graph does not pass every check of :func:`aligned`."""
    n, adjacency = len(regions), graph.adjacency
    if not isinstance(adjacency.index, pd.MultiIndex) or not regions.is_unique:
        return None
    ends = []
    for level, codes in zip(adjacency.index.levels, adjacency.index.codes, strict=True):
        place = regions.get_indexer(level)
        ends.append(place[codes])
    focal, neighbor = ends
    weight = adjacency.to_numpy(dtype=np.float64)
    sound = (weight > 0) & (weight < np.inf) & (focal != neighbor) & (focal >= 0) & (neighbor >= 0)
    if not sound.all():
        return None
    weights = csr_array((weight, (focal, neighbor)), shape=(n, n))
    # Fewer entries than pairs: a pair stood twice and was summed. An empty row: no neighbor, or no region.
    if weights.nnz < len(weight) or not np.diff(weights.indptr).all():
        return None
    weights.sort_indices()
    return weights
