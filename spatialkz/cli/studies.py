"""The job from its beginning to its pictures: ``init``, ``run`` and ``figures``."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from spatialkz.cli.arguments import (
    Groups,
    KindOption,
    Reading,
    Seed,
    Source,
    takes_reading,
    takes_source,
)
from spatialkz.cli.output import tell
from spatialkz.errors import InputError, listing
from spatialkz.options import FigureSet, Language, NumberKind
from spatialkz.processes import SecondProcess, cores
from spatialkz.progress import shown_progress


@takes_reading
def init(
    reading: Reading,
    path: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="A table, or a folder for an example.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a study file that exists.")] = False,
) -> None:
    """Write a commented study file for a table, or a small working example into an empty folder.

    What is found in the table is filled in; what is for you to settle is listed, and stands on top of the
    file.
    """
    import shlex

    from spatialkz.study.init import init_study
    from spatialkz.study.schema import check_study

    table = check_study({"table": {"file": "the table", **reading.given()}}, "init").table
    found = init_study(path, replace=force, options=table.options())
    tell(found.notes)
    for question in found.questions:
        print(f"Open: {question}")
    print(f"The study is in {found.path}; try: spatialkz run {shlex.quote(str(found.path))}")


@takes_source(default="kazakhstan-2022")
def run(
    source: Source,
    out: Annotated[Path, typer.Option(help="Results folder; an earlier run in it is replaced.")] = Path(
        "results"
    ),
    seed: Seed = 42,
    lang: Annotated[Language, typer.Option(help="Language of page and figures.")] = "en",
    figures: Annotated[
        FigureSet, typer.Option(help="As SVG for the page; all: with PNGs of 300 dots an inch beside them.")
    ] = "page",
    timings: Annotated[bool, typer.Option("--timings", help="Say where the time went.")] = False,
    kind: KindOption = None,
    k: Groups = None,
) -> None:
    """Run the whole job and write the results folder; no argument = the paper's study."""
    kind = known_kind(source, kind)
    with ExitStack() as stack:
        beside = None
        if cores() > 1:
            beside = stack.enter_context(SecondProcess("spatialkz.pipeline"))
        # Imported here and there at the same time.
        from spatialkz.pipeline import run_study

        study = source.study(kind=kind)
        if k is not None:
            study = replace(study, choices=replace(study.choices, clusters=k))
        before = time.process_time()
        progress = stack.enter_context(shown_progress())
        folder = run_study(
            study, out, seed=seed, lang=lang, figures=figures, progress=progress, beside=beside
        )
    if timings:
        _tell_times(folder, before)
    print(f"Results are in {folder}; open {folder / 'report.html'}.")


def _tell_times(folder: Path, before: float) -> None:
    """A line a stage, seconds of the clock and of all processors."""
    from spatialkz.writing import read_manifest

    stages = (read_manifest(folder) or {})["times"]["stages"]
    print(f"{'stage':<24}{'wall s':>8}{'CPU s':>8}\n{'imports and reading':<24}{'':>8}{before:>8.2f}")
    for row in stages:
        print(f"{row['stage']:<24}{row['wall']:>8.2f}{row['cpu']:>8.2f}")


def known_kind(source: Source, kind: NumberKind | None) -> NumberKind | None:
    """What the numbers are: a study says it, for a bare table it is to be said."""
    if source.is_study and kind is not None:
        raise InputError(f"--kind is for a bare table; {source.file} says itself what its numbers are.")
    if not source.is_study and kind is None:
        raise InputError(
            f"It is not known what the numbers of {source.file} are; say --kind volumes (money, tonnes), "
            "counts (jobs, plants) or quotients (published), or let spatialkz init write a study file."
        )
    return kind


def figures(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="Results folder of spatialkz run.")],
) -> None:
    """Draw the figures of earlier results as PNG with 300 dots an inch.

    What was found is found again from the study that the results name, and must be the same to the byte.
    """
    from spatialkz.pipeline import draw_again
    from spatialkz.progress import shown_progress

    with shown_progress() as progress:
        written = draw_again(results, progress=progress)
    print(f"Drawn into {results / 'figures'}: {listing((path.name for path in written), 3)}.")
