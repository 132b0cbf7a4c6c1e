"""``spatialkz focal``: foci, belts, or spread."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from spatialkz.cli.arguments import KindOption, Output, Seed, Source, takes_source
from spatialkz.cli.output import emit_result, four_digits
from spatialkz.errors import InputError


@takes_source()
def focal(
    source: Source,
    threshold: Annotated[
        float | None, typer.Option(help="Quotient from which a region counts as specialized.")
    ] = None,
    permutations: Annotated[int | None, typer.Option(help="Permutations of each test.")] = None,
    simulations: Annotated[
        int | None, typer.Option(help="Simulated tables behind the comparison of models.")
    ] = None,
    kind: KindOption = None,
    seed: Seed = 42,
    output: Output = None,
) -> None:
    """Test whether sectors are focal: co-located in few regions that stand out, apart or side by side.

    What is left out is as the study says, or for a file its default: quotients rounded to two digits,
    threshold 1, 9,999 permutations, 12,000 simulations, contiguity. The first --graph is tested, the others
    are compared with it.
    """
    from dataclasses import replace

    from spatialkz.focal.study import focal_study
    from spatialkz.progress import shown_progress
    from spatialkz.specialization import audit_table

    if not source.is_study:
        kind = kind or "quotients"
    files = source.files(kind=kind, rounding=0.005 if kind == "quotients" else None)
    study = source.study(files)
    given: dict[str, Any] = {
        "threshold": threshold,
        "permutations": permutations,
        "simulations": simulations,
    }
    choices = replace(study.choices, **{name: value for name, value in given.items() if value is not None})
    others = {}
    if len(source.graph) > 1:
        graphs = source.graphs(files, study.table.regions)
        others = dict(list(graphs.items())[1:])
    with shown_progress() as progress:
        found, notes = focal_study(
            replace(study, choices=choices),
            audit_table(study.table),
            graphs=others or None,
            rng=seed,
            progress=progress,
        )
    if found is None:
        raise InputError(notes[0])

    def say() -> None:
        print(found.summary())
        print(found.to_frame().drop(columns="reason").T.map(four_digits).to_string())
        for note in notes:
            print(note)

    emit_result(found, output, lambda: found.to_frame().reset_index(), say)
