"""Every key of a study file with its type; what the file, and the command line, are checked against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, time
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from spatialkz.errors import InputError, listing
from spatialkz.tables import Kind, TableOptions

Text = Annotated[str, Field(min_length=1)]
Cell = str | int | float | bool
Policy = Literal["error", "keep", "attach"]


# Choices check their own values; here are their names.
ChoiceName = Literal["threshold", "alpha", "permutations", "resamples", "draws", "simulations"]


class Section(BaseModel):
    """A section: its keys are known, their values typed, and neither can change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class BaseFile(Section):
    """A base in a file of its own."""

    file: Text
    region: Text | None = None
    value: Text | None = None
    where: dict[str, Cell | list[Cell]] = {}


class Suppressed(Section):
    """What is known of suppressed cells beside the totals that are printed."""

    largest: float | dict[str, float] | None = None
    smallest: float = 0.0
    sums_to_base: bool | None = None


class Table(Section):
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
    delimiter: Text | None = None
    decimal: Literal[".", ","] | None = None
    sheet: str | int | None = None
    header: int | list[int] | None = None
    skip: Annotated[int, Field(ge=0)] = 0
    footnotes: bool = True
    unknown: dict[str, Literal["zero", "suppressed", "flag"]] = {}
    absent: Literal["zero", "suppressed"] | None = None
    suppressed: Suppressed = Suppressed()
    kind: Kind = "volumes"
    unit: str = ""
    rounding: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    base: Text | BaseFile | None = None
    contained: bool = True
    groups: dict[str, Text] = {}
    marks: Text | None = None

    def options(self, **changes: Any) -> TableOptions:
        """How the file is read."""
        given = {option.name: getattr(self, option.name) for option in fields(TableOptions)} | changes
        header = given["header"]
        given["header"] = (header,) if isinstance(header, int) else None if header is None else tuple(header)
        return TableOptions(**given | {name: tuple(given[name]) for name in ("drop", "drop_regions")})


class Regions(Section):
    """Regions whose names and boundaries come with the package."""

    division: Text | None = None


class File(Section):
    """A file beside the table."""

    file: Text


class Geography(Section):
    """Who neighbors whom."""

    graph: Text = "queen"
    isolates: Policy = "error"
    parts: Policy = "keep"
    times: Text | None = None
    boundaries: Text | None = None
    id: Text | None = None
    layer: Text | None = None
    where: dict[str, Cell | list[Cell]] = {}
    crs: Text | None = None
    clean: bool = False
    gap: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    weights: Literal["read", "ignore"] = "read"
    directed: bool = False


class PolicyFile(Section):
    """Sites of one policy: a file, and its column with their names."""

    file: Text
    site: Text


class PlaceFiles(Section):
    """What is known of the regions beside the table."""

    policies: dict[str, PolicyFile] = {}
    specializations: Text | None = None
    named: Text | None = None
    cities: Text | None = None
    prerequisites: Text | None = None
    rules: Text | None = None


class StudyModel(Section):
    """A study file."""

    table: Table
    name: Text | None = None
    title: Text | None = None
    source: str = ""
    regions: Regions = Regions()
    sectors: File | None = None
    geography: Geography = Geography()
    placement: File | None = None
    claims: File | None = None
    places: PlaceFiles = PlaceFiles()
    choices: dict[ChoiceName, Any] = {}


def study_keys() -> dict[str, set[str]]:
    """Keys of each section, ``""`` for the top."""
    sections = {name: _section_of(info) for name, info in StudyModel.model_fields.items()}
    found = {name: set(section.model_fields) for name, section in sections.items() if section is not None}
    found["choices"] = set(get_args(ChoiceName))
    return {"": set(StudyModel.model_fields), **found}


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
    try:
        return StudyModel.model_validate(text)
    except ValidationError as error:
        found: dict[tuple[str, ...], dict[str, list[str]]] = {}
        for fault in error.errors():
            path, complaint, expected = _complaint(fault)
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
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a section",
    "model_type": "a section",
    "model_attributes_type": "a section",
}


# Steps that pydantic adds to a path where a value can be of several types.
_KINDS = {"str", "int", "float", "bool", "BaseFile", "constrained-str"}


def _complaint(fault: Mapping[str, Any]) -> tuple[tuple[str, ...], str, str]:
    """Path of the faulty key, what is wrong with it, and what was expected."""
    steps = [str(step) for step in fault["loc"]]
    if steps[-1] == "[key]":
        nearest = _nearest(str(fault["input"]), list(get_args(ChoiceName)))
        return ("choices", str(fault["input"])), f"unknown key {fault['input']} in [choices]; {nearest}", ""
    path = tuple(step for step in steps if "[" not in step and step not in _KINDS)
    *sections, key = path
    where = f"[{'.'.join(sections)}]" if sections else "the top"
    if fault["type"] == "missing":
        return path, f"{where} must name its {key}" if sections else f"[{key}] is lacking", ""
    if fault["type"] == "extra_forbidden":
        return path, f"unknown key {key} in {where}; {_nearest(key, _known(sections))}", ""
    found = fault["input"]
    shown = (found.isoformat() if isinstance(found, date | time) else repr(found))[:80]
    if fault["type"] == "literal_error":
        expected = f"one of {fault['ctx']['expected'].replace(' or ', ', ')}".replace("'", "")
    else:
        expected = _EXPECTED.get(fault["type"], fault["msg"].removeprefix("Input should be "))
    if expected == "a section" and not sections:
        return path, f"[{key}] must be a section, not {shown}", ""
    return path, f"{where} {key} is {shown}" if sections else f"{key} is {shown}", expected


def _known(sections: Iterable[str]) -> list[str]:
    model: type[BaseModel] | None = StudyModel
    for section in sections:
        info = model.model_fields.get(section) if model is not None else None
        model = _section_of(info) if info is not None else model
    return sorted(model.model_fields) if model is not None else []


def _section_of(info: FieldInfo) -> type[BaseModel] | None:
    kinds = [info.annotation, *get_args(info.annotation)]
    kinds += [inner for kind in kinds for inner in get_args(kind)]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _nearest(key: str, known: list[str]) -> str:
    from rapidfuzz import process

    near = process.extractOne(key, known, score_cutoff=70)
    return (f"perhaps {near[0]}; " if near else "") + f"known are {listing(known, 40)}"
