"""What a region has to build on beside its sectors: stated prerequisites, each against the whole country."""

from __future__ import annotations

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing

#: Columns of a table of prerequisites.
PREREQUISITE_COLUMNS = ["region", "indicator", "value", "base"]


def prerequisite_quotients(table: pd.DataFrame) -> pd.DataFrame:
    r"""Each region's ratio of value to base over that of all regions together.

    .. math:: q_{im} = \frac{v_{im} / b_{im}}{\sum_h v_{hm} / \sum_h b_{hm}}

    for region *i* and indicator *m*: a location quotient of, for instance, researchers (value) among the
    population (base). 1 is the level of all regions together.

    Parameters
    ----------
    table : DataFrame
        Columns ``region, indicator, value, base``, one row for each region and indicator; value and base in
        units of the source, not negative, base positive.

    Returns
    -------
    DataFrame
        Index ``region``, columns indicators, in the order of the table.

    Raises
    ------
    InputError
        If a column is missing, a pair stands twice or not at all, a number is missing or out of range, or an
        indicator is 0 everywhere.

    Examples
    --------
    >>> rows = [("City", "researchers", 30, 1000), ("Steppe", "researchers", 10, 3000)]
    >>> table = pd.DataFrame(rows, columns=["region", "indicator", "value", "base"])
    >>> prerequisite_quotients(table)["researchers"].round(3).to_dict()
    {'City': 3.0, 'Steppe': 0.333}
    """
    lacking = [name for name in PREREQUISITE_COLUMNS if name not in table]
    if lacking:
        raise InputError(f"The table of prerequisites lacks the column {listing(lacking)}.")
    twice = table.loc[table.duplicated(["region", "indicator"]), ["region", "indicator"]]
    if len(twice):
        region, indicator = twice.iloc[0]
        raise InputError(f"The table of prerequisites has {indicator} of {region} twice.")
    numbers = table[["value", "base"]].apply(pd.to_numeric, errors="coerce")
    wrong = ~np.isfinite(numbers).all(axis=1) | (numbers["value"] < 0) | (numbers["base"] <= 0)
    if wrong.any():
        row = table[wrong].iloc[0]
        raise InputError(
            f"The prerequisite {row['indicator']} of {row['region']} is '{row['value']}' of '{row['base']}'; "
            "a value from 0 and a base above 0 are expected."
        )
    value, base = (
        table.assign(**numbers)
        .pivot(index="region", columns="indicator", values=name)
        .loc[table["region"].unique(), table["indicator"].unique()]
        for name in ("value", "base")
    )
    if value.isna().any().any():
        row, column = np.argwhere(value.isna().to_numpy())[0]
        region, indicator = value.index[row], value.columns[column]
        raise InputError(f"The table of prerequisites has no {indicator} of {region}.")
    nowhere = value.columns[value.sum() == 0]
    if len(nowhere):
        raise InputError(
            f"The prerequisite {listing(nowhere)} is 0 in every region, so it cannot compare them."
        )
    return value.div(base).div(value.sum() / base.sum(), axis="columns")
