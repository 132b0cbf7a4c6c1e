"""Test the sectors of a study, and breadth, for spatial autocorrelation, globally and locally."""

from pathlib import Path
from typing import Annotated

import typer

import spatialkz
from spatialkz.cli import find_study, run_script
from spatialkz.specialization import table_quotients, with_breadth
from spatialkz.tables import write_table


def main(
    study: Annotated[
        str, typer.Argument(help="A study file, or the name of a bundled study.")
    ] = "kazakhstan-2022",
    permutations: Annotated[int, typer.Option(help="Number of permutations.")] = 9999,
    seed: Annotated[int, typer.Option(help="Seed of the permutations.")] = 42,
    output: Annotated[Path, typer.Option("-o", help="File for the local statistics.")] = Path("local.csv"),
) -> None:
    found = find_study(study)
    quotients = table_quotients(found.table)
    variables = with_breadth(quotients, found.choices.threshold)
    print(spatialkz.moran(variables, found.graph, permutations=permutations, rng=seed).summary(), "\n")
    local = spatialkz.local_moran(variables, found.graph, permutations=permutations, rng=seed)
    print(local.summary())
    write_table(local.to_frame().reset_index(), output)
    print(f"Local statistics of every region are in {output}.")


if __name__ == "__main__":
    run_script(main, __doc__)
