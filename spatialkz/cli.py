"""The command line: it parses, calls the package and writes; no statistics here.

Everything heavy is imported inside the commands, so that ``spatialkz --help`` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from spatialkz import __version__
from spatialkz.errors import InputError, RegionError, SpatialKZError

if TYPE_CHECKING:
    import pandas as pd
    from libpysal.graph import Graph

    from spatialkz.study import Study

app = typer.Typer(
    name="spatialkz",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


File = Annotated[Path, typer.Argument(help="CSV, XLSX or Parquet; long or wide.", show_default=False)]
StudyArgument = Annotated[
    str, typer.Argument(metavar="[STUDY.toml|NAME]", help="A study file, or the name of a bundled study.")
]
Region = Annotated[str | None, typer.Option(help="Column with the region; left out, the first column.")]
Sector = Annotated[str | None, typer.Option(help="Column with the sector, if the file is long.")]
Value = Annotated[str | None, typer.Option(help="Column with the value, if the file is long.")]
Groups = Annotated[
    Path | None, typer.Option(help="File with a sector and a group column; left out, one base for all.")
]
Graphs = Annotated[
    list[str],
    typer.Option(
        help="A recipe (queen, rook, knn:k=4, distance_band:threshold=500, inverse_distance, gabriel, "
        "city_merged, 'queen|knn:k=3' ...) or a file of neighbor pairs; several for a comparison."
    ),
]
Boundaries = Annotated[
    Path | None, typer.Option(help="Polygons: GeoPackage, GeoJSON or Shapefile. Left out: Kazakhstan's.")
]
IdColumn = Annotated[str | None, typer.Option("--id", help="Region column of the boundaries.")]
Encoding = Annotated[str, typer.Option(help="Encoding of a text file.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of all random draws.")]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="File to write: .csv, .json, .parquet or .xlsx.")
]


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Find knowledge-intensive clusters of regions, say how sure that is, and whether they are focal."""


@app.command()
def run(
    study: StudyArgument = "kazakhstan-2022",
    out: Annotated[Path, typer.Option(help="Results folder; an earlier run in it is replaced.")] = Path(
        "results"
    ),
    seed: Seed = 42,
    lang: Annotated[Literal["en", "ru", "kk"], typer.Option(help="Language of page and figures.")] = "en",
) -> None:
    """Run the whole job on a study and write the results folder; no argument = the paper's study."""
    from spatialkz.pipeline import run_study, terminal_progress

    folder = run_study(find_study(study), out, seed=seed, lang=lang, progress=terminal_progress())
    print(f"Results are in {folder}; open {folder / 'report.html'}.")


@app.command()
def lq(
    file: File,
    region: Region = None,
    sector: Sector = None,
    value: Value = None,
    base: Annotated[
        str | None, typer.Option(help="Column or file with the base of each region; left out, the row sums.")
    ] = None,
    groups: Groups = None,
    kind: Annotated[
        Literal[
            "simple",
            "symmetric",
            "additive",
            "normalized",
            "standardized",
            "log-standardized",
            "windowed",
        ],
        typer.Option(help="Which quotient."),
    ] = "simple",
    floor: Annotated[
        float | None, typer.Option(help="Smallest quotient that log-standardized puts in the place of 0.")
    ] = None,
    contained: Annotated[
        bool, typer.Option(help="Whether the base contains the sectors and is in their unit.")
    ] = True,
    graph: Annotated[str | None, typer.Option(help="For windowed quotients: as for moran.")] = None,
    boundaries: Boundaries = None,
    id_column: IdColumn = None,
    encoding: Encoding = "utf-8-sig",
    output: Output = None,
) -> None:
    """Compute location quotients from volumes or counts; windowed ones need neighbors too."""
    from spatialkz.specialization import quotients_of_kind
    from spatialkz.tables import read_region_table, split_base

    values = read_region_table(file, region=region, sector=sector, value=value, encoding=encoding)
    totals: Any = None
    if base is not None:
        values, totals = split_base(values, base)
    if kind == "windowed":
        neighbors = _graph(values.index, graph or "queen", boundaries, id_column)
    elif graph is None and boundaries is None:
        neighbors = None
    else:
        raise InputError(
            f"Neighbors are for windowed quotients; {kind} ones take no --graph or --boundaries."
        )
    quotients = quotients_of_kind(
        values, totals, kind=kind, groups=_groups(groups), contained=contained, graph=neighbors, floor=floor
    )
    _emit(quotients.rename_axis(index="region").reset_index(), output)


