"""run_study: all stages in order, written as one results folder that is replaced whole or not at all."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import geopandas as gpd
import pandas as pd
from packaging.requirements import Requirement
from pyogrio.errors import DataLayerError, DataSourceError, FieldError, GeometryError

import spatialkz
from spatialkz.candidates import check_context, rank_candidates, review_ranking
from spatialkz.clustering import analyse_clusters, check_clusterable
from spatialkz.errors import InputError, OutputError, listing, notice
from spatialkz.focal.focal import check_families, focal_study
from spatialkz.geography.weights import row_standardized
from spatialkz.options import LANGUAGES
from spatialkz.report import Findings, draw_figures, write_page
from spatialkz.results import write_json
from spatialkz.spatial import constant_variables, detectable_dependence, local_moran, moran
from spatialkz.specialization import (
    audit_study,
    breadth_label,
    certainty,
    check_auditable,
    check_counts,
    complete_quotients,
    focus_interval,
    hidden_notes,
    quotient_interval,
    sector_share_interval,
    symmetric_quotient,
    table_concentration,
    table_quotients,
    with_breadth,
)
from spatialkz.study import Study
from spatialkz.tables.labels import CONTROL
from spatialkz.tables.writers import tell_formulas, write_csv
from spatialkz.writing import MANIFEST, check_folder, replaced_folder, sha256

Progress = Callable[[str], None]
# Clusters take a matrix of regions × regions, and are found again without each region and each sector.
_MOST_REGIONS, _MOST_SECTORS = 20_000, 2_000


def run_study(
    study: Study,
    out: str | Path,
    *,
    seed: int = 42,
    lang: str = "en",
    progress: Progress | None = None,
) -> Path:
    """Run every stage on a study and write the results folder.

    The folder holds ``quotients.csv``, ``concentration.csv``, ``autocorrelation.csv``, ``local.csv``,
    ``clusters.csv``, ``clustering.json``, ``candidates.csv``, ``areas.csv``, ``focal.json`` and
    ``focal_multiverse.csv`` (of 5 or more regions), ``audit.json`` (of published quotients), ``map.gpkg``
    (with boundaries), ``figures/``, ``report.html`` and ``manifest.json``. It is written beside ``out`` and
    moved into place whole, so a run that fails or is killed leaves earlier results as they were. Files in
    ``out`` that are not as the earlier run's manifest lists them are kept: under their own name, or with
    ``.kept`` before the ending where a new output has it. The same seed gives the same bytes in every CSV
    and JSON but for the times in the manifest.

    Parameters
    ----------
    study : Study
    out : path
        The results folder; one that exists must be empty or hold an earlier run.
    seed : int
        Seed of all random draws.
    lang : {"en", "ru", "kk"}
        Language of page and figures; tables keep their column names.
    progress : callable, optional
        Called with the name of each stage as it starts.

    Returns
    -------
    Path
        The results folder.

    Raises
    ------
    InputError, RegionError, GraphError
        As :func:`check_run`, before the first stage.
    OutputError
        If the folder cannot be written, holds files that are no earlier results or that the study is made
        from, or is the working or home folder or above it; before the first stage.
    """
    check_run(study, out, lang=lang)
    say = progress or (lambda _stage: None)
    started = datetime.now(UTC)
    provenance = _provenance(study, seed, lang)
    with replaced_folder(Path(out), study.inputs) as folder:
        findings = analyse(study, seed=seed, progress=say)
        say("tables")
        _write_tables(findings, folder)
        tell_formulas(pd.DataFrame({"region": study.table.regions}), "Each CSV file")
        tell_formulas(pd.DataFrame({"sector": study.table.sectors}), "Each CSV file")
        say("figures")
        (folder / "figures").mkdir()
        figures = draw_figures(findings, folder / "figures", lang)
        say("report")
        write_page(findings, figures, folder / "report.html", lang, provenance=provenance)
        outputs = {
            path.relative_to(folder).as_posix(): sha256(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        times = {"started": started.isoformat(), "finished": datetime.now(UTC).isoformat()}
        write_json({**provenance, "outputs": outputs, "times": times}, folder / MANIFEST)
    return Path(out)


def check_run(study: Study, out: str | Path, *, lang: str = "en") -> None:
    """Refuse in a moment what a run could not do, or not bear, some stages on.

    Parameters
    ----------
    study : Study
    out : path
        The results folder.
    lang : {"en", "ru", "kk"}

    Raises
    ------
    InputError, RegionError, GraphError
        If a name cannot be shown, counts or quotients are too large, no quotient reaches the threshold, no
        quotient or fewer than 3 regions differ, resamples are too few for the number of regions, a group is
        called ``all``, or growth points, named places or rules for types of district do not fit the table.
    OutputError
        If the folder cannot be written, or its replacement could cost more than earlier results.
    """
    if lang not in LANGUAGES:
        raise InputError(f"lang is {lang!r}; it must be one of {listing(LANGUAGES)}.")
    check_folder(Path(out), study.inputs)
    _check_names(study)
    for names, most, kind in (
        (study.table.regions, _MOST_REGIONS, "regions"),
        (study.table.sectors, _MOST_SECTORS, "sectors"),
    ):
        if len(names) > most:
            raise InputError(
                f"A whole run is for {most:,} {kind} at most, and the table has {len(names):,}; group them, "
                "or take the single steps, such as moran."
            )
    check_counts(study.table)
    quotients, threshold = table_quotients(study.table), study.choices.threshold
    if study.table.kind == "quotients":
        check_auditable(quotients)
    if quotients.to_numpy().max() < threshold:
        raise InputError(
            f"No quotient reaches the threshold {threshold:g}; the largest is {quotients.to_numpy().max():g}."
        )
    known = complete_quotients(study.table)
    variables, _ = _testable(with_breadth(known, threshold))
    row_standardized(study.graph, variables.index)
    check_families(study)
    check_clusterable(symmetric_quotient(known), study.choices.resamples)
    check_context(study)


def _check_names(study: Study) -> None:
    """Refuse names that figures and page could not show."""
    frames = (study.regions, study.sectors, study.table.groups.to_frame())
    names = [study.name, study.title, study.source, study.table.unit]
    for frame in frames:
        names += [*frame.index, *(cell for _, column in frame.items() for cell in column)]
    for name in names:
        if isinstance(name, str) and (found := CONTROL.search(name)):
            raise InputError(
                f"The name {name[:60]!r} has the control character U+{ord(found[0]):04X}, which figures and "
                "page cannot show; remove it."
            )


def analyse(study: Study, *, seed: int = 42, progress: Progress | None = None) -> Findings:
    """Run the stages in order and return what they found, writing nothing.

    Parameters
    ----------
    study : Study
    seed : int
    progress : callable, optional
        Called with the name of each stage as it starts.

    Returns
    -------
    Findings
    """
    say = progress or (lambda _stage: None)
    choices = study.choices
    say("quotients")
    quotients = table_quotients(study.table)
    known = complete_quotients(study.table)
    variables, notes = _testable(with_breadth(known, choices.threshold))
    if "breadth" in known:
        notes += (
            "A sector is called breadth, so the number of specializations is called "
            f"{breadth_label(known.columns)} in autocorrelation.csv and local.csv.",
        )
    say("audit")
    audit, claims = audit_study(study)
    say("autocorrelation")
    global_test = moran(variables, study.graph, permutations=choices.permutations, rng=seed)
    local_test = local_moran(
        variables, study.graph, permutations=choices.permutations, alpha=choices.alpha, rng=seed
    )
    focal, focal_notes = focal_study(study, audit, rng=seed, progress=say)
    say("power")
    detectable = detectable_dependence(variables, study.graph, alpha=choices.alpha)
    say("clusters")
    groups = study.table.groups[known.columns]
    clustering = analyse_clusters(known, study.graph, groups=groups, resamples=choices.resamples, rng=seed)
    say("ranking")
    ranking = rank_candidates(
        study,
        rng=seed,
        local=local_test,
        clusters=clustering.main,
        audit=audit,
        colocation=None if focal is None else focal.families["all"].colocation,
    )
    review = review_ranking(study, ranking, rng=seed)
    return Findings(
        study=study,
        quotients=quotients,
        moran=global_test,
        local=local_test,
        clustering=clustering,
        ranking=ranking,
        notes=(*study.notes, *hidden_notes(study.table), *notes, *focal_notes, *clustering.notes),
        seed=seed,
        audit=audit,
        claims=claims,
        detectable=detectable,
        focal=focal,
        review=review,
    )


def _testable(variables: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Leave out variables without variation, and say so."""
    constant = constant_variables(variables)
    notes = tuple(
        f"{name} is the same in every region, so its autocorrelation has no meaning and was not tested."
        for name in constant
    )
    if len(constant) == variables.shape[1]:
        raise InputError(
            "Nothing can be compared: the quotients are the same in every region for "
            f"{listing(variables.columns)}."
        )
    return variables.drop(columns=constant), notes


