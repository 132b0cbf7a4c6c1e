"""Test what goes with the specialization of a study's sectors, and where prerequisites and sectors part."""

from pathlib import Path
from typing import Annotated

import typer

from spatialkz.cli import find_study, run_script
from spatialkz.errors import InputError
from spatialkz.prerequisites import prerequisite_study
from spatialkz.results import write_json
from spatialkz.specialization import table_quotients


def main(
    study: Annotated[
        str, typer.Argument(help="A study file, or the name of a bundled study.")
    ] = "kazakhstan-2022",
    seed: Annotated[int, typer.Option(help="Seed of permutations and simulations.")] = 42,
    output: Annotated[Path, typer.Option("-o", help="File for all results.")] = Path("prerequisites.json"),
) -> None:
    read = find_study(study)
    found = prerequisite_study(read, rng=seed)
    if found is None:
        raise InputError(f"{study} has no covariates, or fewer than 6 regions.")
    print(found.summary(), "\n")
    print(found.mismatches(table_quotients(read.table), read.choices.threshold).to_string())
    write_json(found.to_dict(), output)
    print(f"All results are in {output}.")


if __name__ == "__main__":
    run_script(main, __doc__)
