"""Test whether the sectors of a study are focal: co-located in few places that do not lie side by side."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from spatialkz.cli import find_study, run_script
from spatialkz.errors import InputError
from spatialkz.focal.study import focal_study
from spatialkz.progress import shown_progress
from spatialkz.results import write_json
from spatialkz.specialization import audit_table


def main(
    study: Annotated[
        str, typer.Argument(help="A study file, or the name of a bundled study.")
    ] = "kazakhstan-2022",
    permutations: Annotated[int, typer.Option(help="Permutations of each test.")] = 9999,
    simulations: Annotated[int, typer.Option(help="Simulated tables of the model comparison.")] = 12_000,
    seed: Annotated[int, typer.Option(help="Seed of permutations and simulations.")] = 42,
    output: Annotated[Path, typer.Option("-o", help="File for all results.")] = Path("focal.json"),
) -> None:
    found = find_study(study)
    choices = replace(found.choices, permutations=permutations, simulations=simulations)
    found = replace(found, choices=choices)
    with shown_progress() as progress:
        test, notes = focal_study(found, audit_table(found.table), rng=seed, progress=progress)
    if test is None:
        raise InputError(notes[0])
    print(test.summary(), *notes, sep="\n")
    write_json(test.to_dict(), output)
    print(f"All results are in {output}.")


if __name__ == "__main__":
    run_script(main, __doc__)