@app.command()
def audit(
    file: Annotated[
        str, typer.Argument(metavar="FILE|STUDY", help="Published quotients; or a study.", show_default=False)
    ],
    region: Region = None,
    sector: Sector = None,
    value: Value = None,
    groups: Groups = None,
    rounding: Annotated[float, typer.Option(help="Half of the last printed digit.")] = 0.005,
    encoding: Encoding = "utf-8-sig",
    output: Output = None,
) -> None:
    """Hold published quotients against the identity they must satisfy, and bound what they imply."""
    from spatialkz.datasets import study_names
    from spatialkz.results import write_json
    from spatialkz.specialization import audit_quotients, audit_study
    from spatialkz.tables import read_region_table

    claims = None
    if file in study_names() or file.endswith(".toml"):
        audited, claims = audit_study(find_study(file))
        if audited is None:
            raise InputError(f"{file} brings volumes or counts; an audit is for published quotients.")
        found = audited
    else:
        values = read_region_table(Path(file), region=region, sector=sector, value=value, encoding=encoding)
        found = audit_quotients(values, _groups(groups), rounding=rounding)
    if output is not None and output.suffix == ".json":
        write_json(found.to_dict(), output)
    elif output is not None:
        _emit(found.to_frame().reset_index(), output)
    if output is not None:
        return
    print(found.summary())
    if claims is not None:
        print(claims[["verdict", "found"]].to_string())


@app.command()
def moran(
    file: File,
    region: Region = None,
    sector: Sector = None,
    value: Value = None,
    graph: Graphs = ["queen"],  # noqa: B006
    boundaries: Boundaries = None,
    id_column: IdColumn = None,
    local: Annotated[bool, typer.Option("--local", help="Local Moran's I of each region.")] = False,
    method: Annotated[
        Literal["permutation", "exact", "saddlepoint", "normal", "randomization"],
        typer.Option(help="Where the p-value of the global test comes from."),
    ] = "permutation",
    permutations: Annotated[int, typer.Option(help="Number of permutations.")] = 9999,
    alternative: Annotated[
        Literal["two-sided", "greater", "less"], typer.Option(help="Direction of the test.")
    ] = "two-sided",
    seed: Seed = 42,
    encoding: Encoding = "utf-8-sig",
    output: Output = None,
) -> None:
    """Test each column for spatial autocorrelation (Moran's I), and say what could have been detected.

    --graph can be given several times: the tests are then shown side by side.
    """
    from spatialkz.spatial import detectable_dependence, graph_sensitivity, local_moran
    from spatialkz.spatial import moran as moran_test
    from spatialkz.tables import read_region_table

    values = read_region_table(file, region=region, sector=sector, value=value, encoding=encoding)
    graphs = {name: _graph(values.index, name, boundaries, id_column) for name in graph}
    shared: dict[str, Any] = {"permutations": permutations, "alternative": alternative, "rng": seed}
    neighbors = graphs[graph[0]]
    if len(graphs) > 1:
        compared = graph_sensitivity(values, graphs, method=method, **shared)
        table = compared.labels.reset_index() if local else compared.to_frame().reset_index()
    elif local:
        table = local_moran(values, neighbors, **shared).to_frame().reset_index()
    else:
        table = moran_test(values, neighbors, method=method, **shared).to_frame()
        detectable = detectable_dependence(values, neighbors)
        table = (table if detectable is None else detectable.beside(table)).reset_index()
    _emit(table, output)


@app.command()
def cluster(
    file: File,
    region: Region = None,
    sector: Sector = None,
    value: Value = None,
    method: Annotated[Literal["kmeans", "ward"], typer.Option(help="Clustering method.")] = "kmeans",
    k: Annotated[int | None, typer.Option(help="Number of clusters; left out, chosen by silhouette.")] = None,
    transform: Annotated[
        Literal["symmetric", "none"],
        typer.Option(help="symmetric = (LQ - 1) / (LQ + 1), for quotients; none = as they are."),
    ] = "symmetric",
    seed: Seed = 42,
    encoding: Encoding = "utf-8-sig",
    output: Output = None,
) -> None:
    """Group regions whose quotients are alike."""
    from spatialkz.clustering import cluster_regions
    from spatialkz.specialization import symmetric_quotient
    from spatialkz.tables import read_region_table

    values = read_region_table(file, region=region, sector=sector, value=value, encoding=encoding)
    features = symmetric_quotient(values) if transform == "symmetric" else values
    clusters = cluster_regions(features, method=method, k=k, rng=seed)
    _emit(clusters.to_frame().rename_axis(index="region").reset_index(), output)


