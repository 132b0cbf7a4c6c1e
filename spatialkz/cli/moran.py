"""``spatialkz moran``: spatial autocorrelation."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from spatialkz.cli.arguments import Output, Seed, Source, takes_source
from spatialkz.cli.output import emit
from spatialkz.errors import InputError
from spatialkz.options import Alternative, MoranMethod


@takes_source()
def moran(
    source: Source,
    local: Annotated[bool, typer.Option("--local", help="Local Moran's I of each region.")] = False,
    method: Annotated[
        MoranMethod,
        typer.Option(help="Where the p-value of the global test comes from; auto: exact where it is quick."),
    ] = "permutation",
    permutations: Annotated[int, typer.Option(help="Number of permutations.")] = 9999,
    alternative: Annotated[Alternative, typer.Option(help="Direction of the test.")] = "two-sided",
    seed: Seed = 42,
    output: Output = None,
) -> None:
    """Test each column for spatial autocorrelation (Moran's I), and say what could have been detected.

    --graph can be given several times: the tests are then shown side by side.
    """
    if local and method != "permutation":
        raise InputError("--method is of the global test; leave it out with --local.")
    from spatialkz.spatial import detectable_dependence, graph_sensitivity, local_moran
    from spatialkz.spatial import moran as moran_test

    values, files = source.variables()
    graphs = source.graphs(files, values.index)
    shared: dict[str, Any] = {"permutations": permutations, "alternative": alternative, "rng": seed}
    neighbors = next(iter(graphs.values()))
    if len(graphs) > 1:
        compared = graph_sensitivity(values, graphs, method=method, **shared)
        table = compared.labels.reset_index() if local else compared.to_frame().reset_index()
    elif local:
        table = local_moran(values, neighbors, **shared).to_frame().reset_index()
    else:
        table = moran_test(values, neighbors, method=method, **shared).to_frame()
        detectable = detectable_dependence(values, neighbors, alternative=alternative)
        table = (table if detectable is None else detectable.beside(table)).reset_index()
    emit(table, output)