def _write_tables(findings: Findings, folder: Path) -> None:
    study, ranking = findings.study, findings.ranking
    areas = ranking.areas.set_index("region")
    tables = {
        "quotients": _long_quotients(findings),
        "concentration": table_concentration(study.table, findings.audit).reset_index(),
        "autocorrelation": findings.autocorrelation().reset_index(),
        "local": findings.local.to_frame().reset_index(),
        "clusters": findings.clustering.to_frame().rename_axis(index="region").reset_index(),
        "candidates": ranking.candidates,
        "areas": ranking.areas,
    }
    if findings.review is not None and findings.review.growth is not None:
        tables["growth_points"] = findings.review.growth
    write_json(findings.trust(), folder / "ranking.json")
    if findings.focal is not None:
        write_json(findings.focal.to_dict(), folder / "focal.json")
        if findings.focal.multiverse is not None:
            tables["focal_multiverse"] = findings.focal.multiverse.to_frame().reset_index()
    for name, table in tables.items():
        # Ten digits are more than any input carries and the same on every machine.
        write_csv(table, folder / f"{name}.csv", digits=10)
    write_json(findings.clustering.to_dict(), folder / "clustering.json")
    if findings.audit is not None:
        claims = [] if findings.claims is None else findings.claims.reset_index().to_dict("records")
        write_json({**findings.audit.to_dict(), "claims": claims}, folder / "audit.json")
    if study.boundaries is not None:
        _write_map(study.boundaries, areas, findings.quotients, folder / "map.gpkg")


