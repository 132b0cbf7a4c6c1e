"""``spatialkz run``: the whole job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spatialkz.cli.arguments import KindOption, Seed, Source, takes_source
from spatialkz.errors import InputError
from spatialkz.options import Language


@takes_source(default="kazakhstan-2022")
def run(
    source: Source,
    out: Annotated[Path, typer.Option(help="Results folder; an earlier run in it is replaced.")] = Path(
        "results"
    ),
    seed: Seed = 42,
    lang: Annotated[Language, typer.Option(help="Language of page and figures.")] = "en",
    kind: KindOption = None,
) -> None:
    """Run the whole job and write the results folder; no argument = the paper's study."""
    from spatialkz.pipeline import run_study, terminal_progress

    study = source.study(kind=known_kind(source, kind))
    folder = run_study(study, out, seed=seed, lang=lang, progress=terminal_progress())
    print(f"Results are in {folder}; open {folder / 'report.html'}.")


def known_kind(source: Source, kind: str | None) -> str | None:
    """What the numbers are: a study says it, for a bare table it is to be said."""
    if source.is_study and kind is not None:
        raise InputError(f"--kind is for a bare table; {source.file} says itself what its numbers are.")
    if not source.is_study and kind is None:
        raise InputError(
            f"It is not known what the numbers of {source.file} are; say --kind volumes (money, tonnes), "
            "counts (jobs, plants) or quotients (published), or let spatialkz init write a study file."
        )
    return kind
