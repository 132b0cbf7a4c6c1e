"""What the tests of this room demand of quotients, covariates and controls; formulas for the last two."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, get_args

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.options import QuotientScale
from spatialkz.regions import check_divisions
from spatialkz.resampling.checks import constant_variables
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization import symmetric_quotient
from spatialkz.tables import check_table, require_labels

# Fewer regions have too few arrangements for a test at 5 %.
LEAST_REGIONS = 6
# Regions that each regressor beside the constant needs.
REGIONS_EACH = 5
_COLLINEAR = 1 - 1e-10


def kept_regions(quotients: pd.DataFrame, without: Iterable[Hashable] | None) -> pd.DataFrame:
    """Valid quotients in order of regions, less those left out."""
    table = check_table(quotients, name="quotients", minimum=0.0).sort_index()
    left_out = listed(without, "without", "names of regions")
    require_labels(map(str, left_out), map(str, table.index), "without names regions that quotients lacks:")
    table = table.drop(index=left_out)
    if len(table) < LEAST_REGIONS:
        raise InputError(f"There are {len(table)} regions; at least {LEAST_REGIONS} are needed.")
    return table


def listed(given: Iterable[Any] | None, name: str, expected: str) -> list[Any]:
    """What an option lists; nothing for None."""
    if given is None:
        return []
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f"{name} is {given!r}; {expected} were expected.")
    return list(given)


def beside_quotients(
    table: pd.DataFrame, quotients: pd.DataFrame, regions: pd.Index, name: str
) -> pd.DataFrame:
    """Valid covariates or controls of the regions of ``quotients``, those of ``regions`` in their order."""
    given = check_table(table, name=name)
    check_divisions(given.index, quotients.index, name, "quotients")
    return given.loc[regions]


def split_controls(
    covariates: pd.DataFrame, controls: pd.DataFrame | str | None, quotients: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Covariates that are tested, and controls; columns that a formula of controls names are not tested."""
    if isinstance(controls, str):
        beside, used = formula_columns(controls, covariates, "controls")
        tested = covariates.drop(columns=[name for name in covariates if str(name) in used])
        if tested.shape[1] == 0:
            raise InputError(f"controls = {controls!r} uses every covariate; none is left to be tested.")
        return tested, beside
    if controls is None:
        return covariates, covariates.iloc[:, :0]
    return covariates, beside_quotients(controls, quotients, covariates.index, "controls")


def formula_columns(formula: str, table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, set[str]]:
    """Columns that a formula makes of a table, without constant, and the columns of the table it uses.

    Examples
    --------
    >>> table = pd.DataFrame({"people": [1.0, 10.0], "city": [0.0, 1.0]}, index=["North", "South"])
    >>> made, used = formula_columns("log10(people) + city", table, "controls")
    >>> made["log10(people)"].tolist(), sorted(used)
    ([0.0, 1.0], ['city', 'people'])
    """
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    try:
        parsed: Any = Formula(formula)
        used = {str(variable) for variable in parsed.required_variables}
        require_labels(used - {"np"}, map(str, table.columns), f"The formula of {name} uses")
        with np.errstate(all="ignore"):
            matrix = parsed.get_model_matrix(table.rename(columns=str), na_action="ignore")
        made = pd.DataFrame(matrix).set_axis(table.index).astype(float)
    except InputError:
        raise
    except (FormulaicError, AttributeError, TypeError, ValueError, SyntaxError, KeyError) as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise InputError(
            f"{name} = {formula!r} is no formula that can be computed ({reason}); write for instance "
            "'log(people) + city', and names with spaces between backticks."
        ) from error
    made = made.drop(columns=[column for column in made if column == "Intercept"])
    return check_table(made, name=f"{name} = {formula!r}"), used


