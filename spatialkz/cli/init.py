"""``spatialkz init``: a study file for a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spatialkz.cli.arguments import Reading, takes_reading
from spatialkz.cli.output import tell


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
