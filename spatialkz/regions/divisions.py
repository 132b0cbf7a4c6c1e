"""Divisions of a country into regions, and the crosswalk that leads a table from one to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from spatialkz.datasets import read_table
from spatialkz.errors import InputError, RegionError, listing
from spatialkz.options import Vintage
from spatialkz.regions.names import region_table, resolve_regions
from spatialkz.tables import ActivityTable, check_table, parse_numbers, read_frame, require_labels
from spatialkz.tables.labels import tidy_label


def division_crosswalk() -> pd.DataFrame:
    """Crosswalk of Kazakhstan: index = region of 2022, a column for each division, unit codes in them.

    Examples
    --------
    >>> division_crosswalk().loc[["SHM", "ABY"]]
           1999 2018 2022
    region
    SHM     YKO  SHM  SHM
    ABY     VKO  VKO  ABY
    """
    table = read_table("regions", text=True).set_index("code")
    units = {str(vintage): table.get(f"unit_{vintage}", table.index) for vintage in get_args(Vintage)}
    return pd.DataFrame(units, index=table.index.rename("region"))


def read_crosswalk(path: str | Path) -> pd.DataFrame:
    """Read the crosswalk of a country.

    A row for each smallest unit: the parts into which the borders of all divisions together cut the country.
    A column for each division, its heading the name of the division, holds the unit that the part belongs to
    in it; columns whose heading begins with ``weight`` hold numbers by which a unit can be divided among its
    parts (inhabitants, jobs).

    Parameters
    ----------
    path : path
        CSV, XLSX or Parquet.

    Returns
    -------
    DataFrame
        Columns as in the file; weights are numbers, all else text.

    Raises
    ------
    InputError
        If there are fewer than two divisions, a cell is empty, or a weight is negative or no number.
    """
    frame = read_frame(path)
    source = Path(path).name
    weights = [column for column in map(str, frame) if column.startswith("weight")]
    divisions = [column for column in map(str, frame) if column not in weights]
    if len(divisions) < 2:
        raise InputError(
            f"{source} has {len(divisions)} columns of units; a crosswalk needs one for each of at least two "
            "divisions."
        )
    units = frame[divisions].fillna("").astype(str).apply(lambda column: column.str.strip())
    for column in divisions:
        if (units[column] == "").any():
            line = units.index[units[column] == ""][0]
            raise InputError(f"{source}, line {line}: the unit of the division {column} is empty.")
    numbers = parse_numbers(frame, weights, source=source) if weights else frame[[]]
    for column in weights:
        bad = numbers.index[numbers[column].isna() | (numbers[column] < 0)]
        if len(bad):
            raise InputError(f"{source}, line {bad[0]}: {column} must be a number of at least 0.")
    crosswalk: pd.DataFrame = units.join(numbers)
    return crosswalk


def change_division(
    values: pd.DataFrame,
    crosswalk: pd.DataFrame,
    before: str,
    after: str,
    *,
    weight: str | None = None,
    base: pd.DataFrame | pd.Series | None = None,
) -> pd.DataFrame:
    r"""Lead a table of sums or ratios from one division to another.

    With :math:`w_k` the weight of part :math:`k`, unit :math:`t` of the new division receives
    :math:`y_t = \sum_s x_s \sum_{k \in s \cap t} w_k / \sum_{k \in s} w_k`. Where every old unit lies within
    one new unit this is a plain sum, and needs no weight.

    Parameters
    ----------
    values : DataFrame
        Index = unit of the division ``before``; units that are wholly absent stay absent.
    crosswalk : DataFrame
        As :func:`read_crosswalk` and :func:`division_crosswalk` give it.
    before, after : str
        Columns of the crosswalk.
    weight : str, optional
        Column of weights; needed where an old unit was divided. The shares are then those of the weight,
        which what is divided need not have.
    base : DataFrame or Series, optional
        What ``values`` are ratios of, by old unit: they are then not added, but made anew of the sums,
        :math:`\sum x b / \sum b`.

    Returns
    -------
    DataFrame
        Index = unit of the division ``after``, in the order of the crosswalk.

    Raises
    ------
    InputError
        If a column is unknown, or a unit was divided and there is no weight.
    RegionError
        If a label is no unit of the division, or of a new unit only a part is in the table.

    Examples
    --------
    >>> jobs = pd.DataFrame({"law": [30.0, 10.0]}, index=["VKO", "ABY"])
    >>> change_division(jobs, division_crosswalk(), "2022", "2018")
            law
    region
    VKO    40.0
    """
    require_labels([before, after], crosswalk.columns, "The crosswalk has no division")
    table = check_table(values, least_regions=1)
    shares = _shares(table.index, crosswalk, before, after, weight)
    if base is None:
        return _led(table, shares)
    under = base if isinstance(base, pd.DataFrame) else pd.DataFrame(dict.fromkeys(table, base))
    under = check_table(under.loc[table.index, table.columns], name="base", minimum=0, least_regions=1)
    sums = _led(under, shares)
    if (sums == 0).any(axis=None):
        empty = sums.index[(sums == 0).any(axis=1)]
        raise InputError(f"The base of {listing(empty)} is 0, so its ratio cannot be made anew.")
    return _led(table * under, shares) / sums


def _led(table: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(shares.to_numpy() @ table.to_numpy(), index=shares.index, columns=table.columns)


def _shares(
    labels: pd.Index, crosswalk: pd.DataFrame, before: str, after: str, weight: str | None
) -> pd.DataFrame:
    """Share of each old unit (column) that each new unit (row) receives."""
    old, new = crosswalk[before], crosswalk[after]
    unknown = labels.difference(pd.Index(old))
    if len(unknown):
        raise RegionError(
            f"{listing(unknown)} are no units of the division {before}; it has {listing(old.unique(), 30)}."
        )
    there = old.isin(labels)
    in_part = sorted(set(new[there]) & set(new[~there]))
    if in_part:
        lacking = {unit: listing(old[(new == unit) & ~there].unique()) for unit in in_part}
        told = "; ".join(f"{unit} lacks {parts}" for unit, parts in lacking.items())
        raise RegionError(f"Of units of {after} only parts are in the table: {told}.")
    old, new = old[there], new[there]
    divided = new.groupby(old).nunique()
    divided = divided[divided > 1]
    if weight is None:
        if len(divided):
            told = "; ".join(f"{unit} into {listing(new[old == unit].unique())}" for unit in divided.index)
            raise InputError(
                f"From {before} to {after} units are divided ({told}), and nothing says how; give a "
                "weight (a column of the crosswalk), or take the coarser division."
            )
        parts = pd.Series(1.0, index=old.index)
    else:
        require_labels([weight], crosswalk.columns, "The crosswalk has no column")
        parts = crosswalk.loc[there, weight].astype("float64")
        sums = parts.groupby(old).sum()
        if (sums <= 0).any():
            raise InputError(f"The weight {weight} of {listing(sums.index[sums <= 0])} is 0 in all parts.")
    pairs = pd.DataFrame({"new": new, "old": old, "part": parts / parts.groupby(old).transform("sum")})
    table = pairs.pivot_table(index="new", columns="old", values="part", aggfunc="sum", fill_value=0.0)
    return table.loc[new.unique(), labels].rename_axis(index="region", columns=None)


def aggregate_regions(
    values: pd.DataFrame,
    vintage: Vintage,
    *,
    before: Vintage | None = None,
    base: pd.DataFrame | pd.Series | None = None,
    crosswalk: pd.DataFrame | None = None,
    weight: str | None = None,
) -> pd.DataFrame:
    """Lead a table on regions of Kazakhstan to a division; its names tell from which.

    Parameters
    ----------
    values : DataFrame
        Index = region, by any name or code that :func:`resolve_regions` understands.
    vintage : {1999, 2018, 2022}
        The division to reach.
    before : {1999, 2018, 2022}, optional
        The division of the table, where its names are not to tell.
    base : DataFrame or Series, optional
        What ``values`` are ratios of; see :func:`change_division`.
    crosswalk, weight
        :func:`division_crosswalk` with a column of weights, and its name; needed to reach a finer division.

    Returns
    -------
    DataFrame
        Index = region of the division, written as most labels of ``values`` are: by code, or by name in
        English, Russian or Kazakh.

    Raises
    ------
    InputError, RegionError
        As :func:`resolve_regions` and :func:`change_division`.

    Examples
    --------
    >>> jobs = pd.DataFrame({"law": [3, 1, 2]}, index=["Almaty City", "Almaty Region", "Jetisu"])
    >>> aggregate_regions(jobs, 2018)
                   law
    region
    Almaty City    3.0
    Almaty Region  3.0
    """
    target = region_table(vintage)
    found = resolve_regions(list(values.index), before)
    codes = pd.Index(found["code"])
    source = str(found["vintage"].iloc[0]) if len(found) else str(vintage)
    result = change_division(
        values.set_axis(codes, axis=0),
        division_crosswalk() if crosswalk is None else crosswalk,
        source,
        str(vintage),
        weight=weight,
        base=None if base is None else base.loc[values.index].set_axis(codes, axis=0),
    )
    written = {style: (found[style] == found.index).sum() for style in ("code", "name_ru", "name_kk")}
    style = max(written, key=lambda style: written[style]) if any(written.values()) else "name_en"
    if style == "code":
        return result
    return result.set_axis(pd.Index(target.loc[result.index, style], name="region"), axis=0)


def aggregate_table(
    table: ActivityTable, crosswalk: pd.DataFrame, before: str, after: str, *, weight: str | None = None
) -> ActivityTable:
    """Lead a table with its base and suppressed cells to another division.

    Volumes, counts and bases add up, and so do the ends of suppressed cells; printed quotients are made anew
    from their bases, and are refused without.

    Parameters
    ----------
    table : ActivityTable
    crosswalk, before, after, weight
        As in :func:`change_division`.

    Raises
    ------
    InputError
        If quotients have no base, or counts would be divided.
    """
    options: dict[str, Any] = {"crosswalk": crosswalk, "before": before, "after": after, "weight": weight}
    if table.kind == "quotients":
        base = table.base
        if base is None:
            raise InputError(
                "Printed quotients cannot be added up, and without the base of each region they cannot be "
                "made anew either; aggregate the volumes they were computed from."
            )
        if isinstance(base, pd.DataFrame):
            single = base.shape[1] == 1
            base = pd.DataFrame(
                {
                    sector: base.iloc[:, 0] if single else base[table.groups[sector]]
                    for sector in table.sectors
                }
            )
        values = change_division(table.values, base=base, **options)
    else:
        values = change_division(table.values, **options)
    new_base = table.base
    if new_base is not None:
        frame = change_division(pd.DataFrame(new_base), **options)
        new_base = frame if isinstance(new_base, pd.DataFrame) else frame.iloc[:, 0]
    members = _shares(table.regions, crosswalk, before, after, weight)
    if table.kind == "counts" and ((members > 0) & (members < 1)).any(axis=None):
        raise InputError("Counts divided by a weight are no counts any more; call them volumes.")
    most = int((members > 0).sum(axis=1).max())
    low, high = (None if end is None else change_division(end, **options) for end in (table.low, table.high))
    return replace(
        table,
        values=values,
        base=new_base,
        rounding=table.rounding * (1 if table.kind == "quotients" else most),
        low=low,
        high=high,
        totals=None,
    )


def aggregate_frame(
    frame: pd.DataFrame,
    vintage: Vintage,
    *,
    before: Vintage | None = None,
    region: str | None = None,
    by: Sequence[str] = (),
    ratios: Mapping[str, str] | None = None,
    weights: pd.DataFrame | None = None,
    weight: str | None = None,
    source: str = "the table",
) -> pd.DataFrame:
    """Lead a file of any shape to a division of Kazakhstan: long or wide, one period or many.

    Rows are taken together by all columns of text and those of ``by``; each such group may stand on a
    division of its own, which its names tell.

    Parameters
    ----------
    frame : DataFrame
        As :func:`spatialkz.tables.read_frame` gives it.
    vintage : {1999, 2018, 2022}
    before : {1999, 2018, 2022}, optional
        The division of the table, where its names are not to tell.
    region : str, optional
        Column with the region; left out, the first.
    by : sequence of str
        Columns of numbers that name a period or a sector, such as ``year``.
    ratios : mapping, optional
        Column → column it is a ratio of; such columns are made anew from the sums.
    weights, weight
        A table by region of 2022 (index = name or code), and its column by which a region is divided.
    source : str
        What the table is called in a sentence.

    Raises
    ------
    InputError, RegionError
        As :func:`aggregate_regions`; or if a column could be a period and is not named in ``by``.
    """
    region = region or str(frame.columns[0])
    ratios = dict(ratios or {})
    require_labels([region, *by, *ratios, *ratios.values()], frame.columns, f"{source} has no column")
    plain = [str(column) for column in frame.columns if column not in (region, *by)]
    cells = frame[plain].apply(lambda column: column.map(tidy_label))
    texts = [column for column in plain if pd.to_numeric(cells[column], errors="coerce").isna().all()]
    numbers = pd.DataFrame(index=frame.index)
    for column in plain:
        if column not in texts:
            given = frame.loc[cells[column] != "", [column]]
            numbers[column] = parse_numbers(given, [column], source=source)[column]
            if column.casefold() in _PERIODS:
                raise InputError(
                    f"{source}: the column {column} names periods, and is no number to add up; keep them "
                    f"apart with --by {column}."
                )
    walk = division_crosswalk()
    if weights is not None:
        found = resolve_regions(list(weights.index), 2022)
        walk = pd.concat(
            [walk, weights.set_axis(pd.Index(found["code"]), axis=0).reindex(walk.index)], axis=1
        )
    keys = [column for column in frame.columns if column in (*by, *texts)]
    parts = []
    groups = frame.groupby(keys, sort=False, dropna=False) if keys else [((), frame)]
    for key, rows in groups:
        values = dict(zip(keys, key, strict=True))
        told = f" ({', '.join(f'{name} {value}' for name, value in values.items())})" if keys else ""
        labels = pd.Index(rows[region].map(tidy_label), name="region")
        group = numbers.loc[rows.index].set_axis(labels, axis=0)
        group = group.loc[:, group.notna().any(axis=0)]
        options: dict[str, Any] = {"before": before, "crosswalk": walk, "weight": weight}
        try:
            sums = aggregate_regions(group.drop(columns=list(ratios), errors="ignore"), vintage, **options)
            for column, under in ratios.items():
                if column in group:
                    made = aggregate_regions(group[[column]], vintage, base=group[under], **options)
                    sums[column] = made[column]
        except InputError as error:
            raise type(error)(f"{source}{told}: {error}") from None
        rest = pd.DataFrame(values, index=sums.index)
        parts.append(sums.join(rest).rename_axis(index=region).reset_index())
    return pd.concat(parts, ignore_index=True).reindex(columns=frame.columns)


_PERIODS = {"year", "period", "date", "time", "год", "период", "жыл", "кезең"}