@app.command()
def rank(
    study: StudyArgument = "kazakhstan-2022",
    areas: Annotated[bool, typer.Option("--areas", help="Rank regions instead of region × sector.")] = False,
    draws: Annotated[int | None, typer.Option(help="Monte-Carlo draws; left out, as the study says.")] = None,
    seed: Seed = 42,
    output: Output = None,
) -> None:
    """Rank cluster candidates, or areas, with rank intervals."""
    from spatialkz.candidates import rank_candidates

    ranking = rank_candidates(find_study(study), draws=draws, rng=seed)
    _emit(ranking.areas if areas else ranking.candidates, output)


@app.command()
def regions(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names or codes; left out, all are listed.")
    ] = None,
    vintage: Annotated[
        Literal[2018, 2022] | None, typer.Option(help="Division in force from 2018 or from 2022.")
    ] = None,
    output: Output = None,
) -> None:
    """Look up regions of Kazakhstan by name or code in three languages."""
    from spatialkz.regions import region_table, resolve_regions

    table = resolve_regions(names, vintage=vintage) if names else region_table(vintage or 2018)
    _emit(table.reset_index(), output)


def find_study(name: str) -> Study:
    """Read a study file, or load a bundled study by name."""
    from spatialkz.study_file import load_study, read_study

    return read_study(name) if name.endswith(".toml") or Path(name).is_file() else load_study(name)


def _graph(labels: pd.Index, graph: str, boundaries: Path | None, id_column: str | None) -> Graph:
    """Neighbors from a file of pairs, from polygons, or from the bundled regions of Kazakhstan."""
    import pandas as pd

    from spatialkz.geography import as_recipe, names_recipe, read_boundaries
    from spatialkz.regions import resolve_regions
    from spatialkz.study_file import region_graph

    if names_recipe(graph):
        polygons = None if boundaries is None else read_boundaries(boundaries, id_column)
        try:
            known = resolve_regions(list(labels)) if polygons is None else pd.DataFrame(index=labels)
        except RegionError as error:
            raise RegionError(
                f"Neighbors of regions elsewhere need --boundaries, or --graph with a file of pairs. {error}"
            ) from error
        return region_graph(known, as_recipe(graph), polygons)
    return region_graph(pd.DataFrame(index=labels), Path(graph))


def _groups(file: Path | None) -> pd.Series | None:
    """Sector → base group, from a file with columns ``sector`` and ``group``."""
    if file is None:
        return None
    from spatialkz.tables import read_frame

    frame = read_frame(file)
    missing = sorted({"sector", "group"} - set(frame.columns))
    if missing:
        raise InputError(f"{file.name} has no column {' and '.join(missing)}.")
    return frame.set_index("sector")["group"]


def _emit(table: pd.DataFrame, output: Path | None) -> None:
    """Write to a file, show on a terminal, or send plain CSV down a pipe."""
    from spatialkz.tables import write_table

    if output is not None:
        write_table(table, output)
    elif sys.stdout.isatty():
        print(table.to_string(index=False, float_format="{:.4g}".format))
    else:
        try:
            table.to_csv(sys.stdout, index=False, float_format="%.10g", lineterminator="\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # A reader that stops early has what it wanted; nothing is left to flush at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def guarded(command: Callable[[], object]) -> None:
    """Run a command; bad input ends in one sentence on standard error and exit status 2."""
    try:
        command()
    except SpatialKZError as error:
        print(f"spatialkz: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def main() -> None:
    """Entry point of the command ``spatialkz``."""
    guarded(app)


def run_script(command: Callable[..., object], doc: str | None = None) -> None:
    """Turn one function into a script with the same manners as ``spatialkz``; ``doc`` is its help."""
    script = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    script.command(help=doc)(command)
    guarded(script)


if __name__ == "__main__":
    main()
