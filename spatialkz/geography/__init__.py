"""Boundaries of regions and the graphs of who neighbors whom."""

from spatialkz.geography.boundaries import clean_coverage, dissolve, read_boundaries
from spatialkz.geography.graphs import Recipe, aligned, graph_from_pairs, neighbor_graph

__all__ = [
    "Recipe",
    "aligned",
    "clean_coverage",
    "dissolve",
    "graph_from_pairs",
    "neighbor_graph",
    "read_boundaries",
]
