"""``spatialkz lq`` and ``spatialkz audit``: quotients, and whether published ones can be what they say."""

from __future__ import annotations

from typing import Annotated

import typer

from spatialkz.cli.arguments import Output, Source, takes_source
from spatialkz.cli.output import emit, emit_result, tell
from spatialkz.errors import InputError
from spatialkz.options import QuotientKind


@takes_source()
def lq(
    source: Source,
    kind: Annotated[
        QuotientKind,
        typer.Option(help="Which quotient."),
    ] = "simple",
    floor: Annotated[
        float | None, typer.Option(help="Smallest quotient that log-standardized puts in the place of 0.")
    ] = None,
    contained: Annotated[
        bool, typer.Option(help="Whether the base contains the sectors and is in their unit.")
    ] = True,
    output: Output = None,
) -> None:
    """Compute location quotients from volumes or counts; windowed ones need neighbors too.

    A table with suppressed cells gives a row for each region and sector, with the interval of the quotient.
    """
    import pandas as pd

    from spatialkz.specialization import quotient_interval, quotients_of_kind, table_quotients

    if kind != "windowed" and not source.is_study:
        source.refuse_neighbors(f"Neighbors are for windowed quotients, not for {kind} ones")
    files = source.files(contained=contained)
    table = files.activity()
    tell(files.notes)
    if table.kind == "quotients":
        raise InputError(f"{source.file} holds quotients, not the volumes or counts to compute them from.")
    if table.hidden.any(axis=None) or table.national is not None:
        if kind != "simple":
            raise InputError(
                f"{kind} quotients need a complete table; suppressed cells and national totals cannot be "
                "used."
            )
        low, high = quotient_interval(table)
        parts = {"lq": table_quotients(table), "lq_low": low, "lq_high": high}
        emit(pd.DataFrame({name: part.stack() for name, part in parts.items()}).reset_index(), output)
        return
    neighbors = next(iter(source.graphs(files, table.regions).values())) if kind == "windowed" else None
    grouped = table.groups.nunique() > 1 or files.model.table.groups
    quotients = quotients_of_kind(
        table.values,
        table.base,
        kind=kind,
        groups=table.groups if grouped else None,
        contained=table.contained,
        graph=neighbors,
        floor=floor,
    )
    emit(quotients.rename_axis(index="region").reset_index(), output)


@takes_source()
def audit(source: Source, output: Output = None) -> None:
    """Hold published quotients against the identity they must satisfy, and bound what they imply."""
    from spatialkz.specialization import audit_study, audit_table

    claims = None
    if source.is_study:
        found, claims = audit_study(source.study())
    else:
        source.refuse_neighbors("An audit does not use neighbors")
        files = source.files(kind="quotients", rounding=0.005)
        found = audit_table(files.activity())
        tell(files.notes)
    if found is None:
        raise InputError(f"{source.file} holds volumes or counts; an audit is for published quotients.")

    def say() -> None:
        print(found.summary())
        if claims is not None:
            print(claims[["verdict", "found"]].to_string())

    emit_result(found, output, lambda: found.to_frame().reset_index(), say)
