"""``spatialkz regions``: names and codes."""

from __future__ import annotations

from typing import Annotated

import typer

from spatialkz.cli.arguments import Output
from spatialkz.cli.output import emit
from spatialkz.errors import RegionError
from spatialkz.options import Vintage


def regions(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names or codes; left out, all are listed.")
    ] = None,
    vintage: Annotated[Vintage | None, typer.Option(help="Division in force from 2018 or from 2022.")] = None,
    output: Output = None,
) -> None:
    """Look up regions of Kazakhstan by name or code in three languages.

    What is found is shown; the rest is asked about, and the exit status is then 2.
    """
    from spatialkz.regions import region_table, resolve_regions
    from spatialkz.regions.names import known_names

    if not names:
        emit(region_table(vintage or 2018).reset_index(), output)
        return
    known = known_names(names)
    unknown: RegionError | None = None
    if len(known) < len(names):
        try:
            resolve_regions([name for name in names if name not in known])
        except RegionError as error:
            unknown = error
    if known:
        emit(resolve_regions(known, vintage=vintage).reset_index(), output)
    if unknown is not None:
        raise unknown
