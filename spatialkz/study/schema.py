"""Every key of a study file with its type, and the reading and checking of TOML files against such keys."""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, time
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Self, TypeGuard, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from spatialkz.errors import InputError, listing
from spatialkz.options import (
    AbsentPair,
    DecimalMark,
    GraphPolicy,
    Language,
    MarkMeaning,
    NumberKind,
    WeightsInFile,
)
from spatialkz.tables import TableOptions

Text = Annotated[str, Field(pattern=r"\S")]
Line = Annotated[int, Field(ge=1)]
Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Cell = str | int | float | bool


# Choices check their own values; here are their names.
ChoiceName = Literal["threshold", "alpha", "permutations", "resamples", "draws", "simulations", "clusters"]


Checked = TypeVar("Checked", bound=BaseModel)


class StudySection(BaseModel):
    """A section: its keys are known, their values typed, and neither can change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _needs(section: StudySection, key: str, other: str, why: str) -> None:
    """Refuse a key that says nothing without another, so that none is passed over in silence."""
    if key in section.model_fields_set and getattr(section, other) is None:
        raise PydanticCustomError("unused", f"{key} goes with {other}: {why}")


class BaseFile(StudySection):
    """A base in a file of its own."""

    file: Text
    region: Text | None = None
    value: Text | None = None
    columns: list[Text] = []
    where: dict[str, Cell | list[Cell]] = {}


class Suppressed(StudySection):
    """What is known of suppressed cells beside the totals that are printed."""

    largest: Number | dict[str, Number] | None = None
    smallest: Number = 0.0
    sums_to_base: bool | None = None


class TableKeys(StudySection):
    """The table: its file, how it is read, and what its numbers are."""

    file: Text
    region: Text | None = None
    sector: Text | None = None
    value: Text | None = None
    where: dict[str, Cell | list[Cell]] = {}
    drop: list[str] = []
    drop_regions: list[str] = []
    rename: dict[str, Text] = {}
    total: Text | None = None
    part: bool | None = None
    keep_sums: bool = False
    encoding: Text | None = None
    delimiter: Annotated[str, Field(min_length=1)] | None = None
    decimal: DecimalMark | None = None
    sheet: str | int | None = None
    header: Line | Annotated[list[Line], Field(min_length=1)] | None = None
    skip: Annotated[int, Field(ge=0)] = 0
    footnotes: bool = True
    unknown: dict[str, MarkMeaning] = {}
    absent: AbsentPair | None = None
    suppressed: Suppressed = Suppressed()
    kind: NumberKind = "volumes"
    unit: str = ""
    rounding: Number = 0.0
    base: Text | BaseFile | None = None
    contained: bool = True
    groups: dict[str, Text] = {}
    marks: Text | None = None

    @model_validator(mode="after")
    def _in_use(self) -> Self:
        _needs(self, "part", "total", "it says whether the regions are all of what the total row counts")
        _needs(self, "marks", "sector", "a row of a long table says which of its cells is marked")
        _needs(self, "absent", "sector", "only a long table can lack a region × sector pair")
        return self

    def options(self, **changes: Any) -> TableOptions:
        """How the file is read."""
        given = {option.name: getattr(self, option.name) for option in fields(TableOptions)} | changes
        header = given["header"]
        given["header"] = (header,) if isinstance(header, int) else None if header is None else tuple(header)
        return TableOptions(**given | {name: tuple(given[name]) for name in ("drop", "drop_regions")})


class Regions(StudySection):
    """Regions whose names and boundaries come with the package."""

    division: Text | None = None
    names: Language | None = None

    @model_validator(mode="after")
    def _in_use(self) -> Self:
        _needs(self, "names", "division", "it says in which language regions of a division are called")
        return self


class File(StudySection):
    """A file beside the table."""

    file: Text


class SectorFile(File):
    """The list of sectors; they are called as it names them in a language, or by their labels."""

    names: Language | None = None


class Periods(StudySection):
    """The periods of the table: their column, the one that is analyzed, and where the series breaks."""

    column: Text
    at: Cell | None = None
    first: Cell | None = None
    last: Cell | None = None
    breaks: dict[Text, Text] = {}
    crosswalk: Text | None = None
    division: Text | None = None

    @model_validator(mode="after")
    def _in_use(self) -> Self:
        _needs(self, "division", "crosswalk", "it is the column of the crosswalk that all periods are led to")
        _needs(self, "crosswalk", "division", "it says to which of its columns all periods are led")
        return self


class Geography(StudySection):
    """Who neighbors whom."""

    graph: Text = "queen"
    isolates: GraphPolicy = "error"
    parts: GraphPolicy = "keep"
    times: Text | None = None
    boundaries: Text | None = None
    id: Text | None = None
    layer: Text | None = None
    where: dict[str, Cell | list[Cell]] = {}
    crs: Text | None = None
    clean: bool = False
    gap: Number | None = None
    weights: WeightsInFile = "read"
    directed: bool = False

    @model_validator(mode="after")
    def _in_use(self) -> Self:
        for key in ("id", "layer", "where", "crs", "clean"):
            _needs(self, key, "boundaries", "it says how their file is read")
        if self.times is not None and not self.graph.startswith("travel_time"):
            raise PydanticCustomError("unused", 'times is for graph = "travel_time:k=4"')
        return self


class PolicyFile(StudySection):
    """Sites of one policy: a file, and its column with their names."""

    file: Text
    site: Text


class PlaceFiles(StudySection):
    """What is known of the regions beside the table."""

    policies: dict[Text, PolicyFile] = {}
    specializations: Text | None = None
    named: Text | None = None
    cities: Text | None = None
    prerequisites: Text | None = None
    rules: Text | None = None


class CovariateFiles(StudySection):
    """What may go with specialization: a table of covariates, and a list of what each is."""

    file: Text | None = None
    list: Text | None = None


class StudyModel(StudySection):
    """A study file."""

    table: TableKeys
    name: Text | None = None
    title: Text | None = None
    source: str = ""
    regions: Regions = Regions()
    periods: Periods | None = None
    sectors: SectorFile | None = None
    geography: Geography = Geography()
    placement: File | None = None
    claims: File | None = None
    places: PlaceFiles = PlaceFiles()
    covariates: CovariateFiles = CovariateFiles()
    choices: dict[ChoiceName, Any] = {}


class Rule(StudySection):
    """One way of being a district of a type."""

    type: Text
    name: Text
    needs: dict[Text, Number]
    why: str = ""


class RulesFile(StudySection):
    """Rules for types of district."""

    rule: Annotated[list[Rule], Field(min_length=1)]
    none: Text = "none"
    fixed: list[Text] = []


class Claim(BaseModel):
    """A claim of the source; the audit asks for more, by its kind."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    name: Text
    kind: Text


