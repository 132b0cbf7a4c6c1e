"""Agglomeration beyond what plant sizes alone produce: Ellison & Glaeser, and Maurel & Sédillot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, RegionError, listing
from spatialkz.options import Alternative
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization.indices.dartboard import IndexTest, against_null, check_options, table_of_tests
from spatialkz.specialization.margins import margins
from spatialkz.tables import check_labels

_BLOCK_BYTES = 64_000_000


def ellison_glaeser(
    values: pd.DataFrame,
    herfindahl: pd.Series,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    groups: pd.Series | None = None,
    contained: bool = True,
) -> pd.DataFrame:
    r"""Index of agglomeration of each sector, given the concentration of its plants.

    With :math:`s_i` the region's share of the sector, :math:`x_i` its share of the base and *H* the
    Herfindahl index of plant sizes in the sector,

    .. math::

        G = \sum_i (s_i - x_i)^2, \qquad
        \gamma = \frac{G - (1 - \sum x_i^2) H}{(1 - \sum x_i^2)(1 - H)}, \qquad
        \gamma_{MS} = \frac{\frac{\sum s_i^2 - \sum x_i^2}{1 - \sum x_i^2} - H}{1 - H}.

    Both are 0 on average when plants choose regions independently with probabilities :math:`x_i`, whatever
    their sizes, and 1 on average when all choose as one; below 0 plants avoid each other. They differ where
    the sector sits: :math:`\gamma_{MS}` counts concentration in large regions for more, :math:`\gamma` counts
    departure from the base in either direction. Neither is bounded by −1 and 1 in a single table. Ellison and
    Glaeser call a sector weakly localized below 0.02 and strongly above 0.05; with few plants chance alone
    passes both, so look at :func:`ellison_glaeser_test`.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Employment or another volume that plants have.
    herfindahl : Series
        Sector → :math:`H = \sum_k z_k^2`, with :math:`z_k` the share of plant *k* in the sector; not
        normalized, at least 0 and below 1. One plant (H = 1) has nothing to agglomerate with.
    base, groups, contained
        As in :func:`~spatialkz.specialization.concentration`.

    Returns
    -------
    DataFrame
        Index ``sector``; columns ``gamma, maurel_sedillot, raw_concentration`` (G), ``expected`` (of G under
        the dartboard, :math:`(1 - \sum x^2) H`) and ``plant_herfindahl`` (H).

    Raises
    ------
    InputError
        As :func:`~spatialkz.specialization.concentration`, and if a sector has no H, an H outside [0, 1), or
        one above its :math:`\sum s_i^2`, which no plants can have.
    RegionError
        If the regions of ``base`` are not those of ``values``.

    References
    ----------
    Ellison & Glaeser (1997), *Journal of Political Economy* 105, 889–927. Maurel & Sédillot (1999),
    *Regional Science and Urban Economics* 29, 575–604 (secondary). Lafourcade & Mion (2007),
    *Regional Science and Urban Economics* 37, 46–68, set γ beside Moran's I.

    Examples
    --------
    >>> jobs = pd.DataFrame({"machines": [13000, 32000, 25000]}, index=["Wien", "Linz", "Graz"])
    >>> base = pd.Series([500000, 400000, 100000], index=["Wien", "Linz", "Graz"])
    >>> ellison_glaeser(jobs, pd.Series({"machines": 0.24468878}), base).loc["machines", "gamma"].round(8)
    np.float64(0.05990628)
    """
    found = margins(values, base, groups=groups, contained=contained)
    shares, bases = found.sector_shares, found.base_shares
    h = _checked_herfindahl(herfindahl, (shares**2).sum())
    spread = 1 - (bases**2).sum()
    raw = ((shares - bases) ** 2).sum()
    table = pd.DataFrame(
        {
            "gamma": (raw / spread - h) / (1 - h),
            "maurel_sedillot": (((shares**2).sum() - (bases**2).sum()) / spread - h) / (1 - h),
            "raw_concentration": raw,
            "expected": spread * h,
            "plant_herfindahl": h,
        }
    )
    return table.rename_axis("sector")


def ellison_glaeser_test(
    plants: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    region: str = "region",
    sector: str = "sector",
    size: str = "size",
    groups: pd.Series | None = None,
    contained: bool = True,
    permutations: int = 9999,
    alternative: Alternative = "greater",
    rng: int | np.random.Generator | None = None,
) -> IndexTest:
    r"""Test agglomeration by throwing the plants, each with its own size, at the base shares.

    Null hypothesis: the plants of a sector choose their regions independently, region *i* with probability
    :math:`x_i`. The p-value is that of *G*, of which γ is an increasing function while sizes and base stand;
    Monte Carlo with :math:`p = (b + 1)/(R + 1)`. ``z`` is the deviate of Ellison and Glaeser, with the exact

    .. math::

        \operatorname{var} G = 2 \Bigl\{ H^2 \bigl[\textstyle\sum x^2 - 2 \sum x^3 + (\sum x^2)^2\bigr]
        - \sum_k z_k^4 \bigl[\sum x^2 - 4 \sum x^3 + 3 (\sum x^2)^2\bigr] \Bigr\};

    the distribution of *G* is skewed, so with few plants go by ``p_value``, not by z.

    Parameters
    ----------
    plants : DataFrame
        One row for each plant.
    base : Series or DataFrame, optional
        Base of every region, those without plants too; with ``groups``, a column for each group. Left out,
        the plants' own sums by region (and group).
    region, sector, size : str
        Columns of ``plants``; sizes are positive.
    groups, contained
        As in :func:`~spatialkz.specialization.concentration`.
    permutations : int
        Number of simulated throws, at least 99.
    alternative : {"greater", "less", "two-sided"}
        ``greater`` tests for agglomeration, ``less`` for dispersion.
    rng : int, Generator or None
        Seed. With an integer, a sector's result depends neither on the order of the rows nor on the other
        sectors (but for a base of row sums).

    Returns
    -------
    IndexTest
        ``to_frame()`` has index ``sector`` and columns ``gamma, maurel_sedillot, plant_herfindahl, z`` and,
        for *G*, ``statistic, expected, standard_deviation, low, high`` (the central 95 % under the null),
        ``p_value, p_adjusted`` (Benjamini–Hochberg over the sectors), and ``count`` (plants).

    Raises
    ------
    InputError
        As :func:`ellison_glaeser`, and if a column, a label or a size is missing or a sector has a single
        plant.
    RegionError
        If a plant is in a region that ``base`` does not have.

    References
    ----------
    Ellison & Glaeser (1997), *Journal of Political Economy* 105, 889–927; the variance through R's
    ``REAT::ellison.a``, checked by enumerating all throws of a few plants.

    Examples
    --------
    >>> plants = pd.DataFrame({
    ...     "region": ["Wien"] * 5 + ["Linz"] * 4 + ["Graz"],
    ...     "sector": "machines",
    ...     "size": [200, 650, 12000, 100, 50, 16000, 13000, 1500, 1500, 25000],
    ... })
    >>> base = pd.Series({"Wien": 500000, "Linz": 400000, "Graz": 100000})
    >>> test = ellison_glaeser_test(plants, base, rng=1)
    >>> test.to_frame().loc["machines", ["gamma", "z"]].round(8).tolist()
    [0.05990628, 0.1959002]
    """
    check_options(permutations, alternative)
    listed = _checked_plants(plants, region, sector, size)
    values = listed.pivot_table(
        index="region", columns="sector", values="size", aggfunc="sum", fill_value=0.0, observed=True
    )
    if base is not None:
        check_labels(base.index, "region")
        unknown = values.index.difference(base.index)
        if len(unknown):
            raise RegionError(f"base lacks {listing(unknown)}, where there are plants.")
        values = values.reindex(base.index.sort_values(), fill_value=0.0)
    sizes = listed.groupby("sector", observed=True)["size"]
    plant_shares: dict[Any, Floats] = {name: (z / z.sum()).to_numpy() for name, z in sizes}
    herfindahl = pd.Series({name: (z**2).sum() for name, z in plant_shares.items()})
    indices = ellison_glaeser(values, herfindahl, base, groups=groups, contained=contained).to_dict("index")
    bases = margins(values, base, groups=groups, contained=contained).base_shares
    rows = {}
    for name, z in plant_shares.items():
        x, stream = bases[name].to_numpy(), generator(rng, f"agglomeration of {name}")
        simulated = [((thrown - x) ** 2).sum(axis=1) for thrown in _throws(z, x, permutations, stream)]
        index, deviation = indices[name], np.sqrt(_variance(z, x))
        raw = index["raw_concentration"]
        rows[name] = {
            "gamma": index["gamma"],
            "maurel_sedillot": index["maurel_sedillot"],
            "plant_herfindahl": index["plant_herfindahl"],
            "z": (raw - index["expected"]) / deviation,
            **against_null(raw, np.concatenate(simulated), alternative),
            # Known exactly, so not left to the simulation.
            "expected": index["expected"],
            "standard_deviation": deviation,
            "count": len(z),
        }
    return IndexTest(
        table_of_tests(rows, ["sector"]),
        "the plants of a sector choose their regions independently, with the base shares as probabilities.",
        permutations,
        alternative,
    )


def _variance(z: Floats, x: Floats) -> float:
    """Variance of G when plants of shares z fall on regions of probabilities x."""
    squares, cubes = (x**2).sum(), (x**3).sum()
    one = squares - 2 * cubes + squares**2
    other = squares - 4 * cubes + 3 * squares**2
    return float(2 * ((z**2).sum() ** 2 * one - (z**4).sum() * other))


def _throws(z: Floats, x: Floats, size: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield the regions' shares in simulated throws of the plants, throws × regions, a block at a time."""
    steps = np.cumsum(x)[:-1]
    block = max(1, _BLOCK_BYTES // (8 * max(len(z), len(x))))
    for start in range(0, size, block):
        rows = min(block, size - start)
        landed = np.searchsorted(steps, rng.random((rows, len(z))), side="right")
        landed += np.arange(rows)[:, None] * len(x)
        weights = np.broadcast_to(z, landed.shape)
        shares = np.bincount(landed.ravel(), weights.ravel(), minlength=rows * len(x))
        yield shares.astype(np.float64, copy=False).reshape(rows, len(x))


def _checked_plants(plants: pd.DataFrame, region: str, sector: str, size: str) -> pd.DataFrame:
    missing = [name for name in (region, sector, size) if name not in plants.columns]
    if missing:
        raise InputError(f"plants lacks the column {listing(missing)}; it has {listing(plants.columns)}.")
    listed = plants[[region, sector, size]].set_axis(["region", "sector", "size"], axis=1)
    if not pd.api.types.is_numeric_dtype(listed["size"]):
        raise InputError(f"The sizes of plants must be numbers, but the column {size} holds text.")
    nameless = listed.index[listed[["region", "sector"]].isna().any(axis=1)]
    if len(nameless):
        raise InputError(f"Each plant needs a region and a sector; these rows lack one: {listing(nameless)}.")
    sizes = listed["size"].astype("float64")
    bad = listed.index[~(np.isfinite(sizes) & (sizes > 0))]
    if len(bad):
        raise InputError(f"The size of a plant must be a positive number; it is not in rows {listing(bad)}.")
    numbers = listed["sector"].value_counts()
    alone = numbers.index[numbers == 1]
    if len(alone):
        raise InputError(f"A single plant cannot agglomerate; leave out {listing(alone)}.")
    # The largest plant first, so that the order of the rows does not decide where each is thrown.
    return listed.assign(size=sizes).sort_values("size", ascending=False, kind="stable")


def _checked_herfindahl(herfindahl: pd.Series, largest: pd.Series) -> pd.Series:
    check_labels(herfindahl.index, "sector")
    missing = largest.index.difference(herfindahl.dropna().index)
    if len(missing):
        raise InputError(f"herfindahl has no value for {listing(missing)}.")
    h = herfindahl.loc[largest.index].astype("float64")
    outside = [f"{name} ({value:g})" for name, value in h.to_dict().items() if not 0 <= value < 1]
    if outside:
        raise InputError(
            f"The Herfindahl index of plants is at least 0 and, with more than one plant, below 1; not so in "
            f"{listing(outside)}."
        )
    # The plants of a region cannot be more concentrated than if each region had one.
    above = [f"{name} ({h[name]:g} > {largest[name]:g})" for name in h.index[h > largest * (1 + 1e-9)]]
    if above:
        raise InputError(
            "The Herfindahl index of plants cannot exceed that of the regions' shares, but it does in "
            f"{listing(above)}; check year, unit and normalization."
        )
    return h
