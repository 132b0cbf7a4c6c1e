"""``spatialkz moran``, ``focal`` and ``prerequisites``: what is alike, what is focal, what goes together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from spatialkz.cli.arguments import KindOption, Output, Seed, Source, takes_source
from spatialkz.cli.output import emit, emit_result, four_digits
from spatialkz.errors import InputError
from spatialkz.options import Alternative, MoranMethod, PrerequisiteFamily


@takes_source()
def moran(
    source: Source,
    local: Annotated[bool, typer.Option("--local", help="Local Moran's I of each region.")] = False,
    method: Annotated[
        MoranMethod,
        typer.Option(help="Where the p-value of the global test comes from; auto: exact where it is quick."),
    ] = "permutation",
    permutations: Annotated[int, typer.Option(help="Number of permutations.")] = 9999,
    alternative: Annotated[Alternative, typer.Option(help="Direction of the test.")] = "two-sided",
    seed: Seed = 42,
    output: Output = None,
) -> None:
    """Test each column for spatial autocorrelation (Moran's I), and say what could have been detected.

    --graph can be given several times: the tests are then shown side by side.
    """
    if local and method != "permutation":
        raise InputError("--method is of the global test; leave it out with --local.")
    from spatialkz.spatial import detectable_dependence, graph_sensitivity, local_moran
    from spatialkz.spatial import moran as moran_test

    values, files = source.variables()
    graphs = source.graphs(files, values.index)
    shared: dict[str, Any] = {"permutations": permutations, "alternative": alternative, "rng": seed}
    neighbors = next(iter(graphs.values()))
    if len(graphs) > 1:
        compared = graph_sensitivity(values, graphs, method=method, **shared)
        table = compared.labels.reset_index() if local else compared.to_frame().reset_index()
    elif local:
        table = local_moran(values, neighbors, **shared).to_frame().reset_index()
    else:
        table = moran_test(values, neighbors, method=method, **shared).to_frame()
        detectable = detectable_dependence(values, neighbors, alternative=alternative)
        table = (table if detectable is None else detectable.beside(table)).reset_index()
    emit(table, output)


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


@takes_source()
def prerequisites(
    source: Source,
    covariates: Annotated[
        Path | None,
        typer.Option(
            help="Table of covariates: region and a column for each, or region, indicator, value, base. "
            "Left out, those of the study."
        ),
    ] = None,
    controls: Annotated[
        str | None,
        typer.Option(
            metavar="FORMULA", help="What is held equal: 'log(income) + city', from the same table."
        ),
    ] = None,
    transform: Annotated[
        str, typer.Option(help="Form of the quotients: log1p, symmetric, none, or a formula of quotient.")
    ] = "log1p",
    family: Annotated[
        PrerequisiteFamily, typer.Option(help="Over which tests the family-wise p-value goes.")
    ] = "all",
    permutations: Annotated[int, typer.Option(help="Permutations of each test.")] = 9999,
    alternative: Annotated[Alternative, typer.Option(help="Direction of the tests.")] = "two-sided",
    seed: Seed = 42,
    output: Output = None,
) -> None:
    """Test each sector on each covariate: how they go together, whether that lasts, and whom it rests on.

    A bare table holds quotients. With neighbors (--graph,
    --boundaries, or a study) what is left unexplained is tested for autocorrelation too.
    """
    from spatialkz.prerequisites import prerequisite_findings
    from spatialkz.tables import covariate_rows, covariate_table, read_frame

    if covariates is None and not source.is_study:
        raise InputError(f"{source.file} is a table without covariates; name a file with --covariates.")
    values, files = source.variables()
    study = source.study(files) if source.is_study else None
    if covariates is not None:
        known = covariate_table(covariate_rows(read_frame(covariates), covariates.name))
    elif study is None or study.covariates is None:
        raise InputError(f"{source.file} has no covariates; name a file with --covariates.")
    else:
        known = study.covariates
    graph = None if study is None else study.graph
    if study is None and (source.graph or source.boundaries):
        graph = next(iter(source.graphs(files, values.index).values()))
    found = prerequisite_findings(
        values,
        known,
        graph,
        policies=None if study is None else study.policies,
        controls=controls,
        transform=transform,
        family=family,
        permutations=permutations,
        alternative=alternative,
        threshold=1.0 if study is None else study.choices.threshold,
        alpha=0.05 if study is None else study.choices.alpha,
        rng=seed,
    )
    emit_result(found, output, lambda: found.to_frame().reset_index(), lambda: print(found.summary()))
