"""Compute the location quotients of a study and say where regions are specialized.

A published table keeps its own quotients; volumes and counts get theirs from the study's base.
"""

from pathlib import Path
from typing import Annotated

import typer

import spatialkz
from spatialkz.cli import find_study, run_script
from spatialkz.specialization import breadth, table_quotients
from spatialkz.tables import write_table


def main(
    study: Annotated[
        str, typer.Argument(help="A study file, or the name of a bundled study.")
    ] = "kazakhstan-2022",
    output: Annotated[Path, typer.Option("-o", help="File to write.")] = Path("quotients.csv"),
) -> None:
    found: spatialkz.Study = find_study(study)
    quotients = table_quotients(found.table)
    write_table(quotients.reset_index(), output)
    print(breadth(quotients, found.choices.threshold).sort_values(ascending=False).to_string())
    print(f"Quotients of {len(quotients)} regions in {quotients.shape[1]} sectors are in {output}.")


if __name__ == "__main__":
    run_script(main, __doc__)
