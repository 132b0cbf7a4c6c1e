"""``spatialkz register``: a register of firms as a table of regions × sectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from spatialkz.cli.arguments import Output, pairs_of
from spatialkz.cli.output import emit
from spatialkz.errors import InputError
from spatialkz.options import DecimalMark, LeftOut, OnBorder, RegisterBase, SectorLevel

_LEVELS = ", ".join(get_args(SectorLevel))


def register(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILES...", help="Parquet or CSV files, patterns, or a folder of them."),
    ],
    region: Annotated[str | None, typer.Option(help="Column with the region code.")] = None,
    sector: Annotated[str, typer.Option(help="Column with the sector code.")] = ...,  # type: ignore[assignment]
    value: Annotated[str | None, typer.Option(help="Column to sum; left out, rows are counted.")] = None,
    regions: Annotated[
        str | None,
        typer.Option(
            help="How region codes become regions: leading characters (2), kato, or a file with the columns "
            "prefix and label; left out, each code is one."
        ),
    ] = None,
    sectors: Annotated[
        str | None,
        typer.Option(
            help=f"How sector codes become sectors: a level of NACE and OKED ({_LEVELS}), leading "
            "characters, or a file with the columns prefix and label."
        ),
    ] = None,
    plants: Annotated[
        Path | None,
        typer.Option(help="File for the plants of each sector and their Herfindahl index; a row is a plant."),
    ] = None,
    base: Annotated[
        RegisterBase,
        typer.Option(help="Base of each region: the sectors of the table, or all rows, as a column base."),
    ] = "sectors",
    where: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Rows to keep; can be repeated.")
    ] = None,
    constant: Annotated[
        list[str] | None, typer.Option(help="Column that must have one value (year, unit); can be repeated.")
    ] = None,
    leave_out: Annotated[
        bool,
        typer.Option("--leave-out", help="Leave out rows without a value and codes that match no prefix."),
    ] = False,
    longest: Annotated[
        bool, typer.Option("--longest", help="Where one prefix begins with another, let the longest count.")
    ] = False,
    region_digits: Annotated[
        int | None, typer.Option(help="Digits of region codes that lost leading zeros.")
    ] = None,
    sector_digits: Annotated[
        int | None, typer.Option(help="Digits of sector codes that lost leading zeros.")
    ] = None,
    decimal: Annotated[DecimalMark, typer.Option(help="Decimal mark in CSV files.")] = ".",
    boundaries: Annotated[
        Path | None, typer.Option(help="Map, instead of --region: the region that --x and --y lie in.")
    ] = None,
    x: Annotated[str | None, typer.Option(help="Column with the longitude.")] = None,
    y: Annotated[str | None, typer.Option(help="Column with the latitude.")] = None,
    id: Annotated[str | None, typer.Option(help="Region column of the map.")] = None,
    border: Annotated[
        OnBorder, typer.Option(help="Region of a point on a border of several: none, or the first of them.")
    ] = "none",
    output: Output = None,
) -> None:
    """Add up a register of any size to a table of regions × sectors; rows without a code are told."""
    import pandas as pd

    from spatialkz.tables import aggregate_register, write_table

    placed = [option for option in (boundaries, x, y) if option is not None]
    if len(placed) not in (0, 3) or bool(placed) == (region is not None):
        raise InputError(
            "Name the column with the region code (--region), or a map (--boundaries) and "
            "coordinates (--x, --y)."
        )
    frame: Any = files
    kept = pairs_of(where or [], "--where")
    if boundaries is not None and x is not None and y is not None:
        from spatialkz.geography import place_register, read_boundaries

        columns = [sector, *([value] if value else []), *kept, *(constant or [])]
        shapes = read_boundaries(boundaries, id)
        frame = place_register(
            files,
            shapes,
            x,
            y,
            columns=list(dict.fromkeys(columns)),
            border=border,
            texts=[sector],
            numbers=[value] if value else [],
            decimal=decimal,
        )
    what: LeftOut = "leave-out" if leave_out else "error"
    found = aggregate_register(
        frame,
        region or "region",
        sector,
        value,
        regions=_prefixes(regions, "region"),
        sectors=sectors if sectors in get_args(SectorLevel) else _prefixes(sectors, "sector"),
        plants=plants is not None,
        base=base,
        where=kept,
        constant=constant or [],
        missing=what,
        unmatched=what,
        overlap="longest" if longest else "error",
        region_digits=region_digits,
        sector_digits=sector_digits,
        decimal=decimal,
    )
    if plants is not None and found.plants is not None:
        write_table(
            pd.DataFrame({"plants": found.plants.sum(), "herfindahl": found.herfindahl}).reset_index(), plants
        )
    table = found.values if found.base is None else found.values.join(found.base)
    emit(table.reset_index(), output)


def _prefixes(given: str | None, what: str) -> Any:
    """Leading characters, or prefix → label."""
    from spatialkz.regions import region_table
    from spatialkz.tables import read_frame, require_labels

    if given is None or given.isdecimal():
        return None if given is None else int(given)
    if given == "kato" and what == "region":
        table = region_table(2022)
        return dict(zip(table["kato"].str[:2], table["name_en"], strict=True))
    if not Path(given).is_file():
        forms = f"one of {_LEVELS}" if what == "sector" else "kato"
        raise InputError(
            f"--{what}s is {given!r}; expected a number, {forms}, or a file with prefix and label."
        )
    frame = read_frame(given)
    require_labels(["prefix", "label"], frame.columns, f"{Path(given).name} has no column")
    # As a Series, so that a prefix that stands twice is seen.
    return frame.set_index("prefix")["label"]
