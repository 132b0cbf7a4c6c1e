"""Boundaries of regions and the graphs of who neighbors whom."""

from spatialkz.geography.boundaries import Boundaries, boundaries_for, dissolve, read_boundaries
from spatialkz.geography.coverage import Movement, clean_coverage, movement
from spatialkz.geography.distances import (
    Delaunay,
    DistanceBand,
    Gabriel,
    InverseDistance,
    Kernel,
    KNearest,
    TravelTime,
)
from spatialkz.geography.graphs import (
    RECIPES,
    aligned,
    as_recipe,
    graph_from_pairs,
    names_recipe,
    neighbor_graph,
    recipe_family,
)
from spatialkz.geography.neighbor_files import Neighbors, read_neighbors
from spatialkz.geography.points import PlacedPoints, place_points, place_register
from spatialkz.geography.recipes import CityMerged, Intersection, Queen, Recipe, Rook, Union

__all__ = [
    "RECIPES",
    "Boundaries",
    "CityMerged",
    "Delaunay",
    "DistanceBand",
    "Gabriel",
    "Intersection",
    "InverseDistance",
    "KNearest",
    "Kernel",
    "Movement",
    "Neighbors",
    "PlacedPoints",
    "Queen",
    "Recipe",
    "Rook",
    "TravelTime",
    "Union",
    "aligned",
    "as_recipe",
    "boundaries_for",
    "clean_coverage",
    "dissolve",
    "graph_from_pairs",
    "movement",
    "names_recipe",
    "neighbor_graph",
    "place_points",
    "place_register",
    "read_boundaries",
    "read_neighbors",
    "recipe_family",
]
