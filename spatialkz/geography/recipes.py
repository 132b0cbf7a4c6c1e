"""Graph recipes that need polygons, and recipes made of recipes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from operator import index
from typing import Any

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_array

from spatialkz.errors import InputError, listing
from spatialkz.geography.places import RegionGeometry


class Recipe(ABC):
    """How to tell who neighbors whom; an immutable value that prints itself in words.

    ``a | b`` takes the neighbors of either recipe, ``a & b`` those of both.
    """

    @abstractmethod
    def weights(self, layout: RegionGeometry) -> csr_array:
        """Weights between regions by position, shape (n, n), positive, with an empty diagonal."""

    def __or__(self, other: Recipe) -> Union:
        return Union(self, other) if isinstance(other, Recipe) else NotImplemented

    def __and__(self, other: Recipe) -> Intersection:
        return Intersection(self, other) if isinstance(other, Recipe) else NotImplemented


@dataclass(frozen=True)
class Queen(Recipe):
    """Regions whose polygons share a point. A map whose borders do not fit is refused, not read as it stands.

    Examples
    --------
    >>> print(Queen())
    queen contiguity
    """

    def __str__(self) -> str:
        return "queen contiguity"

    def weights(self, layout: RegionGeometry) -> csr_array:
        """Weights of 1 between neighbors."""
        return layout.contiguity()


@dataclass(frozen=True)
class Rook(Recipe):
    """Regions whose polygons share an edge. A map whose borders do not fit is refused, not read as it stands.

    Examples
    --------
    >>> print(Rook())
    rook contiguity
    """

    def __str__(self) -> str:
        return "rook contiguity"

    def weights(self, layout: RegionGeometry) -> csr_array:
        """Weights of 1 between neighbors."""
        return layout.contiguity(rook=True)


@dataclass(frozen=True)
class CityMerged(Recipe):
    r"""An enclave city has the neighbors of the region around it as well.

    An *enclave* is a region with exactly one queen neighbor, its *host*, whose outline without holes covers
    it. (A region at the end of a chain has one neighbor, too, but is not covered by it.) To the base recipe's
    graph with weights *w*, each enclave *c* with host *h* gains, for every other neighbor *j* of *h*,

    .. math:: w_{cj} = w_{hj}, \quad w_{jc} = w_{jh},

    as if the city and its region were one place; links that *c* has already keep their weight. Two enclaves
    of one host become neighbors. City and host remain two regions with values of their own; to make them one,
    add up their values and use :func:`dissolve`.

    Parameters
    ----------
    base : Recipe
        The recipe to be completed, queen by default.

    Examples
    --------
    >>> print(CityMerged())
    city merged with its region (queen contiguity)
    """

    base: Recipe = field(default_factory=Queen)

    def __post_init__(self) -> None:
        _check_parts(self)

    def __str__(self) -> str:
        return f"city merged with its region ({self.base})"

    def weights(self, layout: RegionGeometry) -> csr_array:
        """Weights of the base recipe, completed."""
        base = self.base.weights(layout).tolil()
        merged = base.copy()
        for city, host in _enclaves(layout):
            for other in {*base.rows[host], *base.T.tolil().rows[host]} - {city}:
                merged[city, other] = merged[city, other] or base[host, other]
                merged[other, city] = merged[other, city] or base[other, host]
        return csr_array(merged)


@dataclass(frozen=True)
class Union(Recipe):
    """Neighbors by either recipe, with weight 1.

    Examples
    --------
    >>> print(Queen() | CityMerged())
    queen contiguity or city merged with its region (queen contiguity)
    """

    first: Recipe
    second: Recipe

    def __post_init__(self) -> None:
        _check_parts(self)

    def __str__(self) -> str:
        return f"{_part(self.first)} or {_part(self.second)}"

    def weights(self, layout: RegionGeometry) -> csr_array:
        """Weights of 1 where either recipe has a neighbor."""
        return binary(binary(self.first.weights(layout)) + binary(self.second.weights(layout)))


@dataclass(frozen=True)
class Intersection(Recipe):
    """Neighbors by both recipes, with weight 1.

    Examples
    --------
    >>> print(Queen() & Rook())
    queen contiguity and rook contiguity
    """

    first: Recipe
    second: Recipe

    def __post_init__(self) -> None:
        _check_parts(self)

    def __str__(self) -> str:
        return f"{_part(self.first)} and {_part(self.second)}"

    def weights(self, layout: RegionGeometry) -> csr_array:
        """Weights of 1 where both recipes have a neighbor."""
        return binary(self.first.weights(layout)).multiply(binary(self.second.weights(layout))).tocsr()


def binary(weights: csr_array) -> csr_array:
    """Weight 1 for every neighbor."""
    return csr_array((weights > 0).astype(float))


def check_whole(value: Any, name: str) -> int:
    """Return a whole number of at least 1, or say what it is instead."""
    try:
        number = index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, (bool, np.bool_)):
        raise InputError(f"{name} is {value!r}; it must be a whole number.")
    if number < 1:
        raise InputError(f"{name} is {number}; it must be at least 1.")
    return number


def check_positive(value: Any, name: str, unit: str = "") -> float:
    """Return a finite positive number, or say what it is instead."""
    right = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not right or not 0 < value < np.inf:
        raise InputError(f"{name} is {value!r}; it must be a positive number{unit and f' of {unit}'}.")
    return float(value)


def check_option(value: Any, name: str, known: tuple[str, ...]) -> None:
    """Refuse a word that is not among the known ones."""
    if not isinstance(value, str) or value not in known:
        raise InputError(f"{name} is {value!r}; it must be one of {listing(known, 12)}.")


def _check_parts(recipe: Any) -> None:
    for part in fields(recipe):
        value = getattr(recipe, part.name)
        if not isinstance(value, Recipe):
            raise InputError(f"{part.name} is {value!r}; it must be a graph recipe, such as Queen().")


def _part(recipe: Recipe) -> str:
    return f"({recipe})" if isinstance(recipe, Union | Intersection) else str(recipe)


def _enclaves(layout: RegionGeometry) -> list[tuple[int, int]]:
    """Positions of enclaves and of their hosts."""
    neighbors = layout.contiguity()
    shapes = layout.polygons.to_numpy()
    found = []
    for city in np.flatnonzero(np.diff(neighbors.indptr) == 1):
        host = neighbors.indices[neighbors.indptr[city]]
        filled = [shapely.Polygon(part.exterior) for part in shapely.get_parts(shapes[host])]
        if shapely.union_all(filled).covers(shapes[city]):
            found.append((int(city), int(host)))
    return found


def enclaves(layout: RegionGeometry) -> pd.Series[Any]:
    """Host of each enclave, by label, as :class:`CityMerged` defines them."""
    cities, hosts = np.array(_enclaves(layout), dtype=int).reshape(-1, 2).T
    return pd.Series(layout.labels[hosts], index=layout.labels[cities], name="host", dtype=object)
