"""``spatialkz init``: a study file for a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spatialkz.cli.output import tell


def init(
    path: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="A table, or a folder for an example.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a study file that exists.")] = False,
) -> None:
    """Write a commented study file for a table, or a small working example into an empty folder."""
    from spatialkz.study_init import init_study

    found = init_study(path, replace=force)
    tell(found.notes)
    for question in found.questions:
        print(f"Open: {question}")
    print(f"The study is in {found.path}; try: spatialkz run {found.path}")
