"""The command line: it parses, calls the package and writes; no statistics here.

Everything heavy is imported inside the commands, so that ``spatialkz --help`` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from spatialkz import __version__
from spatialkz.errors import InputError, OutputError, RegionError
from spatialkz.exits import guarded

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
        detectable = detectable_dependence(values, neighbors, alternative=alternative)
        table = (table if detectable is None else detectable.beside(table)).reset_index()
    _emit(table, output)


@app.command()
def focal(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE|STUDY.toml|NAME", help="Quotients; or a study.", show_default=False),
    ],
    region: Region = None,
    sector: Sector = None,
    value: Value = None,
    threshold: Annotated[
        float | None, typer.Option(help="Quotient from which a region counts as specialized.")
    ] = None,
    groups: Groups = None,
    rounding: Annotated[
        float, typer.Option(help="Half of the last printed digit of the quotients in FILE.")
    ] = 0.005,
    graph: Graphs = [],  # noqa: B006
    boundaries: Boundaries = None,
    id_column: IdColumn = None,
    permutations: Annotated[int | None, typer.Option(help="Permutations of each test.")] = None,
    simulations: Annotated[
        int | None, typer.Option(help="Simulated tables behind the comparison of models.")
    ] = None,
    seed: Seed = 42,
    encoding: Encoding = "utf-8-sig",
    output: Output = None,
) -> None:
    """Test whether sectors are focal: piled in few places that do not lie side by side.

    What is left out is as the study says, or for a file its default: threshold 1, 9,999 permutations, 12,000
    simulations, contiguity. The first --graph is tested, the others are compared with it.
    """
    from dataclasses import replace

    from spatialkz.datasets import study_names
    from spatialkz.focal.studies import focal_study
    from spatialkz.pipeline import terminal_progress
    from spatialkz.results import write_json
    from spatialkz.specialization import audit_table
    from spatialkz.study import Study
    from spatialkz.tables import ActivityTable, read_region_table

    whole = file in study_names() or file.endswith(".toml")
    if whole:
        table = (study := find_study(file)).table
    else:
        values = read_region_table(Path(file), region=region, sector=sector, value=value, encoding=encoding)
        table = ActivityTable(values, kind="quotients", rounding=rounding)
        if (grouped := _groups(groups)) is not None:
            table = replace(table, groups=grouped)
    graphs = {
        name: _graph(table.regions, name, boundaries, id_column)
        for name in (graph if whole or graph else ["queen"])
    }
    if not whole:
        study = Study(Path(file).stem, table, next(iter(graphs.values())))
    given: dict[str, Any] = {
        "threshold": threshold,
        "permutations": permutations,
        "simulations": simulations,
    }
    choices = replace(study.choices, **{name: value for name, value in given.items() if value is not None})
    first, *others = graphs.items() or [("", study.graph)]
    found, notes = focal_study(
        replace(study, graph=first[1], choices=choices),
        audit_table(table),
        graphs=dict(others) or None,
        rng=seed,
        progress=terminal_progress(),
    )
    if found is None:
        raise InputError(notes[0])
    if output is not None and output.suffix == ".json":
        write_json(found.to_dict(), output)
    elif output is not None:
        _emit(found.to_frame().reset_index(), output)
    if output is not None:
        return
    print(found.summary())
    numbers = found.to_frame().drop(columns="reason").T
    print(numbers.map(_shown).to_string())
    for note in notes:
        print(note)


def _shown(cell: str | float) -> str:
    """A number in four digits, text as it is; a dash where nothing was computed."""
    if isinstance(cell, str):
        return cell
    return "–" if isnan(cell) else f"{cell:.4g}"


@app.command()
def cluster(
    file: File,
    region: Region = None,
    sector: Sector = None,
    value: Value = None,
    method: Annotated[
        Literal[
            "kmeans",
            "ward",
            "average",
            "complete",
            "mixture",
            "ward-contiguous",
            "skater",
            "region-kmeans",
            "clustgeo",
        ],
        typer.Option(help="Clustering method; the last four use neighbors."),
    ] = "kmeans",
    transform: Annotated[
        Literal["none", "log1p", "symmetric", "rank", "clr", "robust", "standard", "pca"],
        typer.Option(help="Before distances are taken; symmetric = (LQ - 1) / (LQ + 1), for quotients."),
    ] = "symmetric",
    k: Annotated[int | None, typer.Option(help="Number of clusters; left out, chosen by a rule.")] = None,
    choose_by: Annotated[
        Literal["silhouette", "calinski_harabasz", "davies_bouldin", "gap", "bic"],
        typer.Option(help="Rule that chooses k; gap, and bic of a mixture, can choose 1."),
    ] = "silhouette",
    alpha: Annotated[
        float | None, typer.Option(help="Spatial weight of clustgeo, 0 to 1; left out, chosen.")
    ] = None,
    details: Annotated[
        bool, typer.Option("--details", help="Whether there are clusters, and how far they hold.")
    ] = False,
    graph: Annotated[
        str | None, typer.Option(help="For methods that use neighbors, and --details: as for moran.")
    ] = None,
    boundaries: Boundaries = None,
    id_column: IdColumn = None,
    seed: Seed = 42,
    encoding: Encoding = "utf-8-sig",
    output: Output = None,
) -> None:
    """Group regions whose quotients are alike.

    --details compares methods, tests whether there are clusters at all, and leaves out regions and sectors.
    """
    from spatialkz.clustering import METHODS, analyse_clusters, cluster_regions, transformed
    from spatialkz.clustering.analysis import DEFAULT_METHODS
    from spatialkz.results import write_json
    from spatialkz.tables import read_region_table

    values = read_region_table(file, region=region, sector=sector, value=value, encoding=encoding)
    if alpha is not None and method != "clustgeo":
        raise InputError(f"--alpha is the spatial weight of clustgeo; {method} has none.")
    if details or METHODS[method].needs_graph:
        neighbors = _graph(values.index, graph or "queen", boundaries, id_column)
    elif graph is None and boundaries is None:
        neighbors = None
    else:
        raise InputError(f"{method} uses no neighbors without --details; leave out --graph and --boundaries.")
    if not details or neighbors is None:
        clusters = cluster_regions(
            transformed(values, transform),
            method=method,
            k=k,
            graph=neighbors,
            alpha=alpha,
            choose_by=choose_by,
            rng=seed,
        )
        _emit(clusters.to_frame().rename_axis(index="region").reset_index(), output)
        return
    if choose_by != "silhouette":
        raise InputError(f"--details chooses k by silhouette, not by {choose_by}; give --k for another.")
    methods = list(dict.fromkeys([method, *DEFAULT_METHODS]))
    found = analyse_clusters(values, neighbors, transform=transform, methods=methods, k=k, rng=seed)
    if output is not None and output.suffix == ".json":
        write_json(found.to_dict(), output)
    elif output is not None:
        _emit(found.to_frame().rename_axis(index="region").reset_index(), output)
    else:
        print(found.summary())


@app.command()
def rank(
    study: StudyArgument = "kazakhstan-2022",
    areas: Annotated[bool, typer.Option("--areas", help="Rank regions instead of region × sector.")] = False,
    review: Annotated[
        bool,
        typer.Option("--review", help="Hold the ranks against expert tiers, zones and technoparks."),
    ] = False,
    draws: Annotated[int | None, typer.Option(help="Monte-Carlo draws; left out, as the study says.")] = None,
    seed: Seed = 42,
    output: Output = None,
) -> None:
    """Rank cluster candidates, or areas, with rank intervals.

    A terminal shows the leading columns, a file or a pipe gets all. --review writes its results to a .json
    file, or the list of growth points to a table.
    """
    from spatialkz.candidates import rank_candidates, review_ranking
    from spatialkz.results import write_json

    given = find_study(study)
    ranking = rank_candidates(given, draws=draws, rng=seed)
    if not review:
        table = ranking.areas if areas else ranking.candidates
        leading = _LEADING["areas" if areas else "candidates"]
        _emit(table, output, [name for name in leading if name in table])
        return
    found = review_ranking(given, ranking, rng=seed)
    if output is not None and output.suffix == ".json":
        write_json(found.to_dict(), output)
    elif output is None:
        print(found.summary())
    elif found.growth is None:
        raise InputError(f"{study} names no zones or technoparks, so there is no table to write.")
    else:
        _emit(found.growth, output)


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


# Columns of a ranking that a terminal shows.
_LEADING = {
    "candidates": "rank region sector lq score rank_low rank_high p_top10 stars stars_possible".split(),
    "areas": "rank region breadth score rank_low rank_high p_top3 tier district_type formation".split(),
}


def _emit(table: pd.DataFrame, output: Path | None, leading: list[str] | None = None) -> None:
    """Write to a file, show (the leading columns) on a terminal, or send plain CSV down a pipe."""
    from spatialkz.tables import write_table
    from spatialkz.tables.writers import tell_formulas, write_csv

    if output is not None:
        write_table(table, output)
    elif sys.stdout is None:
        raise OutputError("Standard output is closed; name a file with --output.")
    elif sys.stdout.isatty():
        shown = table if leading is None else table[leading]
        print(shown.to_string(index=False, float_format="{:.4g}".format))
    else:
        write_csv(table, sys.stdout, digits=10)
        tell_formulas(table, "The output")


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
