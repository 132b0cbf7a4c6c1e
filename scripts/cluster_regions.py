"""Group the regions of a study by k-means and by Ward's method on symmetric quotients."""

from pathlib import Path
from typing import Annotated

import typer

import spatialkz
from spatialkz.cli import find_study, run_script
from spatialkz.specialization import symmetric_quotient, table_quotients
from spatialkz.tables import write_table


def main(
    study: Annotated[
        str, typer.Argument(help="A study file, or the name of a bundled study.")
    ] = "kazakhstan-2022",
    k: Annotated[int | None, typer.Option(help="Number of clusters; left out, chosen by silhouette.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of starts and resamples.")] = 42,
    output: Annotated[Path, typer.Option("-o", help="File for the k-means clusters.")] = Path("clusters.csv"),
) -> None:
    features = symmetric_quotient(table_quotients(find_study(study).table))
    kmeans = spatialkz.cluster_regions(features, method="kmeans", k=k, rng=seed)
    ward = spatialkz.cluster_regions(features, method="ward", k=k, rng=seed)
    for clusters in (kmeans, ward):
        print(clusters.summary(), f"\n{clusters.criteria.round(3).to_string()}\n")
    write_table(kmeans.to_frame().rename_axis(index="region").reset_index(), output)
    print(f"Clusters are in {output}.")


if __name__ == "__main__":
    run_script(main, __doc__)
