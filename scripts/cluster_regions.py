"""Group the regions of a study, and ask whether there are clusters at all and how far they hold."""

from pathlib import Path
from typing import Annotated

import typer

from spatialkz.cli import find_study, run_script
from spatialkz.clustering import analyse_clusters
from spatialkz.specialization import complete_quotients
from spatialkz.tables import write_table


def main(
    study: Annotated[
        str, typer.Argument(help="A study file, or the name of a bundled study.")
    ] = "kazakhstan-2022",
    k: Annotated[
        int | None,
        typer.Option(help="Number of groups that describe; left out, 1 unless clusters are found."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of starts and resamples.")] = 42,
    output: Annotated[Path, typer.Option("-o", help="File for clusters by method.")] = Path("clusters.csv"),
) -> None:
    given = find_study(study)
    found = analyse_clusters(
        complete_quotients(given.table),
        given.graph,
        groups=given.table.groups,
        k=k,
        significance=given.choices.alpha,
        rng=seed,
    )
    print(found.summary())
    if found.agreement is not None:
        print("Adjusted Rand index of the methods:", found.agreement.round(2).to_string(), sep="\n")
    write_table(found.to_frame().rename_axis(index="region").reset_index(), output)
    print(f"Clusters are in {output}.")


if __name__ == "__main__":
    run_script(main, __doc__)
