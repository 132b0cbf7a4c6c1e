"""What a run writes beside figures and page: tables, the map, and what the manifest says of its making."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from packaging.requirements import Requirement
from pyogrio.errors import DataLayerError, DataSourceError, FieldError, GeometryError

import spatialkz
from spatialkz.datasets import data_path
from spatialkz.errors import InputError, OutputError, listing, notice
from spatialkz.report import Findings
from spatialkz.results import write_json
from spatialkz.specialization import (
    certainty,
    focus_interval,
    quotient_interval,
    sector_share_interval,
    table_concentration,
)
from spatialkz.study import Choices, Study
from spatialkz.study.files import StudyFiles
from spatialkz.study.schema import check_study
from spatialkz.tables.writers import write_csv
from spatialkz.writing import sha256


def write_tables(findings: Findings, folder: Path) -> None:
    """Write every CSV and JSON file but the manifest."""
    study, ranking = findings.study, findings.ranking
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
    if findings.prerequisites is not None:
        tables["prerequisites"] = findings.prerequisites.to_frame().reset_index()
        write_json(findings.prerequisites.to_dict(), folder / "prerequisites.json")
    if findings.change is not None:
        write_json(findings.change.to_dict(), folder / "change.json")
        tables["change"] = findings.change.to_frame().reset_index()
    for name, table in tables.items():
        # Ten digits are more than any input carries and the same on every machine.
        write_csv(table, folder / f"{name}.csv", digits=10)
    write_json(findings.clustering.to_dict(), folder / "clustering.json")
    if findings.audit is not None:
        claims = [] if findings.claims is None else findings.claims.reset_index().to_dict("records")
        write_json({**findings.audit.to_dict(), "claims": claims}, folder / "audit.json")


def write_map(findings: Findings, boundaries: gpd.GeoDataFrame, path: Path) -> None:
    """Write polygons with scores and quotients; columns that differ by capitals alone are given numbers."""
    quotients = findings.quotients
    areas = findings.ranking.areas.set_index("region")
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
    # Beside names the codes that other tables carry.
    for place, (label, names) in enumerate(
        [("region", findings.study.regions), ("sector", findings.study.sectors)], start=3
    ):
        if "code" in names and (names["code"] != names.index).any():
            long.insert(min(place, len(long.columns)), f"{label}_code", long[label].map(names["code"]))
    return long


def provenance(study: Study, seed: int, lang: str, out: Path) -> dict[str, object]:
    """What was run with what, without times."""
    return {
        "study": {"name": study.name, "title": study.title, "source": study.source, **_origin(study, out)},
        "seed": seed,
        "lang": lang,
        "choices": asdict(study.choices),
        "versions": _versions(),
        "inputs": _digests(study.inputs),
    }


def _origin(study: Study, out: Path) -> dict[str, object]:
    """From where a study was read, if from files; paths lead from the results folder."""
    if study.origin is None:
        return {}
    folder = study.origin.folder.resolve()
    if folder.parent == data_path().resolve():
        place = {"bundled": folder.name}
    else:
        try:
            place = {"folder": Path(os.path.relpath(folder, out.resolve())).as_posix()}
        except ValueError:  # Another drive of Windows.
            place = {"folder": folder.as_posix()}
    return {**place, "file": study.origin.file, "content": study.origin.content}


def study_of(manifest: Mapping[str, Any], results: Path) -> Study:
    """Read the study of a run again.

    Raises
    ------
    InputError
        If it was read from no file, or a file is no longer, by its SHA-256, what it was.
    """
    told = manifest["study"]
    if "content" not in told or told["content"]["table"]["file"] == "-":
        raise InputError(f"The results in {results} are of a table that was read from no file; run it again.")
    folder = data_path(told["bundled"]) if "bundled" in told else results / told["folder"]
    own = folder / told["file"]
    inputs = (own.resolve(),) if own.suffix == ".toml" else ()
    files = StudyFiles(check_study(told["content"], told["file"]), folder, told["file"], inputs)
    study = replace(files.study(), choices=Choices(**manifest["choices"]))
    if changed := sorted(set(manifest["inputs"].items()) ^ set(_digests(study.inputs).items())):
        names = dict.fromkeys(name for name, _ in changed)
        raise InputError(f"{listing(names)} changed since the run in {results} (by SHA-256); run it again.")
    return study


def differing(folder: Path, outputs: Mapping[str, str]) -> list[str]:
    """Names of files that are not, byte for byte, those of an earlier run."""
    return [path.name for path in sorted(folder.iterdir()) if sha256(path) != outputs.get(path.name)]


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
