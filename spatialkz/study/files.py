"""The files that a study names: read, checked, and put together."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.datasets import data_path
from spatialkz.errors import InputError, RegionError, listing
from spatialkz.geography import Recipe, as_recipe, names_recipe
from spatialkz.geography.boundaries import boundaries_for
from spatialkz.options import Vintage
from spatialkz.regions import (
    boundary_source,
    read_crosswalk,
    region_table,
    resolve_regions,
)
from spatialkz.regions.graphs import bundled_boundaries, region_codes, region_graph
from spatialkz.regions.names import known_names
from spatialkz.study.periods import (
    at_period,
    breaks_of,
    by_crosswalk,
    in_division,
    periods_of,
    relabeled,
)
from spatialkz.study.schema import (
    BaseFile,
    require_file,
)
from spatialkz.study.side_files import SideFiles, refuse_twice
from spatialkz.study.study import Choices, Origin, Study
from spatialkz.tables import (
    ActivityTable,
    Panel,
    Period,
    RegionTable,
    complete_table,
    read_frame,
    read_table_file,
    require_labels,
)

_NEAR_TOTAL = 0.02  # a total that differs less from the sum of rounded cells is that sum
_REGION_COLUMNS = ["code", "vintage", "name_en", "name_ru", "name_kk"]


class StudyFiles(SideFiles):
    """The files behind a checked study model, put together; with what was told on the way."""

    def study(self) -> Study:
        """Read everything, and put it together."""
        model = self.model
        # What is small and may be wrong comes first.
        if names_recipe(model.geography.graph):
            self._recipe(model.geography.graph)
        else:
            require_file(self.folder / model.geography.graph, model.geography.graph)
        sectors, claims = self.sectors(), self.claims()
        places, placement = self.places(), self.placement()
        panel = self.panel(sectors)
        table = self.activity(sectors) if panel is None else panel.tables[panel.known(self._period())]
        regions = self.regions(table.regions)
        places = self.covariates(places, regions)
        graph, polygons = self.geography(regions, model.geography.graph)
        name = model.name or ("table" if model.table.file == "-" else Path(self.source).stem)
        study = Study(
            name=name,
            title=model.title or name,
            source=model.source,
            table=table,
            graph=graph,
            regions=regions,
            sectors=sectors,
            boundaries=polygons,
            placement=placement,
            marks=self._marks(),
            claims=claims,
            context=places,
            choices=Choices(**model.choices),
            panel=panel,
            inputs=tuple(self.inputs),
            notes=tuple(self.notes),
            origin=Origin(self.folder, self.source, model.model_dump(mode="json", exclude_unset=True)),
        )
        _ = study.covariates  # refused now where they do not fit, not when they are first used
        return study

    def values(self, *, sectors: bool = True, at: Period | None = None) -> RegionTable:
        """The table as it was read, of one period."""
        section = self.model.table
        base = section.base if isinstance(section.base, str) else None
        options = section.options(base=base)
        if (rows := self._rows()) is not None and self.model.periods is not None:
            options = at_period(options, rows, self.model.periods, at)
        found = read_table_file(self.file(section.file), options, sectors=sectors)
        self.notes += [note for note in found.notes if note not in self.notes]
        return self._named(found)

    def panel(self, sectors: pd.DataFrame | None = None) -> Panel | None:
        """The tables of all periods, on one division; None where the study has no periods."""
        rows, section = self._rows(), self.model.periods
        if rows is None or section is None:
            return None
        tables = {}
        for period in periods_of(rows, section, self.source):
            try:
                tables[period] = self.activity(sectors, period)
            except InputError as error:
                raise type(error)(f"{section.column} {period}: {error}") from None
        return Panel(tables, breaks_of(section, tables, self.source))

    def _on_division(self, table: ActivityTable) -> ActivityTable:
        """A table of one of several periods, on the division of the study."""
        section, vintage = self.model.periods, self._vintage()
        if section is None:
            return table
        if section.crosswalk is not None:
            led = by_crosswalk(table, read_crosswalk(self.file(section.crosswalk)), section)
        else:
            led = table if vintage is None else in_division(table, vintage, self.model.regions.names)
        note = f"Tables on other divisions were summed to {section.division or self.model.regions.division}."
        self.notes += [note] if led is not table and note not in self.notes else []
        return led

    def _period(self) -> Period | None:
        """The period that is analyzed by itself, where one is stated."""
        at = None if self.model.periods is None else self.model.periods.at
        return None if at is None else str(at)

    def _rows(self) -> pd.DataFrame | None:
        """The rows of the file, where the study has periods and no one of them was asked for."""
        section, table = self.model.periods, self.model.table
        if section is None or section.column in table.where:
            return None
        return read_frame(self.file(table.file), table.options())

    def _named(self, found: RegionTable) -> RegionTable:
        """Regions and sectors by their names, where the study asks for it."""
        rows: dict[Any, Any] = {}
        columns: dict[Any, Any] = {}
        if (lang := self.model.regions.names) is not None:
            rows = resolve_regions(list(found.values.index))[f"name_{lang}"].to_dict()
        if (names := self._sector_names()) is not None:
            columns = names.to_dict()
        return relabeled(found, rows, columns) if rows or columns else found

    def _sector_names(self) -> pd.Series | None:
        """Names of sectors by the labels of the table, where the study calls them by name."""
        section = self.model.sectors
        if section is None or section.names is None:
            return None
        frame = self.side(section.file, ["sector", f"name_{section.names}"])
        return frame.set_index("sector")[f"name_{section.names}"]

    def activity(self, sectors: pd.DataFrame | None = None, at: Period | None = None) -> ActivityTable:
        """The table with its base and groups, of one period where there are several."""
        section = self.model.table
        found = self.values(at=at)
        names = self._sector_names()
        given = {
            sector if names is None else names.get(sector, sector): group
            for sector, group in section.groups.items()
        }
        groups = given or (None if sectors is None or "group" not in sectors else sectors["group"])
        if given:
            require_labels(
                given,
                found.values.columns,
                f"{self.source}: [table.groups] names sectors that the table lacks:",
            )
        base, national, grand = self.base(found), found.national, found.national_base
        part = national is not None and section.kind != "quotients" and self._is_part(found, national)
        region_totals, sector_totals = self._sums(found, part)
        largest = section.suppressed.largest
        table = complete_table(
            found.values,
            kind=section.kind,
            unit=section.unit,
            groups=None if groups is None else pd.Series(groups, dtype=str),
            base=base,
            rounding=section.rounding,
            contained=section.contained,
            region_totals=region_totals,
            sector_totals=sector_totals,
            national=national if part else None,
            national_base=grand if part else None,
            largest=pd.Series(largest) if isinstance(largest, dict) else largest,
            smallest=section.suppressed.smallest,
        )
        return self._on_division(table)

    def _sums(self, found: RegionTable, part: bool) -> tuple[pd.Series | None, pd.Series | None]:
        """Printed totals of regions and sectors that are sums of the cells, which bound suppressed ones."""
        section = self.model.table
        if section.kind == "quotients":
            return None, None
        adds_up = section.suppressed.sums_to_base
        base = found.base
        if base is not None and (adds_up is None or adds_up):
            complete = ~found.hidden.any(axis=1)
            if adds_up is None and not _near(found.values[complete].sum(axis=1), base[complete]):
                base = None
        else:
            base = None
        national = found.national
        if part or not found.hidden.any(axis=None):
            national = None  # complete cells say more than a total, which may be rounded
        return base, national

    def _is_part(self, found: RegionTable, national: pd.Series) -> bool:
        """Whether the regions are a part of the country that the total row counts."""
        section = self.model.table
        if section.part is not None:
            return section.part
        complete = ~found.hidden.any(axis=0) & national.notna()
        sums, printed = found.values.loc[:, complete].sum(), national[complete]
        if not complete.any() or (sums - printed).abs().sum() <= _NEAR_TOTAL * printed.sum():
            return False
        sector = str((sums / printed).idxmin())
        self.notes.append(
            f"The total row {section.total!r} is not the sum of the regions ({sector}: {national[sector]:g} "
            f"against {sums[sector]:g}), so it was kept as the base of a country that they are a part of; "
            "part = false says otherwise."
        )
        return True

    def base(self, found: RegionTable) -> pd.Series | pd.DataFrame | None:
        """Base of the table, a column or a file."""
        section = self.model.table
        if found.base is not None or section.base is None:
            return found.base
        given = section.base if isinstance(section.base, BaseFile) else BaseFile(file=section.base)
        if not (self.folder / given.file).is_file() and isinstance(section.base, str):
            raise InputError(
                f"The base {given.file!r} is neither a column ({listing(found.values.columns, 12)}) "
                "nor a file."
            )
        changes: dict[str, Any] = {
            "region": given.region,
            "sector": None,
            "value": given.value,
            "where": given.where,
        }
        changes |= {
            "base": None,
            "drop": [],
            "drop_regions": [],
            "rename": {},
            "total": None,
            "keep_sums": True,
        }
        options = section.options(**changes, sheet=None, header=None, skip=0, absent=None)
        table = read_table_file(self.file(given.file), options, sectors=False)
        self.notes += table.notes
        base = self._named(table).values.rename(index=section.rename)
        if given.columns:
            require_labels(given.columns, base.columns, f"The base {given.file} has no column")
            base = base[given.columns]
        extra = base.index.difference(found.values.index)
        if len(extra) and not len(found.values.index.difference(base.index)):
            self.notes.append(f"{given.file} has {listing(extra, 3)}, which the table lacks; left out.")
            base = base.loc[found.values.index]
        return base

    def regions(self, labels: pd.Index) -> pd.DataFrame:
        """Codes and names of the regions, where the study says whose they are or nothing else can tell."""
        division, section = self.model.regions.division, self.model.geography
        if division is None and (section.boundaries is not None or not names_recipe(section.graph)):
            return pd.DataFrame(index=labels)
        if division is None:
            try:
                return resolve_regions(list(labels))[_REGION_COLUMNS].rename_axis(index="region")
            except RegionError as error:
                known = known_names(labels)
                raise RegionError(
                    "Neighbors are needed: regions that are not Kazakhstan's need boundaries (--boundaries) "
                    f"or a file of neighbors as graph (--graph){f'. {error}' if known else '.'}"
                ) from error
        vintage = self._vintage()
        resolved = resolve_regions(list(labels), vintage)
        if vintage == 2022 and set(resolved["code"]) == set(region_table(2018).index):
            raise RegionError(
                "These are the 17 regions of 2018 to 2022, without Abai, Jetisu and Ulytau, and the study is "
                'of the 20 of 2022: write division = "kazakhstan-2018" (--division 2018).'
            )
        return resolved[_REGION_COLUMNS].rename_axis(index="region")

    def _vintage(self) -> Vintage | None:
        division = self.model.regions.division
        vintages = {f"kazakhstan-{vintage}": vintage for vintage in get_args(Vintage)}
        if division is not None and division not in vintages:
            raise InputError(f"{self.source}: division is {division!r}; known are {listing(vintages)}.")
        return None if division is None else vintages[division]

    def geography(self, regions: pd.DataFrame, line: str) -> tuple[Graph, gpd.GeoDataFrame | None]:
        """Who neighbors whom by a recipe or a file, and the polygons."""
        section = self.model.geography
        if "code" in regions:
            vintage = regions["vintage"].iloc[0]
            self.inputs += [
                data_path("regions.csv"),
                data_path(f"contiguity_{vintage}.csv"),
                boundary_source(),
            ]
        polygons = self._polygons(regions)
        neighbors = region_graph(
            regions,
            self._recipe(line),
            polygons,
            isolates=section.isolates,
            parts=section.parts,
            gap=section.gap,
            weights=section.weights,
            directed=section.directed,
            encoding=self.model.table.encoding,
        )
        self.notes += neighbors.notes
        return neighbors.graph, bundled_boundaries(regions) if polygons is None else polygons

    def _polygons(self, regions: pd.DataFrame) -> gpd.GeoDataFrame | None:
        """The map of the regions, read once however many graphs are drawn on it."""
        section = self.model.geography
        if section.boundaries is not None and self._map is None:
            found = boundaries_for(
                self.file(section.boundaries),
                regions.index,
                id_column=section.id,
                codes=region_codes(regions),
                layer=section.layer,
                where=section.where,
                crs=section.crs,
                clean=section.clean,
                gap=section.gap,
            )
            self._map = found.polygons
            self.notes += found.notes
        return self._map

    def _recipe(self, line: str) -> Recipe | Path:
        if not names_recipe(line):
            return self.file(line)
        times = self.model.geography.times
        return as_recipe(line, **({} if times is None else {"table": self.side(times, [])}))

    def sectors(self) -> pd.DataFrame:
        """The list of sectors, empty if the study has none."""
        if self.model.sectors is None:
            return pd.DataFrame()
        name = self.model.sectors.file
        frame = self.side(name, ["sector"])
        refuse_twice(frame, "sector", name)
        for column in ("sector", *(["group"] if "group" in frame else [])):
            empty = frame.index[frame[column] == ""]
            if len(empty):
                raise InputError(f"{name}, line {empty[0]}: the {column} is empty.")
        names = self._sector_names()
        if names is not None:
            frame = frame.assign(code=frame["sector"], sector=names.to_numpy())
            refuse_twice(frame, "sector", name)
        return frame.set_index("sector").rename_axis(index="sector")

    def _marks(self) -> pd.DataFrame | None:
        section = self.model.table
        if section.marks is None:
            return None
        options = section.options(value=section.marks, base=None, keep_sums=True)
        found = self._named(read_table_file(self.file(section.file), options, sectors=False)).values
        if not found.isin([0, 1]).all(axis=None):
            raise InputError(
                f"{section.file}: the marks in the column {section.marks!r} must be 1 (marked) or 0."
            )
        return found


def _near(sums: pd.Series, totals: pd.Series) -> bool:
    """Whether printed totals are the sums of the cells they stand beside, up to rounding."""
    return len(sums) > 0 and bool(np.allclose(sums, totals, rtol=0.001, atol=len(sums) / 2))
