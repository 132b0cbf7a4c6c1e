"""A study file on its way: keys with comments, what was found, and what is for the user to settle."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What a key says, for a reader who has not seen the guide.
_COMMENTS = {
    "region": "column with the regions",
    "sector": "column with the sectors",
    "value": "column with the values",
    "where": "rows to keep",
    "absent": 'what a region × sector pair without a row means: zero, or "suppressed"',
    "unknown": "what marks mean: zero, suppressed (not published), or flag",
    "total": "row with the national total",
    "base": "column with the total of each region",
    "drop": "columns or sectors that are left out",
    "drop_regions": "rows that are no regions",
    "decimal": "decimal mark",
    "rounding": "half of the last printed digit",
    "kind": "volumes (money, tonnes), counts (jobs, plants) or quotients (published)",
    "rename": "names of the table → names of the map",
}
_TABLE_HINTS = {
    "unit": '"jobs"   # unit of the numbers, for captions',
    "base": '"total"   # column or file with the base of each region; left out: the sum of its row',
    "drop": '["column"]   # columns that are no sectors',
    "decimal": '","   # where the cells leave the decimal mark open',
}
_GEOGRAPHY_HINTS = {
    "boundaries": '"map.gpkg"   # polygons; without them there is no map, all else stays',
    "graph": '"queen"   # a recipe, or a file of neighbors: pairs, GAL, GWT',
    "isolates": '"error"   # a region without neighbors: error, keep, attach',
}


@dataclass
class Draft:
    """Keys of a study file."""

    table: dict[str, Any] = field(default_factory=dict)
    geography: dict[str, Any] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    digits: int | None = None  # after the decimal mark, in the table

    def put(self, key: str, value: Any, *, more: str = "", question: str = "") -> None:
        """Set a key of the table; ``more`` goes into its comment."""
        self.table[key] = value
        self.comments[key] = "; ".join(part for part in (_COMMENTS.get(key, ""), more) if part)
        self.questions += [question] if question else []

    def leave_out(self, labels: Sequence[str], question: str = "") -> None:
        """Add columns or sectors to those that are left out."""
        if labels:
            self.put("drop", [*self.table.get("drop", []), *labels], question=question)

    def written(self, path: Path) -> str:
        """The study file, with what is left to its default as comments."""
        lines = [
            f"# A study of {path.name.splitlines()[0]}; paths are relative to this file.",
            *(f"# To settle: {' '.join(question.splitlines())}" for question in self.questions),
            f"name = {_toml(path.stem)}",
            f"title = {_toml(path.stem)}",
            "",
            "[table]",
            *(_line(key, value, self.comments.get(key, "")) for key, value in self.table.items()),
            *(f"# {key} = {hint}" for key, hint in _TABLE_HINTS.items() if key not in self.table),
            "",
            "# [table.groups]   # sector -> base group, if sectors are compared within groups",
            "",
            "[geography]",
            *(_line(key, value, "") for key, value in self.geography.items()),
            *(f"# {key} = {hint}" for key, hint in _GEOGRAPHY_HINTS.items() if key not in self.geography),
            "",
            "[choices]",
            "# threshold = 1.0   # quotient from which a region counts as specialized",
            "",
        ]
        return "\n".join(lines)


def _line(key: str, value: Any, comment: str) -> str:
    return f"{key} = {_toml(value)}" + (f"   # {comment}" if comment else "")


def _toml(value: Any) -> str:
    """A value as TOML writes it; JSON's texts and lists are TOML's."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(key))} = {_toml(cell)}" for key, cell in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(_toml(cell) for cell in value)}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text) else _toml(text)