class ClaimsFile(StudySection):
    """What the source says of its table."""

    claim: Annotated[list[Claim], Field(min_length=1)]


def check_study(text: Mapping[str, Any], source: str) -> StudyModel:
    """Check the whole content of a study file.

    Parameters
    ----------
    text : mapping
        The parsed file.
    source : str
        What the file is called in an error sentence.

    Raises
    ------
    InputError
        If a key is unknown or lacking, or a value of another type; one sentence names each.
    """
    return check_section(StudyModel, text, source)


def check_section(model: type[Checked], text: Mapping[str, Any], source: str) -> Checked:
    """Check the content of a file against a model, as :func:`check_study` does."""
    try:
        return model.model_validate(text)
    except ValidationError as error:
        found: dict[tuple[str | int, ...], dict[str, list[str]]] = {}
        for fault in error.errors():
            path, complaint, expected = _complaint(model, fault)
            told = found.setdefault(path, {}).setdefault(complaint, [])
            told += [] if expected in ("", *told) else [expected]
        # Where a value can be a text or a section, what is wrong inside the section says more.
        outer = {
            path
            for path in found
            for other in found
            if len(path) < len(other) == len(path) + 1 and other[: len(path)] == path
        }
        sentences = [
            complaint + (f"; expected {' or '.join(expected)}" if expected else "")
            for path, complaints in found.items()
            if path not in outer
            for complaint, expected in complaints.items()
        ]
        more = f"; and {len(sentences) - 3} more" if len(sentences) > 3 else ""
        raise InputError(f"{source}: {'; '.join(sentences[:3])}{more}.") from None


_EXPECTED = {
    "string_type": "a text",
    "string_too_short": "a text that is not empty",
    "string_pattern_mismatch": "a text that is not empty",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "too_short": "a list that is not empty",
    "dict_type": "a section",
    "model_type": "a section",
    "model_attributes_type": "a section",
}