def scaled(table: pd.DataFrame, transform: str) -> pd.DataFrame:
    """Quotients on the scale on which they are regressed.

    Examples
    --------
    >>> scaled(pd.DataFrame({"law": [0.0, 1.0]}), "log(quotient + 0.5)")["law"].round(2).tolist()
    [-0.69, 0.41]
    """
    if not isinstance(transform, str):
        raise InputError(f"transform is {transform!r}; a name or a formula of quotient was expected.")
    if transform == "none":
        return table
    if transform == "log1p":
        return pd.DataFrame(np.log1p(table))
    if transform == "symmetric":
        return symmetric_quotient(table)
    long = pd.DataFrame({"quotient": table.to_numpy().ravel()})
    if "quotient" not in transform:
        raise InputError(
            f"transform is {transform!r}; it must be one of {listing(get_args(QuotientScale))}, or a formula "
            "of quotient such as 'log(quotient + 0.1)'."
        )
    made, _ = formula_columns(transform, long, "transform")
    if made.shape[1] != 1:
        raise InputError(f"transform = {transform!r} makes {made.shape[1]} columns; one was expected.")
    return pd.DataFrame(made.to_numpy().reshape(table.shape), table.index, table.columns)


def unscaled(table: pd.DataFrame, transform: str) -> pd.DataFrame:
    """Back to quotients of at least 0, where the transform is one by name."""
    if transform == "log1p":
        table = pd.DataFrame(np.expm1(table))
    elif transform == "symmetric":
        bounded = table.clip(upper=1 - 1e-9)
        table = (1 + bounded) / (1 - bounded)
    elif transform != "none":
        return table
    return table.clip(lower=0.0)


def refuse_unfit(response: pd.DataFrame, covariates: pd.DataFrame, controls: pd.DataFrame) -> None:
    """Refuse what least squares cannot tell apart: constants, collinear columns, too many of them.

    Raises
    ------
    InputError
        Naming the columns.
    """
    for table, what in ((response, "sector"), (covariates, "covariate"), (controls, "control")):
        constant = constant_variables(table) if table.shape[1] else table.columns
        if len(constant):
            raise InputError(
                f"The {what} {listing(constant)} is the same in all {len(table)} regions; leave it out."
            )
    most = max(2, (len(response) - 1) // REGIONS_EACH)
    if 1 + controls.shape[1] > most:
        raise InputError(
            f"A covariate with {controls.shape[1]} controls makes {1 + controls.shape[1]} regressors; "
            f"{len(response)} regions carry {most} at most (one for {REGIONS_EACH} regions)."
        )
    z, beside = (_standard(table) for table in (covariates, controls))
    if np.linalg.matrix_rank(beside, tol=1e-8) < beside.shape[1]:
        raise InputError(f"The controls {listing(controls.columns)} are collinear; leave one out.")
    same = np.argwhere(np.triu(np.abs(z.T @ z), 1) > _COLLINEAR)
    if len(same):
        first, second = covariates.columns[same[0]]
        raise InputError(
            f"The covariates {first} and {second} are collinear, so their tests are one; leave one out."
        )
    basis = np.linalg.qr(beside)[0]
    for table, cells, what in ((covariates, z, "covariate"), (response, _standard(response), "sector")):
        left = ((cells - basis @ (basis.T @ cells)) ** 2).sum(axis=0)
        gone = table.columns[left < 1 - _COLLINEAR]
        if len(gone):
            raise InputError(
                f"The {what} {listing(gone)} is a combination of the controls {listing(controls.columns)}, "
                "which leaves nothing to be tested."
            )


def _standard(table: pd.DataFrame) -> Floats:
    """Columns less their means, of length 1."""
    cells = table.to_numpy() - table.to_numpy().mean(axis=0)
    standard: Floats = cells / np.linalg.norm(cells, axis=0)
    return standard


def marked_pairs(
    pairs: Iterable[tuple[Hashable, Hashable]] | None,
    sectors: pd.Index,
    covariates: pd.Index,
    known: pd.Index,
) -> np.ndarray:
    """Which (covariate, sector) pairs measure the same activity, shape (k, m)."""
    marked = np.zeros((len(covariates), len(sectors)), dtype=bool)
    for pair in listed(pairs, "same_activity", "pairs (sector, covariate)"):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise InputError(f"same_activity holds {pair!r}; pairs (sector, covariate) were expected.")
        sector, covariate = pair
        require_labels([str(sector)], map(str, sectors), "same_activity names a sector that quotients lacks:")
        require_labels(
            [str(covariate)], map(str, known), "same_activity names a covariate that is not given:"
        )
        marked[covariates == covariate, sectors.get_loc(sector)] = True
    return marked
