"""``spatialkz regions``: names and codes, and tables led from one division to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spatialkz.cli.arguments import Output
from spatialkz.cli.output import emit
from spatialkz.errors import InputError, RegionError
from spatialkz.options import Vintage


def regions(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names or codes; left out, all are listed. With --aggregate: the file of a table."
        ),
    ] = None,
    division: Annotated[
        Vintage | None,
        typer.Option("--division", "--vintage", help="Division in force since 1999, 2018 or 2022."),
    ] = None,
    aggregate: Annotated[
        Vintage | None, typer.Option(help="Lead a table to this division: sums are added up.")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(help="Column with the region; left out, the first.", rich_help_panel="Aggregate"),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="Column of numbers that names a period or a sector; can be repeated."),
    ] = None,
    ratio: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=BASE", help="Column that is a ratio of another, made anew; can be repeated."
        ),
    ] = None,
    crosswalk: Annotated[
        Path | None,
        typer.Option(help="File of weights by region of 2022, by which a region can be divided."),
    ] = None,
    weight: Annotated[str | None, typer.Option(help="Column of weights in that file.")] = None,
    output: Output = None,
) -> None:
    """Look up regions of Kazakhstan by name or code in three languages, or lead a table to another division.

    What is found is shown; the rest is asked about, and the exit status is then 2.
    """
    from spatialkz.regions import region_table, resolve_regions
    from spatialkz.regions.names import known_names

    if aggregate is not None:
        _aggregate(names or [], aggregate, division, region, by or [], ratio or [], crosswalk, weight, output)
        return
    if not names:
        emit(region_table(division or 2018).reset_index(), output)
        return
    known = known_names(names)
    unknown: RegionError | None = None
    if len(known) < len(names):
        try:
            resolve_regions([name for name in names if name not in known])
        except RegionError as error:
            unknown = error
    if known:
        emit(resolve_regions(known, vintage=division).reset_index(), output)
    if unknown is not None:
        raise unknown


def _aggregate(
    files: list[str],
    vintage: Vintage,
    before: Vintage | None,
    region: str | None,
    by: list[str],
    ratio: list[str],
    crosswalk: Path | None,
    weight: str | None,
    output: Path | None,
) -> None:
    from spatialkz.regions import aggregate_frame
    from spatialkz.tables import read_frame, read_region_table

    if len(files) != 1:
        raise InputError(f"--aggregate takes one file, and {len(files)} were named.")
    if (crosswalk is None) != (weight is None):
        raise InputError("--crosswalk and --weight go together: a file of weights, and the column to take.")
    pairs = [text.partition("=")[::2] for text in ratio]
    if wrong := [text for text, (_, base) in zip(ratio, pairs, strict=True) if not base]:
        raise InputError(f"--ratio is {wrong[0]!r}; expected a column and its base with = between them.")
    found = aggregate_frame(
        read_frame(files[0]),
        vintage,
        before=before,
        region=region,
        by=by,
        ratios=dict(pairs),
        weights=None if crosswalk is None else read_region_table(crosswalk),
        weight=weight,
        source=Path(files[0]).name,
    )
    emit(found, output)
