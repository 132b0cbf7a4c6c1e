"""Transforms of skewed, bounded or compositional indicators before distances are taken on them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from spatialkz.errors import InputError, listing
from spatialkz.options import Transform
from spatialkz.specialization import symmetric_quotient
from spatialkz.tables import check_table

Matrix: TypeAlias = NDArray[np.float64]

_KEPT = 0.9


class _Columnwise(OneToOneFeatureMixin, TransformerMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """Validation that the transformers here share; what they do to a valid table is `_apply`."""

    _positive = True

    def fit(self, X: npt.ArrayLike, y: object = None) -> _Columnwise:  # noqa: ARG002
        """Check the table and learn what the transform needs from it."""
        self._learn(self._valid(X, reset=True))
        return self

    def transform(self, X: npt.ArrayLike) -> Matrix:
        """Transform a table with the columns seen in `fit`."""
        check_is_fitted(self)
        return self._apply(self._valid(X, reset=False))

    def _valid(self, X: npt.ArrayLike, *, reset: bool) -> Matrix:
        table: Matrix = validate_data(self, X, dtype=np.float64, reset=reset)
        if self._positive and (table < 0).any():
            raise InputError(
                f"Negative values in data passed to {type(self).__name__}: "
                f"the smallest is {table.min():g}, expected at least 0."
            )
        return table

    def _learn(self, table: Matrix) -> None:
        pass

    @abstractmethod
    def _apply(self, table: Matrix) -> Matrix:
        """What the transformer makes of a valid table."""

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = self._positive
        return tags


class Log1p(_Columnwise):
    r"""Logarithm :math:`\ln(1 + x)` of values of at least 0, which keeps zeros at 0.

    Examples
    --------
    >>> Log1p().fit_transform([[0.0], [np.e - 1]])
    array([[0.], [1.]])
    """

    def _apply(self, table: Matrix) -> Matrix:
        return np.log1p(table)


class Symmetric(_Columnwise):
    r"""Symmetric form :math:`(x - 1)/(x + 1)` of quotients, from −1 (absent) over 0 (average) towards 1.

    See Also
    --------
    spatialkz.specialization.symmetric_quotient : The same for a labelled table.

    Examples
    --------
    >>> Symmetric().fit_transform([[0.0], [1.0], [3.0]]).ravel()
    array([-1. ,  0. ,  0.5])
    """

    def _apply(self, table: Matrix) -> Matrix:
        return symmetric_quotient(pd.DataFrame(table)).to_numpy()


class ColumnRanks(_Columnwise):
    r"""Position of a value in the distribution of its column in the table that was fitted.

    .. math:: F(x) = \frac{\#\{i : x_i < x\} + \tfrac12 \#\{i : x_i = x\}}{n}

    On the fitted table this is (average rank − ½) / n, ties averaged; new values are placed between the old.

    Attributes
    ----------
    sorted_ : array, shape (regions, features)
        Columns of the fitted table, each in ascending order.

    Examples
    --------
    >>> ranks = ColumnRanks().fit([[1.0], [5.0], [5.0], [40.0]])
    >>> ranks.transform([[1.0], [5.0], [40.0], [7.0]]).ravel()
    array([0.125, 0.5  , 0.875, 0.75 ])
    """

    _positive = False
    sorted_: Matrix

    def _learn(self, table: Matrix) -> None:
        self.sorted_ = np.sort(table, axis=0)

    def _apply(self, table: Matrix) -> Matrix:
        places = [
            np.searchsorted(old, new, "left") + np.searchsorted(old, new, "right")
            for old, new in zip(self.sorted_.T, table.T, strict=True)
        ]
        return np.column_stack(places) / (2 * len(self.sorted_))


class CenteredLogRatio(_Columnwise):
    r"""Centered log-ratio of each row's shares, with zeros replaced multiplicatively.

    Rows are closed to shares :math:`s_j`, D of them. Where :math:`s_j = 0` it becomes :math:`\delta`, and the
    other shares of that row are multiplied by :math:`1 - Z\delta`, Z the zeros in the row, so that their
    ratios stay as they were and the row still sums to 1. Then

    .. math:: \operatorname{clr}_j = \ln s_j - \frac1D \sum_l \ln s_l .

    Distances between the results are Aitchison distances. Quotients with one base group give the same
    distances as the shares behind them, if none is 0: dividing every row by the national shares cancels.
    Zeros weigh heavily, the more so the smaller δ is: look at results under several.

    Parameters
    ----------
    replacement : float, optional
        δ, the share put where one is 0; must be below 1/D. Left out, 1/D².

    Attributes
    ----------
    replacement_ : float
        δ as used.
    zeros_ : int
        Zeros replaced in the fitted table.

    References
    ----------
    Aitchison (1986), *The Statistical Analysis of Compositional Data*; Martín-Fernández, Barceló-Vidal &
    Pawlowsky-Glahn (2003), *Mathematical Geology* 35, 253–278 (multiplicative replacement).

    Examples
    --------
    >>> ratio = CenteredLogRatio().fit([[1.0, 3.0], [0.0, 2.0]])
    >>> ratio.zeros_, ratio.replacement_
    (1, 0.25)
    >>> ratio.transform([[1.0, 3.0], [0.0, 2.0]]).round(3)
    array([[-0.549, 0.549], [-0.549, 0.549]])
    """

    replacement_: float
    zeros_: int

    def __init__(self, replacement: float | None = None) -> None:
        self.replacement = replacement

    def _learn(self, table: Matrix) -> None:
        parts = table.shape[1]
        self.replacement_ = parts**-2.0 if self.replacement is None else float(self.replacement)
        if not 0 < self.replacement_ < 1 / parts and parts > 1:
            raise InputError(
                f"replacement is {self.replacement_:g}; with {parts} columns it must be above 0 and below "
                f"{1 / parts:g}."
            )
        self.zeros_ = int((table == 0).sum())

    def _apply(self, table: Matrix) -> Matrix:
        totals = table.sum(axis=1, keepdims=True)
        if not totals.all():
            empty = np.flatnonzero(totals == 0) + 1
            raise InputError(f"Shares need a row sum above 0, but row {listing(empty)} holds only zeros.")
        shares, absent = table / totals, table == 0
        rest = 1 - self.replacement_ * absent.sum(axis=1, keepdims=True)
        logs = np.log(np.where(absent, self.replacement_, shares * rest))
        centered: Matrix = logs - logs.mean(axis=1, keepdims=True)
        return centered


def _scaler(name: str, **options: Any) -> BaseEstimator:
    from sklearn import preprocessing

    made: BaseEstimator = getattr(preprocessing, name)(**options)
    return made


def _components() -> BaseEstimator:
    from sklearn.decomposition import PCA

    return PCA(_KEPT, svd_solver="full")


TRANSFORMS: dict[Transform, Callable[[], BaseEstimator]] = {
    "none": lambda: _scaler("FunctionTransformer", feature_names_out="one-to-one"),
    "log1p": Log1p,
    "symmetric": Symmetric,
    "rank": ColumnRanks,
    "clr": CenteredLogRatio,
    "robust": lambda: _scaler("RobustScaler"),
    "standard": lambda: _scaler("StandardScaler"),
    "pca": _components,
}


def transformed(features: pd.DataFrame, transform: Transform | BaseEstimator) -> pd.DataFrame:
    """Features as distances should see them.

    Parameters
    ----------
    features : DataFrame
        Rows are regions, columns indicators.
    transform : str or scikit-learn transformer
        ``none``; ``log1p``; ``symmetric``, (x − 1)/(x + 1); ``rank``, position within the column; ``clr``,
        centered log-ratio of row shares; ``robust``, (x − median) / interquartile range; ``standard``,
        z-scores; ``pca``, the principal components that keep 90 % of the variance of the features as given.
        A column whose range or deviation is 0 is centered only. For other options or a sequence pass a
        transformer: ``make_pipeline(Log1p(), PCA(0.8))``. It is cloned, never fitted itself.

    Returns
    -------
    DataFrame
        Index as given; columns as given, or ``pca0, pca1, …``.

    Raises
    ------
    InputError
        If cells are missing or infinite, negative for ``log1p``, ``symmetric`` or ``clr``, if a region has
        only zeros (``clr``) or no column varies (``pca``), or the transform is unknown or gives no finite
        table.

    Examples
    --------
    >>> quotients = pd.DataFrame({"steel": [0.0, 1.0, 12.0]}, index=["North", "South", "West"])
    >>> transformed(quotients, "log1p")["steel"].round(2).to_dict()
    {'North': 0.0, 'South': 0.69, 'West': 2.56}
    """
    return _fitted(features, transform)[0]


def transform_note(features: pd.DataFrame, transform: Transform | BaseEstimator) -> str:
    """Say in a line what :func:`transformed` does to these features: zeros replaced, variance kept.

    Examples
    --------
    >>> transform_note(pd.DataFrame({"a": [1.0, 0.0], "b": [1.0, 4.0]}, index=["North", "South"]), "clr")
    'centered log-ratio of row shares; 1 of 4 cells was 0 and replaced by a share of 0.25 (multiplicative)'
    """
    transformer = _fitted(features, transform)[1]
    if isinstance(transformer, CenteredLogRatio):
        zeros = transformer.zeros_
        note = "centered log-ratio of row shares"
        if zeros:
            note += (
                f"; {zeros} of {features.size} cells {'was' if zeros == 1 else 'were'} 0 and replaced by "
                f"a share of {transformer.replacement_:.3g} (multiplicative)"
            )
        return note
    if hasattr(transformer, "explained_variance_ratio_"):
        kept = transformer.explained_variance_ratio_.sum()
        return f"{transformer.n_components_} principal components, which keep {kept:.1%} of the variance"
    return _NOTES[transform] if isinstance(transform, str) else str(transformer)


_NOTES: dict[str, str] = {
    "none": "values as given",
    "log1p": "ln(1 + x)",
    "symmetric": "(x − 1)/(x + 1)",
    "rank": "rank within the column, ties averaged",
    "robust": "(x − median) / interquartile range",
    "standard": "z-scores",
}


def _fitted(
    features: pd.DataFrame, transform: Transform | BaseEstimator
) -> tuple[pd.DataFrame, BaseEstimator]:
    """Return the transformed table, and the transformer fitted to it."""
    table = check_table(features, name="features")
    if isinstance(transform, str):
        if transform not in TRANSFORMS:
            raise InputError(
                f"transform is {transform!r}; it must be one of {listing(get_args(Transform), 8)}."
            )
        transformer = TRANSFORMS[transform]()
    elif hasattr(transform, "fit_transform") and hasattr(transform, "set_output"):
        transformer = clone(transform)
    else:
        raise InputError(f"transform must be a name or a scikit-learn transformer, not {transform!r}.")
    if getattr(transformer, "_positive", False):
        # The same rule as the transformer's own, in words that name region and column.
        check_table(table, name="features", minimum=0)
    if isinstance(transformer, CenteredLogRatio) and (table.sum(axis=1) == 0).any():
        empty = table.index[table.sum(axis=1) == 0]
        raise InputError(f"Shares need a row sum above 0, but {listing(empty)} has only zeros.")
    # Principal components, known by an option of theirs: importing them for a look takes a tenth of a second.
    if hasattr(transformer, "svd_solver") and not table.nunique().gt(1).any():
        raise InputError("Principal components need a column that varies, and none does.")
    # scikit-learn names columns by text only.
    named = table.set_axis(table.columns.astype(str), axis=1)
    result = transformer.set_output(transform="pandas").fit_transform(named)
    if result.columns.equals(named.columns):
        result = result.set_axis(table.columns, axis=1)
    return check_table(result, name="transformed features"), transformer
