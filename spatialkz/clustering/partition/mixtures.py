"""Mixtures of Gaussians with few parameters, and their criterion for the number of clusters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spatialkz.clustering.partition.labels import Matrix
from spatialkz.errors import InputError
from spatialkz.randomness import generator

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

_SHAPES = ("spherical", "diag")
_LEAST_VARIANCE = 0.3


def mixtures(
    points: Matrix,
    ks: Iterable[int],
    *,
    starts: int = 20,
    least_variance: float = _LEAST_VARIANCE,
    rng: int | np.random.Generator | None = None,
) -> dict[int, GaussianMixture]:
    """Gaussian mixture for each k, with spherical or diagonal covariances, whichever has the smaller BIC.

    Full covariances have more parameters than few regions carry. A cluster of one region has no spread, and
    its likelihood no bound: to every variance a share of the mean variance of the columns is added. The share
    decides what BIC finds: in 40 tables of independent normal noise, 17 × 11, it wrongly preferred k > 1 in
    37, 9, 3 and 1 with shares of 0.001, 0.1, 0.2 and 0.3, while three groups two deviations apart in each
    column were found 19 times in 20 with 0.1, 0.2 or 0.3. With few columns it is blunter: two groups in a
    single column can be missed. Try several before reading anything into k.

    Parameters
    ----------
    points : array, shape (regions, features)
    ks : iterable of int
    starts : int
        Starts from k-means++ for each k.
    least_variance : float
        The share added, above 0.
    rng : int, Generator or None

    Returns
    -------
    dict
        k → fitted mixture.

    References
    ----------
    Fraley & Raftery (2002), *JASA* 97, 611–631.
    """
    from sklearn.mixture import GaussianMixture

    seed = int(generator(rng, "mixture").integers(2**31))
    if not least_variance > 0:
        raise InputError(f"least_variance is {least_variance:g}; it must be above 0.")
    least = least_variance * points.var(axis=0).mean()
    return {
        k: min(
            (
                GaussianMixture(
                    k,
                    covariance_type=shape,
                    reg_covar=least,
                    n_init=starts if k > 1 else 1,
                    init_params="k-means++",
                    max_iter=1000,
                    random_state=seed,
                ).fit(points)
                for shape in _SHAPES
            ),
            key=lambda mixture: float(mixture.bic(points)),
        )
        for k in sorted(ks)
    }


def mixture_bic(
    points: Matrix,
    ks: Iterable[int],
    *,
    starts: int = 20,
    least_variance: float = _LEAST_VARIANCE,
    rng: int | np.random.Generator | None = None,
) -> pd.DataFrame:
    r"""Bayesian information criterion of mixtures, :math:`-2 \ln L + m \ln n`; small is good.

    Parameters as in :func:`mixtures`.

    Returns
    -------
    DataFrame
        Index ``k``; columns ``bic, covariance`` (``spherical`` or ``diag``), ``clusters``: components that
        are the likeliest of some region, at most k.

    Examples
    --------
    >>> points = np.repeat([[0.0, 0.0], [9.0, 9.0]], 6, axis=0) + np.eye(12, 2)
    >>> print(mixture_bic(points, [1, 2], rng=1)["bic"].idxmin())
    2
    """
    fitted = mixtures(points, ks, starts=starts, least_variance=least_variance, rng=rng)
    rows = [(m.bic(points), m.covariance_type, len(np.unique(m.predict(points)))) for m in fitted.values()]
    return pd.DataFrame(
        rows, index=pd.Index(list(fitted), name="k"), columns=["bic", "covariance", "clusters"]
    )