def _write_map(
    boundaries: gpd.GeoDataFrame, areas: pd.DataFrame, quotients: pd.DataFrame, path: Path
) -> None:
    """Polygons with scores and quotients; columns that differ by capitals alone are given numbers."""
    table = pd.concat([areas, quotients.add_prefix("lq_")], axis=1).loc[boundaries.index]
    table = table.rename_axis(index="region").reset_index()
    names: list[str] = []
    taken = {"fid", "geom", "geometry"}
    for name in table.columns:
        free, number = name, 2
        while free.casefold() in taken:
            free, number = f"{name}_{number}", number + 1
        taken.add(free.casefold())
        names.append(free)
    pairs = [f"{new} for {old}" for old, new in zip(table.columns, names, strict=True) if new != old]
    if pairs:
        notice(f"In map.gpkg capitals tell no columns apart, so it has {listing(pairs)}.")
    layer = gpd.GeoDataFrame(
        table.set_axis(names, axis=1), geometry=boundaries.geometry.to_numpy(), crs=boundaries.crs
    )
    try:
        layer.to_file(path, layer="areas", driver="GPKG")
    except (DataSourceError, DataLayerError, FieldError, GeometryError) as error:
        raise OutputError(f"map.gpkg cannot be written: {str(error).splitlines()[0].rstrip('.')}.") from error


def _long_quotients(findings: Findings) -> pd.DataFrame:
    table = findings.study.table
    low, high = quotient_interval(table)
    share_low, share_high = sector_share_interval(table, findings.audit)
    focus_low, focus_high = focus_interval(table)
    parts = {
        "lq": findings.quotients,
        "lq_low": low,
        "lq_high": high,
        "share_low": share_low,
        "share_high": share_high,
        "focus_low": focus_low,
        "focus_high": focus_high,
        "certainty": certainty(table, findings.study.choices.threshold),
    }
    stacked = {
        name: part.rename_axis(index="region", columns="sector").stack() for name, part in parts.items()
    }
    long = pd.DataFrame(stacked).reset_index()
    long.insert(2, "group", long["sector"].map(table.groups))
    return long


def _provenance(study: Study, seed: int, lang: str) -> dict[str, object]:
    """What was run with what, without times or places."""
    return {
        "study": {"name": study.name, "title": study.title, "source": study.source},
        "seed": seed,
        "lang": lang,
        "choices": asdict(study.choices),
        "versions": _versions(),
        "inputs": _digests(study.inputs),
    }


def _digests(inputs: tuple[Path, ...]) -> dict[str, str]:
    """SHA-256 by file name; with the folder's, where two files have one name."""
    names = [path.name for path in inputs]
    return {
        path.name if names.count(path.name) == 1 else f"{path.parent.name}/{path.name}": sha256(path)
        for path in inputs
    }


def _versions() -> dict[str, str]:
    found = {"spatialkz": spatialkz.__version__, "python": platform.python_version()}
    try:
        needed = requires("spatialkz") or []
    except PackageNotFoundError:  # A copy that was not installed.
        needed = []
    for line in needed:
        name = Requirement(line).name
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def terminal_progress() -> Progress | None:
    """Print stages to standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        return None
    return lambda stage: print(f"  {stage} …", file=sys.stderr, flush=True)
