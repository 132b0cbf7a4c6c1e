"""The files beside a study's table: sectors, claims, places, covariates, judgements."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from spatialkz.errors import InputError, RegionError, listing
from spatialkz.regions import resolve_regions
from spatialkz.study.schema import ClaimsFile, RulesFile, StudyModel, check_section, read_toml, require_file
from spatialkz.study.study import StudyContext
from spatialkz.tables import covariate_rows, read_frame
from spatialkz.tables.labels import tidy_label
from spatialkz.tables.prerequisites import PREREQUISITE_COLUMNS


class SideFiles:
    """What a checked study model names beside its table; remembers which files it touched.

    Parameters
    ----------
    model : StudyModel
    folder : Path
        Where relative paths begin.
    source : str
        What the study is called in an error sentence.
    inputs : tuple of Path
        Files that were read already.
    """

    def __init__(self, model: StudyModel, folder: Path, source: str, inputs: tuple[Path, ...] = ()) -> None:
        self.model, self.folder, self.source = model, folder, source
        self.inputs = list(inputs)
        self.notes: list[str] = []
        self._map: gpd.GeoDataFrame | None = None

    def file(self, name: str) -> Path:
        """Path of a file that the study names."""
        if name == "-":
            return Path(name)
        path = self.folder / name
        require_file(path, name)
        path = path.resolve()
        if path not in self.inputs:
            self.inputs.append(path)
        return path

    def side(self, name: str, columns: Sequence[str]) -> pd.DataFrame:
        """A file beside the table, with the columns it must have."""
        frame = read_frame(self.file(name), self.model.table.options().for_side_file())
        lacking = [column for column in columns if column not in frame]
        if lacking:
            raise InputError(
                f"{name} lacks the column {listing(lacking)}; it has {listing(frame.columns, 12)}."
            )
        return frame.map(tidy_label)

    def numbers(self, name: str, what: str) -> pd.Series:
        """Whole numbers by region, missing where the cell is empty."""
        frame = self.side(name, ["region", what])
        refuse_twice(frame, "region", name)
        for line, text in frame[what].items():
            if text and not re.fullmatch(r"\d{1,9}", text):
                raise InputError(f"{name}, line {line}: {what} is {text!r}; a whole number was expected.")
        return pd.Series(
            pd.to_numeric(frame[what].replace("", None)).to_numpy(), index=frame["region"], name=what
        ).astype("Int64")

    def claims(self) -> tuple[Mapping[str, Any], ...]:
        """Claims of the source, held against its table."""
        if self.model.claims is None:
            return ()
        name = self.model.claims.file
        found = read_toml(self.file(name))
        check_section(ClaimsFile, found, name)
        return tuple(found["claim"])

    def places(self) -> StudyContext:
        """Cities, sites, prerequisites and rules."""
        section = self.model.places
        columns = {
            "named": ["site", "kind", "region"],
            "specializations": ["policy", "site", "named", "sector", "reason"],
            "prerequisites": PREREQUISITE_COLUMNS,
        }
        found: dict[str, Any] = {
            name: self.side(given, needed)
            for name, needed in columns.items()
            if (given := getattr(section, name)) is not None
        }
        sites = [
            self.side(given.file, ["region", given.site])[["region", given.site]]
            .set_axis(["region", "site"], axis=1)
            .assign(policy=policy)
            for policy, given in section.policies.items()
        ]
        if sites:
            found["sites"] = pd.concat(sites, ignore_index=True)[["policy", "site", "region"]]
        if section.cities is not None:
            cities = self.numbers(section.cities, "city")
            if cities.isna().any() or not cities.isin([0, 1]).all():
                raise InputError(
                    f"{section.cities}: city must be 1 (a city of its own) or 0 for every region."
                )
            found["cities"] = cities.astype(np.int64)
        if section.rules is not None:
            found["rules"] = self.file(section.rules)
            check_section(RulesFile, read_toml(found["rules"]), section.rules)
        return StudyContext(**found)

    def covariates(self, places: StudyContext, regions: pd.DataFrame) -> StudyContext:
        """Add the table of covariates and its list, refused where they are of another division."""
        section = self.model.covariates
        if section.list is not None:
            about = self.side(section.list, ["covariate"])
            if "vintage" in regions and "division" in about:
                division = f"kazakhstan-{regions['vintage'].iloc[0]}"
                other = about[~about["division"].isin(["", division])]
                if len(other):
                    raise RegionError(
                        f"{section.list}: {listing(other['covariate'])} is of the division "
                        f"{listing(other['division'].unique())}, the table of {division}; sum them first."
                    )
            places = replace(places, covariate_list=about)
        if section.file is not None:
            decimal = self.model.table.decimal
            rows = covariate_rows(self.side(section.file, ["region"]), section.file, decimal)
            labels = rows["region"].unique()
            if "code" in regions and not set(labels) <= set(regions.index):
                try:
                    codes = resolve_regions(labels, vintage=regions["vintage"].iloc[0])["code"]
                except RegionError as error:
                    raise RegionError(f"{section.file}: {error}") from error
                own = {code: label for label, code in regions["code"].items()}
                rows["region"] = rows["region"].map(
                    {name: own.get(code, name) for name, code in codes.items()}
                )
            places = replace(places, covariates=rows)
        return places

    def placement(self) -> pd.Series | None:
        """Tiers that others have given the regions."""
        given = self.model.placement
        return None if given is None else self.numbers(given.file, "tier")


def refuse_twice(frame: pd.DataFrame, column: str, source: str) -> None:
    """Refuse a column in which a label stands more than once."""
    twice = frame[column][frame[column].duplicated(keep=False)]
    if len(twice):
        lines = listing(twice.index[twice == twice.iloc[0]])
        raise InputError(f"{source}: the {column} {twice.iloc[0]} stands more than once, in lines {lines}.")