def _complaint(model: type[BaseModel], fault: Mapping[str, Any]) -> tuple[tuple[str | int, ...], str, str]:
    """Path of the faulty key, what is wrong with it, and what was expected."""
    path, known, of_key = _place(model, fault["loc"])
    *sections, key = path or ("",)
    if isinstance(key, int):
        key = f"{sections.pop()}, item {key + 1},"
    where = "".join(f", item {step + 1}" if isinstance(step, int) else f".{step}" for step in sections)
    where = f"[{where[1:]}]" if where else ""
    if fault["type"] == "unused":
        return (*path, fault["msg"]), f"[{'.'.join(map(str, path))}] {fault['msg']}", ""
    if fault["type"] == "missing":
        return path, f"{where} must name its {key}" if sections else f"[{key}] is lacking", ""
    if fault["type"] == "extra_forbidden" or (fault["type"] == "literal_error" and of_key):
        unknown = f"unknown key {key or repr(key)} {f'in {where}' if sections else 'at the top'}"
        return path, f"{unknown}; {_nearest(key, known)}", ""
    found = fault["input"]
    shown = (found.isoformat() if isinstance(found, date | time) else repr(found))[:80]
    if fault["type"] == "literal_error":
        choices = fault["ctx"]["expected"].replace(" or ", ", ")
        bare = choices.replace("'", "")
        expected = f"one of {bare if re.search('[a-z]', bare) else choices}"
    elif fault["type"] == "greater_than_equal":
        expected = f"a number of at least {fault['ctx']['ge']:g}"
    else:
        expected = _EXPECTED.get(fault["type"], fault["msg"].removeprefix("Input should be "))
    if expected == "a section" and not sections and isinstance(path[-1], str):
        return path, f"[{key}] must be a section, not {shown}", ""
    return path, f"{where} has the key {shown}" if of_key else f"{where} {key} is {shown}".strip(), expected


def _place(
    model: type[BaseModel], steps: Iterable[str | int]
) -> tuple[tuple[str | int, ...], list[str], bool]:
    """Keys that lead to a fault, those known where the last one stands, and whether it is at fault itself.

    Where a value can be of several types, pydantic adds the type to the steps.
    """
    path: list[str | int] = []
    known: list[str] = []
    kinds: list[Any] = [model]
    in_mapping = of_key = False
    for step in steps:
        kind, of_key = kinds[0] if kinds else None, in_mapping and step == "[key]"
        in_mapping = False
        if of_key:
            known = list(get_args(ChoiceName)) if path[0] == "choices" else []
        elif len(kinds) > 1:
            kinds = [kind for kind in kinds if str(step).startswith((_name(kind), f"{_name(kind)}["))]
        elif _is_section(kind):
            known = sorted(kind.model_fields)
            path.append(str(step))
            kinds = _members(kind.model_fields[step].annotation) if step in known else []
        elif kind is not None:
            in_mapping = get_origin(kind) is dict
            path.append(str(step) if in_mapping else int(step))
            kinds = _members(get_args(kind)[-1])
    return tuple(path), known, of_key


def _members(kind: Any) -> list[Any]:
    """The types that a value can be of, None not among them."""
    if get_origin(kind) is Annotated:
        return _members(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [member for other in get_args(kind) if other is not type(None) for member in _members(other)]
    return [kind]


def _name(kind: Any) -> str:
    return str(getattr(get_origin(kind) or kind, "__name__", kind))


def _is_section(kind: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _nearest(key: str, known: list[str]) -> str:
    from rapidfuzz import process

    near = process.extractOne(key, known, score_cutoff=70)
    return f"perhaps {near[0]}" if near else f"known are {listing(known, 40)}"


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file.

    Raises
    ------
    InputError
        If the file is missing or not valid TOML.
    """
    require_file(path, str(path))
    try:
        content = path.read_bytes()
        utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16" if utf16 else "utf-8-sig")
        return tomllib.loads(text.replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text, as TOML must be; save it as UTF-8.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        hint = " (write \\ in a path as /)" if "\\" in text else ""
        raise InputError(f"{path.name} is not valid TOML: {error}{hint}.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error


def require_file(path: Path, name: str) -> None:
    """Refuse a name that leads to no file.

    Raises
    ------
    InputError
        If there is none, or a folder.
    """
    try:
        found = path.is_file()
        folder = not found and path.is_dir()
    except (OSError, ValueError):  # too long a name, or one with a null character
        found = folder = False
    if folder:
        raise InputError(f"{name} is a folder; name a file in it.")
    if not found:
        raise InputError(f"There is no file {name if len(name) < 200 else name[:200] + '…'}.")
