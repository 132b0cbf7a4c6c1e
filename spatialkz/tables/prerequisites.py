"""What a region has to build on beside its sectors: prerequisites against the country, and covariates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.options import CovariateTransform, DecimalMark
from spatialkz.results import Result, json_ready
from spatialkz.tables.labels import check_table, require_labels
from spatialkz.tables.reading.numbers import parse_numbers

#: Columns of a table of prerequisites.
PREREQUISITE_COLUMNS = ["region", "indicator", "value", "base"]
#: Columns that a list of covariates may have beside ``covariate``.
ABOUT_COLUMNS = [
    *("name_en", "name_ru", "name_kk", "unit", "per", "transform", "same_activity"),
    *("year", "division", "formula", "source"),
]


@dataclass(frozen=True, repr=False)
class Covariates(Result):
    """What is known of the regions that may go with their specialization.

    Attributes
    ----------
    values : DataFrame, shape (regions, covariates)
        In the units of ``about``.
    about : DataFrame
        Index ``covariate``; ``name_en, name_ru, name_kk, unit``; ``per``, by which value over base was
        multiplied; ``transform`` (none, log, log1p); ``same_activity``, sectors whose own activity it
        measures, joined by ``"; "``; ``year, division`` (of the regions), ``formula, source``. Texts are
        empty where nothing is told.

    Examples
    --------
    >>> import spatialkz
    >>> known = spatialkz.load_study().covariates
    >>> known.values.loc["Nur-Sultan", ["researchers", "technopark"]].round(1).tolist()
    [27.4, 2.0]
    """

    values: pd.DataFrame
    about: pd.DataFrame

    @property
    def transformed(self) -> pd.DataFrame:
        """Values after the transform that each covariate names, as models take them."""
        found = self.values.copy()
        for name, transform in self.about["transform"].items():
            if transform != "none":
                found[name] = np.log(found[name]) if transform == "log" else np.log1p(found[name])
        return found

    @property
    def same_activity(self) -> list[tuple[str, str]]:
        """Pairs of a sector and a covariate that measures the sector's own activity.

        Such a covariate goes with its sector by what it is, so that this is no finding.
        """
        return [
            (sector, str(name))
            for name, sectors in self.about["same_activity"].items()
            for sector in str(sectors).split("; ")
            if sector
        ]

    def to_frame(self) -> pd.DataFrame:
        """The values, a copy."""
        return self.values.copy()

    def to_dict(self) -> dict[str, object]:
        """Values by covariate and region with what is known of each covariate, ready for JSON."""
        found = {str(row["covariate"]): row for row in self.about.reset_index().to_dict("records")}
        return {name: json_ready({**row, "values": self.values[name]}) for name, row in found.items()}

    def summary(self) -> str:
        """The covariates with their unit, year and range, as text."""
        lines = [f"{self.values.shape[1]} covariates of {len(self.values)} regions"]
        for about in self.about.reset_index().to_dict("records"):
            name = about["covariate"]
            column = self.values[name]
            told = [text for text in (about["unit"], about["year"]) if text]
            told += [] if about["transform"] == "none" else [f"as {about['transform']}"]
            told += [f"same activity as {about['same_activity']}"] if about["same_activity"] else []
            told += [f"{column.min():g} to {column.max():g}"]
            lines.append(f"{name}: {', '.join(told)}")
        return "\n".join(lines)


def covariate_rows(frame: pd.DataFrame, source: str, decimal: DecimalMark | None = None) -> pd.DataFrame:
    """Bring a table of covariates, long or wide, into long form with numbers.

    Parameters
    ----------
    frame : DataFrame
        Long with the columns ``region, indicator, value`` and perhaps ``base``, empty where the value counts
        by itself; or wide with ``region`` and a column for each covariate. Cells are text or numbers.
    source : str
        What the table is called in an error sentence.
    decimal : {".", ","}, optional
        The decimal mark of numbers that are text.

    Returns
    -------
    DataFrame
        Columns ``region, indicator, value, base``; base NaN where there is none.

    Raises
    ------
    InputError
        If the column ``region`` is missing, there is no covariate, or a cell is no number.

    Examples
    --------
    >>> wide = pd.DataFrame({"region": ["North", "South"], "staff": ["1.5", "2"]})
    >>> covariate_rows(wide, "staff.csv")["value"].tolist()
    [1.5, 2.0]
    """
    frame = frame.rename_axis(index="line")
    if "region" not in frame:
        raise InputError(f"{source} lacks the column region; it has {listing(frame.columns, 12)}.")
    if {"indicator", "value"} <= set(frame.columns):
        numbers = parse_numbers(frame, ["value"], source=source, decimal=decimal)
        based = frame["base"].notna() & (frame["base"] != "") if "base" in frame else None
        base = pd.Series(np.nan, index=frame.index)
        if based is not None and based.any():
            base[based] = parse_numbers(frame[based], ["base"], source=source, decimal=decimal)["base"]
        return frame[["region", "indicator"]].assign(value=numbers["value"], base=base)
    names = [str(column) for column in frame if column != "region"]
    if not names:
        raise InputError(f"{source} has no covariate: no column beside region.")
    numbers = parse_numbers(frame, names, source=source, decimal=decimal).assign(region=frame["region"])
    return numbers.melt("region", names, "indicator", "value").assign(base=np.nan)


def covariate_table(rows: pd.DataFrame, about: pd.DataFrame | None = None) -> Covariates:
    r"""Covariates from their rows: value over base, or the value itself, times what the list says.

    .. math:: x_{im} = c_m \, v_{im} / b_{im}

    with :math:`b_{im} = 1` where there is no base, and :math:`c_m` the number ``per`` (10,000 for people per
    10,000; 1 left out).

    Parameters
    ----------
    rows : DataFrame
        As :func:`covariate_rows` gives them: ``region, indicator, value, base``.
    about : DataFrame, optional
        A row for each covariate in the order wanted: ``covariate`` (its indicator), and any of the columns of
        :attr:`Covariates.about`. Indicators that it does not list are left out. Without it all are taken as
        they are.

    Returns
    -------
    Covariates

    Raises
    ------
    InputError
        If a pair of region and indicator stands twice or not at all, a number is missing or infinite or a
        base not positive; if the list names what has no rows, has an unknown column or transform, or a
        ``per`` that is no positive number; or if a logarithm is asked of a value that has none.

    Examples
    --------
    >>> rows = [("City", "researchers", 30, 1000), ("Steppe", "researchers", 10, 3000)]
    >>> table = pd.DataFrame(rows, columns=["region", "indicator", "value", "base"])
    >>> about = pd.DataFrame({"covariate": ["researchers"], "per": [10_000], "transform": ["log"]})
    >>> covariate_table(table, about).values["researchers"].round(1).to_dict()
    {'City': 300.0, 'Steppe': 33.3}
    """
    about = _about(pd.DataFrame(columns=["covariate"]) if about is None else about)
    known = pd.unique(rows["indicator"])
    if about.empty:
        about = about.reindex(pd.Index(known, name="covariate")).fillna({"per": 1.0, "transform": "none"})
        about = about.fillna("").assign(name_en=known)
    require_labels(about.index, known, "The list of covariates names what no table has:")
    rows = rows[rows["indicator"].isin(about.index)]
    numbers = rows[["value", "base"]].astype(np.float64)
    wrong = ~np.isfinite(numbers["value"]) | (numbers["base"] <= 0)
    if wrong.any():
        row = rows[wrong].iloc[0]
        raise InputError(
            f"The covariate {row['indicator']} of {row['region']} is {row['value']} of {row['base']}; a "
            "finite value and a base above 0, or none, are expected."
        )
    value, base = _pivoted(rows.assign(**numbers), "The table of covariates")
    values = value.div(base.fillna(1.0))[list(about.index)]
    values = check_table(values * about["per"], name="covariates").rename_axis(columns=None)
    for name, transform in about["transform"].items():
        least = float(values[name].min())
        if transform != "none" and least <= (0.0 if transform == "log" else -1.0):
            instead = "log1p or none" if transform == "log" and least > -1 else "none"
            raise InputError(
                f"The covariate {name} is {least:g} in {values[name].idxmin()}, where {transform} is not "
                f"defined; its transform can be {instead}."
            )
    return Covariates(values, about)


def _about(given: pd.DataFrame) -> pd.DataFrame:
    """The list of covariates with all its columns, index ``covariate``."""
    if "covariate" not in given:
        raise InputError("The list of covariates lacks the column covariate.")
    require_labels(
        [str(name) for name in given if name != "covariate"],
        ABOUT_COLUMNS,
        "The list of covariates has unknown columns:",
    )
    twice = given["covariate"][given["covariate"].duplicated()]
    if len(twice):
        raise InputError(f"The list of covariates has {listing(twice.unique())} twice.")
    about = given.set_index("covariate").reindex(columns=ABOUT_COLUMNS)
    about = about.astype(object).where(about.notna(), "")
    numbers = pd.to_numeric(about["per"].replace("", 1), errors="coerce")
    for name, number in numbers.items():
        if not (np.isfinite(number) and number > 0):
            raise InputError(
                f"per of the covariate {name} is {about.at[name, 'per']!r}; a positive number was expected."
            )
    choices = get_args(CovariateTransform)
    about["transform"] = about["transform"].replace("", "none")
    for name, transform in about["transform"].items():
        if transform not in choices:
            raise InputError(
                f"transform of the covariate {name} is {transform!r}; it must be one of {listing(choices)}."
            )
    about["name_en"] = about["name_en"].where(about["name_en"] != "", about.index.astype(str))
    for name in ("name_ru", "name_kk"):
        about[name] = about[name].where(about[name] != "", about["name_en"])
    return about.assign(per=numbers.astype(np.float64), year=about["year"].astype(str))


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
    numbers = table[["value", "base"]].apply(pd.to_numeric, errors="coerce")
    wrong = ~np.isfinite(numbers).all(axis=1) | (numbers["value"] < 0) | (numbers["base"] <= 0)
    if wrong.any():
        row = table[wrong].iloc[0]
        raise InputError(
            f"The prerequisite {row['indicator']} of {row['region']} is '{row['value']}' of '{row['base']}'; "
            "a value from 0 and a base above 0 are expected."
        )
    value, base = _pivoted(table.assign(**numbers), "The table of prerequisites")
    nowhere = value.columns[value.sum() == 0]
    if len(nowhere):
        raise InputError(
            f"The prerequisite {listing(nowhere)} is 0 in every region, so it cannot compare them."
        )
    return value.div(base).div(value.sum() / base.sum(), axis="columns")


def _pivoted(table: pd.DataFrame, what: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Values and bases, regions × indicators in the order of the rows; no pair may be twice or lacking."""
    twice = table.loc[table.duplicated(["region", "indicator"]), ["region", "indicator"]]
    if len(twice):
        region, indicator = twice.iloc[0]
        raise InputError(f"{what} has {indicator} of {region} twice.")
    value, base = (
        table.pivot(index="region", columns="indicator", values=name).loc[
            table["region"].unique(), table["indicator"].unique()
        ]
        for name in ("value", "base")
    )
    if value.isna().any(axis=None):
        row, column = np.argwhere(value.isna().to_numpy())[0]
        raise InputError(f"{what} has no {value.columns[column]} of {value.index[row]}.")
    return value, base
