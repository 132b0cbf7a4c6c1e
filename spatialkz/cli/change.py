"""``spatialkz change``: what changed between the periods of a study or a table."""

from __future__ import annotations

from typing import Annotated

import typer

from spatialkz.cli.arguments import KindOption, Output, Seed, Source, takes_source
from spatialkz.cli.output import emit_result, tell
from spatialkz.errors import InputError
from spatialkz.options import ShiftShareMethod


@takes_source()
def change(
    source: Source,
    kind: KindOption = None,
    period: Annotated[
        str | None, typer.Option(help="Column with the period, such as year; a study names its own.")
    ] = None,
    first: Annotated[str | None, typer.Option(help="First period; left out, the first there is.")] = None,
    last: Annotated[str | None, typer.Option(help="Last period; left out, the last before a break.")] = None,
    across_breaks: Annotated[
        bool, typer.Option("--across-breaks", help="Compare periods of two series that a break parts.")
    ] = False,
    shift_share: Annotated[
        ShiftShareMethod | None, typer.Option(help="Only the parts of growth, by this method.")
    ] = None,
    threshold: Annotated[float, typer.Option(help="Quotient from which a region is specialized.")] = 1.0,
    permutations: Annotated[int, typer.Option(help="Number of permutations.")] = 1999,
    seed: Seed = 42,
    output: Output = None,
) -> None:
    """Compare the periods of a table: quotients, growth, convergence, ranks, entry and exit, focality.

    Without neighbors (--graph, --boundaries, or a study) nothing spatial is asked. No change is computed
    across a break of the series unless --across-breaks says so.
    """
    from spatialkz import change as room

    files = source.files(periods=period, kind=kind)
    panel = files.panel(files.sectors())
    if panel is None:
        raise InputError(
            f"{files.source} names no periods; say which column holds them, such as --period year."
        )
    tell(files.notes)
    stated = files.model.periods.at if files.model.periods is not None else None
    if first is None and last is None and not across_breaks:
        part = panel.unbroken(None if stated is None else str(stated))
        left_out = [period for period in panel.periods if period not in part.periods]
        if left_out:
            why = "; ".join(f"at {start}: {told}" for start, told in panel.breaks.items())
            tell(
                [
                    f"{left_out[0]} to {left_out[-1]} left out, as the series breaks ({why}); name --first "
                    "and --last, or take --across-breaks."
                ]
            )
    else:
        part = panel.between(first, last, across_breaks=across_breaks)
    spatial = source.is_study or source.graph or source.boundaries is not None
    graph = next(iter(source.graphs(files, part.regions).values())) if spatial else None
    if shift_share is not None:
        neighbors = graph if shift_share == "spatial" else None
        found = room.shift_share(part, method=shift_share, graph=neighbors, across_breaks=True)
        emit_result(found, output, lambda: found.to_frame().reset_index(), lambda: print(found.summary()))
        return
    all_of_it = room.analyse_change(
        part, graph, threshold=threshold, permutations=permutations, across_breaks=True, rng=seed
    )
    if output is None:
        print(all_of_it.summary())
    else:
        emit_result(all_of_it, output, lambda: all_of_it.to_frame().reset_index(), lambda: None)
