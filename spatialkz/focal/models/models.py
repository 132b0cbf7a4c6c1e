r"""Six ways in which a table of quotients could have come about, to be compared with the one observed.

Region *i* has the latent score

.. math:: z_{ij} = c_j F_{ij} + \varepsilon_{ij}

in sector *j*, with independent standard normal :math:`\varepsilon`, :math:`c_j \in \{0, 1\}` telling which
sectors follow the factor *F*, and

============ ======== ========================================================================================
model        shape    factor *F*
============ ======== ========================================================================================
foci         spikes   *h*: a few regions anywhere are lifted, each by its own amount; the others differ
                      little, and no more among neighbors than elsewhere
adjoining    spikes   the values of *h*, dealt out in the order of *f*: the regions lifted lie side by side
gradient     gradient *g*: every region differs from every other, wherever it lies
belt         gradient *f*: a simultaneous autoregression, :math:`f = (1 - \rho W)^{-1} u`, on the graph
sector belts none     a different *f* for each sector: contiguous, and no common factor
dispersed    none     no factor
============ ======== ========================================================================================

The first four co-locate sectors. They are the crossing of two questions: is the common factor a few spikes or
a gradient, and does it follow the map or not?

Only the order of the regions within each sector is taken from *z*: the observed quotients of the sector are
dealt out in that order (a Gaussian copula with the observed margins). So every simulated table has each
sector's observed values, and as many specializations, and differs from the observed one in arrangement alone.

What would tell the models apart without telling anything of the question is taken out. *f* is less its mean
and has the same variance in every region, where a plain autoregression has a common level and varies more at
the edge of the map. And the variance of *f* and *g* over the regions is that of an *h* drawn beside them, so
that all four co-locate sectors equally much.

With ``sizes`` the noise is that of :mod:`spatialkz.focal.questions.size_null`: chance is larger in smaller
regions, :math:`\varepsilon_{ij}` being the normal score of the simulated quotient among those of its sector.
The factor is then added to chance of unequal spread; without a factor the table is exactly one of the size
null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TypeAlias, get_args

import numpy as np
from scipy.sparse import csr_array
from scipy.special import ndtri

from spatialkz.errors import InputError
from spatialkz.focal.questions.size_null import SizeNull, dealt
from spatialkz.options import FocalModel
from spatialkz.resampling.pvalues import Floats

Classes: TypeAlias = Mapping[str, tuple[FocalModel, ...]]
MODELS: tuple[FocalModel, ...] = get_args(FocalModel)
#: Models that differ in the shape of the common factor, wherever it lies.
SHAPES: Classes = MappingProxyType({"spikes": ("foci", "adjoining"), "gradient": ("gradient", "belt")})
#: Models that differ in its place, whatever its shape.
PLACES: Classes = MappingProxyType({"contiguous": ("adjoining", "belt"), "anywhere": ("foci", "gradient")})
# Values of ρ that a prior is cut into: each costs the inversion of a matrix of the size of the map.
_RHO_VALUES = 16
# As near to ±1 as ρ may come.
_EDGE = 0.999


@dataclass(frozen=True)
class Priors:
    """What is believed of the models before the table is seen; every draw is uniform in its range.

    Attributes
    ----------
    hubs : tuple of float
        Fewest hubs, and the largest share of the regions that are hubs (rounded up). More than a fifth would
        no longer be few.
    lift : tuple of float
        How far a hub is lifted in a sector, in standard deviations of chance. Below 1 hubs and gradients
        hardly do more than chance, and no small table could tell the models apart; with 8 a hub leads every
        sector that follows it, and more changes nothing, as only ranks count.
    slope : tuple of float
        Standard deviation of what distinguishes all regions, hubs or not, whatever their neighbors: size,
        wealth. With 0, any common order of the other regions speaks for a belt, wherever they are; with 1
        or more hubs are no longer distinct.
    following : tuple of float
        Share of the sectors that follow the common factor. Below a half it would not be common.
    rho : tuple of float
        Dependence of the belt. Neighbors at ρ = 0.5 are correlated by about 0.2 on a small map; a belt
        weaker than that is none. At 1 there is no autoregression.
    """

    hubs: tuple[int, float] = (1, 0.2)
    lift: tuple[float, float] = (1.5, 8.0)
    slope: tuple[float, float] = (0.0, 0.5)
    following: tuple[float, float] = (0.5, 1.0)
    rho: tuple[float, float] = (0.5, 0.95)

    def __post_init__(self) -> None:
        if self.hubs[0] < 1 or not 0 < self.hubs[1] <= 1:
            raise InputError(f"hubs is {self.hubs}; it must be a number from 1 and a share from 0 to 1.")
        for name, least, most in (
            ("lift", 0.0, np.inf),
            ("slope", 0.0, np.inf),
            ("following", 0.0, 1.0),
            ("rho", -_EDGE, _EDGE),
        ):
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise InputError(
                    f"{name} is {low:g} to {high:g}; it must rise and lie between {least:g} and {most:g}."
                )


#: Sets of priors by which the sensitivity of a comparison is shown.
PRIOR_SETS: Mapping[str, Priors] = MappingProxyType(
    {
        "default": Priors(),
        "weak": Priors(lift=(0.75, 3.0), following=(0.3, 1.0), rho=(0.3, 0.9)),
        "strong": Priors(lift=(3.0, 8.0), following=(0.7, 1.0), rho=(0.8, 0.98)),
        "even": Priors(slope=(0.0, 0.0)),
        "uneven": Priors(slope=(0.0, 1.0)),
    }
)


def checked_priors(priors: Priors | None) -> Priors:
    """The priors given, or the default ones."""
    if priors is not None and not isinstance(priors, Priors):
        raise InputError(f"priors must be a Priors, not {type(priors).__name__}.")
    return Priors() if priors is None else priors


@dataclass(frozen=True)
class Generator:
    """Draws tables of one map; see the text of the module.

    Attributes
    ----------
    cells : array, shape (regions, sectors)
        The observed quotients, whose margins every table has.
    priors : Priors
    weights : csr_array
        Row-standardized.
    sizes : SizeNull or None
        Chance by size of region.
    """

    cells: Floats
    priors: Priors
    weights: csr_array
    sizes: SizeNull | None = None

    @cached_property
    def factors(self) -> Floats:
        """From independent normal scores to *f*, for values of ρ that are all equally likely."""
        low, high = self.priors.rho
        rho = np.unique(low + (high - low) * (np.arange(_RHO_VALUES) + 0.5) / _RHO_VALUES)
        return np.stack([sar_factor(self.weights, value) for value in rho])

    def tables(self, model: FocalModel, count: int, seeds: np.random.SeedSequence) -> Floats:
        """Tables of one model, shape (count, regions, sectors)."""
        m = self.cells.shape[1]
        noise, common = _children(seeds, 2)
        scores = self._noise(count, noise)
        if model != "dispersed":
            rng = np.random.default_rng(common)
            share = rng.uniform(*self.priors.following, size=(count, 1))
            follows = rng.random((count, m)) < share
            scores += self.factor(model, count, rng) * follows[:, None, :]
        return dealt(self.cells, scores)

    def factor(self, model: FocalModel, count: int, rng: np.random.Generator) -> Floats:
        """The factor, shape (count, regions, sectors), or (count, regions, 1) where sectors share it."""
        n, m = self.cells.shape
        hubs = self._hubs(count, rng)
        hubs += rng.uniform(*self.priors.slope, size=(count, 1)) * rng.standard_normal((count, n))
        if model == "foci":
            return hubs[:, :, None]
        spread = hubs.std(axis=1, keepdims=True)
        if model == "gradient":
            return np.asarray(rng.standard_normal((count, n)) * spread)[:, :, None]
        field = self._fields(count, m if model == "sector belts" else 1, rng)
        if model != "adjoining":
            return np.asarray(field * spread[:, :, None])
        ordered = np.empty(hubs.shape)
        np.put_along_axis(ordered, field[:, :, 0].argsort(axis=1), np.sort(hubs, axis=1), axis=1)
        return ordered[:, :, None]

    def _hubs(self, count: int, rng: np.random.Generator) -> Floats:
        n = len(self.cells)
        fewest, share = self.priors.hubs
        most = max(fewest, int(np.ceil(share * n)))
        number = rng.integers(fewest, most + 1, size=(count, 1))
        lift = rng.uniform(*self.priors.lift, size=(count, n))
        # Ranks of independent numbers are a random order; the first of it are the hubs.
        chosen = rng.random((count, n)).argsort(axis=1).argsort(axis=1) < number
        return np.asarray(lift * chosen)

    def _fields(self, count: int, sectors: int, rng: np.random.Generator) -> Floats:
        """Autoregressions of variance 1, shape (count, regions, sectors); those of a table share ρ."""
        which = rng.integers(len(self.factors), size=count)
        normal = rng.standard_normal((count, len(self.cells), sectors))
        field = np.empty(normal.shape)
        for place, factor in enumerate(self.factors):
            field[which == place] = factor @ normal[which == place]
        return field

    def _noise(self, count: int, seeds: np.random.SeedSequence) -> Floats:
        n, m = self.cells.shape
        if self.sizes is None:
            return np.random.default_rng(seeds).standard_normal((count, n, m))
        simulated = self.sizes.scores(seeds, slice(0, count)).reshape(count * n, m)
        ranks = simulated.argsort(axis=0).argsort(axis=0)
        return np.asarray(ndtri((ranks + 0.5) / len(ranks)).reshape(count, n, m))


def sar_factor(weights: csr_array, rho: float) -> Floats:
    r"""Matrix *A* for which :math:`A u` is an autoregression less its mean, of variance 1 in every region.

    Rows of :math:`C (1 - \rho W)^{-1}` scaled to length 1, for independent standard normal *u*; *C* subtracts
    the mean. Without that, most of the variance at large ρ would be of a level common to all regions, which
    orders none before another.

    >>> chain = csr_array([[0.0, 1.0, 0.0, 0.0], [0.5, 0, 0.5, 0], [0, 0.5, 0, 0.5], [0, 0, 1.0, 0]])
    >>> factor = sar_factor(chain, 0.9)
    >>> (factor @ factor.T).round(2)[0]
    array([ 1.  ,  0.6 , -0.84, -0.84])
    """
    inverse = np.linalg.inv(np.eye(weights.shape[0]) - rho * weights.toarray())
    inverse -= inverse.mean(axis=0)
    return np.asarray(inverse / np.linalg.norm(inverse, axis=1, keepdims=True))


def _children(seeds: np.random.SeedSequence, count: int) -> list[np.random.SeedSequence]:
    # Not spawn(), which remembers: the same seeds must give the same children.
    return [np.random.SeedSequence(seeds.entropy, spawn_key=(*seeds.spawn_key, i)) for i in range(count)]
