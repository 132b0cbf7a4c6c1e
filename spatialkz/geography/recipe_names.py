"""Graph recipes by name, in code, study files and on the command line; and the family for sensitivity."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from functools import reduce
from operator import and_, or_
from pathlib import PurePath
from typing import Any

import geopandas as gpd

from spatialkz.errors import GraphError, InputError, listing
from spatialkz.geography.distance_recipes import (
    Delaunay,
    DistanceBand,
    Gabriel,
    InverseDistance,
    Kernel,
    KNearest,
)
from spatialkz.geography.places import Layout
from spatialkz.geography.recipes import CityMerged, Queen, Recipe, Rook, enclaves
from spatialkz.geography.travel_time import TravelTime

RECIPES: dict[str, type[Recipe]] = {
    "queen": Queen,
    "rook": Rook,
    "knn": KNearest,
    "distance_band": DistanceBand,
    "inverse_distance": InverseDistance,
    "kernel": Kernel,
    "gabriel": Gabriel,
    "delaunay": Delaunay,
    "travel_time": TravelTime,
    "city_merged": CityMerged,
}
_FAMILY = (
    "queen",
    "rook",
    "knn:k=3",
    "knn:k=4",
    "knn:k=5",
    "distance_band",
    "inverse_distance",
    "gabriel",
    "city_merged",
)


def as_recipe(recipe: str | Recipe, **options: Any) -> Recipe:
    """Make a recipe out of its name and options, or of one line of text.

    The line is ``name`` or ``name:option=value,option=value``; ``|`` between recipes takes the neighbors of
    either, ``&`` those of both and binds tighter.

    Parameters
    ----------
    recipe : str or Recipe
        ``queen``, ``rook``, ``knn``, ``distance_band``, ``inverse_distance``, ``kernel``, ``gabriel``,
        ``delaunay``, ``travel_time``, ``city_merged``, a line, or a recipe, which is returned as it is.
    **options
        Options of the named recipe, which are the parameters of its class.

    Raises
    ------
    InputError
        If the name, an option or a value is not known to a recipe.

    Examples
    --------
    >>> as_recipe("knn", k=3) == as_recipe("knn:k=3")
    True
    >>> print(as_recipe("queen | knn:k=2"))
    queen contiguity or 2 nearest neighbors
    """
    if isinstance(recipe, Recipe):
        if options:
            raise InputError(f"The recipe is made already; {listing(options)} cannot change it.")
        return recipe
    if not isinstance(recipe, str):
        raise InputError(f"recipe must be a name or a graph recipe, not {type(recipe).__name__}.")
    either = [part.split("&") for part in recipe.split("|")]
    if len(either) == 1 and len(either[0]) == 1:
        return _named(recipe, options)
    if options:
        raise InputError(f"It is not clear to which recipe of {recipe!r} the option {listing(options)} goes.")
    return reduce(or_, (reduce(and_, (_named(part, {}) for part in both)) for both in either))


def names_recipe(text: str) -> bool:
    """Whether a text is meant for :func:`as_recipe`, and not as the name of a file.

    Examples
    --------
    >>> names_recipe("distance_band:threshold=350.5"), names_recipe("bishop"), names_recipe("pairs.csv")
    (True, True, False)
    """
    first = re.split(r"[:|&]", text, maxsplit=1)[0].strip()
    return first in RECIPES or not PurePath(text).suffix


def recipe_family(regions: gpd.GeoDataFrame | None = None) -> dict[str, Recipe]:
    """Recipes over which a result should hold: contiguity, nearness and enclaves.

    Parameters
    ----------
    regions : GeoDataFrame, optional
        Leave out what these regions cannot carry, or what would repeat: contiguity where there are no
        polygons or their borders do not fit, ``k`` nearest where there are too few regions, rook where it
        equals queen, and merged cities where there are no enclaves.

    Returns
    -------
    dict
        Line for :func:`as_recipe` → recipe.

    Examples
    --------
    >>> list(recipe_family())
    ['queen', 'rook', 'knn:k=3', 'knn:k=4', 'knn:k=5', 'distance_band', 'inverse_distance', 'gabriel',
     'city_merged']
    """
    family = {line: as_recipe(line) for line in _FAMILY}
    if regions is None:
        return family
    layout = Layout(regions)
    left_out = {line for line, r in family.items() if isinstance(r, KNearest) and r.k >= len(layout)}
    if not layout.has_polygons:
        left_out |= {"queen", "rook", "city_merged"}
    else:
        try:
            if not (Queen().weights(layout) != Rook().weights(layout)).nnz:
                left_out.add("rook")
            if enclaves(layout).empty:
                left_out.add("city_merged")
        except GraphError:  # borders that do not fit hide neighbors
            left_out |= {"queen", "rook", "city_merged"}
    if len(layout) < 3:
        left_out.add("gabriel")
    return {line: recipe for line, recipe in family.items() if line not in left_out}


def _named(line: str, options: dict[str, Any]) -> Recipe:
    name, _, text = (part.strip() for part in line.partition(":"))
    if name not in RECIPES:
        raise InputError(f"recipe is {name!r}; it must be one of {listing(RECIPES, len(RECIPES))}.")
    written = dict(_option(part, line) for part in text.split(",")) if text else {}
    twice = written.keys() & options.keys()
    if twice:
        raise InputError(f"The recipe {name} is told {listing(sorted(twice))} twice.")
    given = written | options
    known = [field.name for field in fields(RECIPES[name])]  # type: ignore[arg-type]
    unknown = [option for option in given if option not in known]
    if unknown:
        has = f"known are {listing(known)}" if known else "it has none"
        raise InputError(f"The recipe {name} has no option {listing(unknown)}; {has}.")
    if isinstance(given.get("base"), str):
        given["base"] = as_recipe(given["base"])
    needed = [f.name for f in fields(RECIPES[name]) if f.default is f.default_factory is MISSING]  # type: ignore[arg-type]
    lacking = [option for option in needed if option not in given]
    if lacking:
        raise InputError(f"The recipe {name} needs the option {listing(lacking)}.")
    return RECIPES[name](**given)


def _option(text: str, line: str) -> tuple[str, Any]:
    option, sign, value = (part.strip() for part in text.partition("="))
    if not (option and sign and value):
        raise InputError(f"{text.strip()!r} in the recipe {line.strip()!r} is not of the form option=value.")
    if value.lower() in {"true", "false"}:
        return option, value.lower() == "true"
    for number in (int, float):
        try:
            return option, number(value)
        except ValueError:
            continue
    return option, value
