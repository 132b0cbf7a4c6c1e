"""``spatialkz prerequisites``: what goes with specialization."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spatialkz.cli.arguments import Output, Seed, Source, takes_source
from spatialkz.cli.output import emit_result
from spatialkz.errors import InputError
from spatialkz.options import Alternative, PrerequisiteFamily


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

    A bare table holds quotients, or whatever columns are to be explained. With neighbors (--graph,
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
