"""``spatialkz cluster``: regions that are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, get_args

import typer

from spatialkz.cli.arguments import Groups, Output, Seed, Source, takes_source
from spatialkz.cli.output import emit, emit_result, tell
from spatialkz.errors import InputError
from spatialkz.options import ClusterMethod, NumberRule, Transform

if TYPE_CHECKING:
    import pandas as pd


@takes_source()
def cluster(
    source: Source,
    method: Annotated[
        ClusterMethod,
        typer.Option(
            metavar="METHOD",
            help=f"{', '.join(get_args(ClusterMethod))}; the last five use neighbors, max-p needs --floor.",
        ),
    ] = "kmeans",
    transform: Annotated[
        Transform,
        typer.Option(help="Before distances are taken; symmetric = (LQ - 1) / (LQ + 1), for quotients."),
    ] = "symmetric",
    k: Groups = None,
    choose_by: Annotated[
        NumberRule,
        typer.Option(
            help="Rule that chooses k: structure takes 1 unless two tests find clusters; gap, and bic of a "
            "mixture, can choose 1 too; the others never do."
        ),
    ] = "structure",
    alpha: Annotated[
        float | None, typer.Option(help="Spatial weight of clustgeo, 0 to 1; left out, chosen.")
    ] = None,
    floor: Annotated[
        float | None, typer.Option(help="Least size of a cluster of max-p: regions, or units of --sizes.")
    ] = None,
    sizes: Annotated[
        str | None, typer.Option(help="Column of the table with the size of each region, for --floor.")
    ] = None,
    details: Annotated[
        bool, typer.Option("--details", help="Whether there are clusters, and how far they hold.")
    ] = False,
    seed: Seed = 42,
    output: Output = None,
) -> None:
    """Group regions whose quotients are alike, if there are groups: the answer can be one cluster.

    --k shows groups in any case, as a description. --details compares methods, and leaves out regions and
    sectors.
    """
    from spatialkz.clustering import METHODS, analyse_clusters, cluster_regions, transformed
    from spatialkz.clustering.analysis import DEFAULT_METHODS
    from spatialkz.clustering.number.structure import structure_tests
    from spatialkz.clustering.partition.labels import most_clusters
    from spatialkz.progress import shown_progress
    from spatialkz.study import Choices

    if alpha is not None and method != "clustgeo":
        raise InputError(f"--alpha is the spatial weight of clustgeo; {method} has none.")
    if method == "max-p":
        if floor is None:
            raise InputError("max-p makes as many clusters as a least size allows; give --floor.")
        if k is not None or choose_by != "structure" or details:
            raise InputError("max-p finds the number of clusters; leave out --k, --choose-by and --details.")
        emit(_max_p(source, transform, floor, sizes, seed), output)
        return
    if floor is not None or sizes is not None:
        raise InputError(f"--floor and --sizes are the least size of max-p; {method} has none.")
    if k is not None and choose_by != "structure":
        raise InputError(
            f"--k is {k}, so there is no number to choose by {choose_by}; leave one of them out."
        )
    with_neighbors = details or METHODS[method].needs_graph
    if not with_neighbors:
        source.refuse_neighbors(f"{method} uses no neighbors without --details")
    values, files = source.variables()
    if k is None and choose_by == "structure":
        k = Choices(**files.model.choices).clusters
    neighbors = next(iter(source.graphs(files, values.index).values())) if with_neighbors else None
    if not details or neighbors is None:
        features = transformed(values, transform)
        # Groups of a k that is given describe; whether there are clusters is said all the same.
        most_clusters(features.to_numpy(), k)
        clusters = cluster_regions(
            features,
            method=method,
            k=k,
            graph=neighbors,
            alpha=alpha,
            choose_by=choose_by,
            structure=None if k is None else structure_tests(features, rng=seed),
            rng=seed,
        )
        tell([clusters.why])
        emit(clusters.to_frame().rename_axis(index="region").reset_index(), output)
        return
    methods = list(dict.fromkeys([method, *DEFAULT_METHODS]))
    with shown_progress() as progress:
        found = analyse_clusters(
            values,
            neighbors,
            transform=transform,
            methods=methods,
            k=k,
            choose_by=choose_by,
            rng=seed,
            progress=progress,
        )
    emit_result(
        found,
        output,
        lambda: found.to_frame().rename_axis(index="region").reset_index(),
        lambda: print(found.summary()),
    )


def _max_p(source: Source, transform: Transform, floor: float, sizes: str | None, seed: int) -> pd.DataFrame:
    """Region and cluster by max-p."""
    from spatialkz.clustering import max_p, transformed
    from spatialkz.errors import listing

    if sizes is not None and source.is_study:
        raise InputError("The table of a study has sectors alone; --sizes is for a bare table.")
    values, files = source.variables()
    if sizes is not None and sizes not in values:
        raise InputError(
            f"--sizes is {sizes!r}, which is no column; there are {listing(values.columns, 12)}."
        )
    size = None if sizes is None else values.pop(sizes)
    graph = next(iter(source.graphs(files, values.index).values()))
    labels = max_p(transformed(values, transform), graph, floor, sizes=size, rng=seed)
    return labels.rename_axis("region").reset_index()
