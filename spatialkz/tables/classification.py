"""Codes by prefix: the label of a region or a sector is told by how its code begins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args

import pandas as pd

from spatialkz.datasets import read_table
from spatialkz.errors import InputError, listing
from spatialkz.options import PrefixOverlap, SectorLevel
from spatialkz.tables.labels import LOOK_ALIKE, tidy_distinct, tidy_label

#: What says how codes become labels: characters to keep, a level of NACE, or prefix → label.
Prefixes: TypeAlias = "int | str | Mapping[str, str] | pd.Series[str] | None"

_DIGITS = {"division": 2, "group": 3, "class": 4, "technology-3": 3}
_NACE = re.compile(r"([A-Z]?)\s?(\d*)")
# A division has two digits; before a dot, one digit alone has lost a zero.
_LOST_ZERO = re.compile(r"[A-Z]?\s?\d\.")


@dataclass(frozen=True)
class Classification:
    """How codes become labels.

    Attributes
    ----------
    labels : dict, optional
        Prefix → label; left out, the prefix is the label, or with no ``length`` the whole code.
    length : int, optional
        Characters of the prefix that is the label, or that a code must have.
    nace : bool
        Whether codes are of NACE Rev. 2 or OKED: dots and a section letter before the digits do not count.
    """

    labels: Mapping[str, str] | None = None
    length: int | None = None
    nace: bool = False

    @classmethod
    def of(cls, given: Prefixes, what: str, overlap: PrefixOverlap = "error") -> Classification:
        """Read what the user said, or refuse it.

        Raises
        ------
        InputError
            If it is none of the forms, or one prefix begins with another that has a different label.
        """
        if overlap not in get_args(PrefixOverlap):
            raise InputError(f"overlap is {overlap!r}; it must be one of {listing(get_args(PrefixOverlap))}.")
        if given is None:
            return cls()
        if isinstance(given, int) and not isinstance(given, bool):
            if given < 1:
                raise InputError(f"{what}s is {given}; expected the number of leading characters to keep.")
            return cls(length=given)
        if isinstance(given, str) and what == "sector":
            return cls._of_nace(given)
        if not isinstance(given, Mapping | pd.Series) or isinstance(given, str):
            also = f", or one of {listing(get_args(SectorLevel))}" if what == "sector" else ""
            raise InputError(
                f"{what}s is {given!r:.60}; expected a number of leading characters, or a mapping of prefix "
                f"to label{also}."
            )
        pairs = [(tidy_label(code), tidy_label(label)) for code, label in given.items()]
        if not pairs or any(not code or not label for code, label in pairs):
            raise InputError(
                f"{what}s maps prefixes to labels, but is empty or has an empty prefix or label."
            )
        labels = dict(pairs)
        if len(labels) < len(pairs):
            twice = pd.Index([code for code, _ in pairs])
            raise InputError(f"{what}s has the prefix {listing(twice[twice.duplicated()])} more than once.")
        if overlap == "error":
            _refuse_nested(labels, what)
        return cls(labels)

    @classmethod
    def _of_nace(cls, level: str) -> Classification:
        if level not in get_args(SectorLevel):
            raise InputError(
                f"sectors is {level!r}; the levels of NACE are {listing(get_args(SectorLevel))}, and another "
                "classification is a mapping of prefix to label."
            )
        table = read_table("nace_rev2", text=True).set_index("code")
        divisions = table[table.index.str.len() == 2]
        labels: dict[Any, str]
        if level == "section":
            labels = dict(divisions["section"])
        elif level == "technology":
            labels = dict(divisions["technology"])
        elif level == "technology-3":
            labels = dict(table["technology"])
        else:
            # A code of a division that does not exist is no code.
            labels = dict.fromkeys(divisions.index, "")
        return cls(labels, _DIGITS.get(level) if level in {"division", "group", "class"} else None, nace=True)

    @property
    def width(self) -> int | None:
        """Leading characters that tell the label; None where all of the code does."""
        if self.labels is None:
            return self.length
        return max(*map(len, self.labels), self.length or 0)

    def cut(self, digits: int | None) -> int | None:
        """Leading characters that an engine may keep; None where it is to keep all of a code.

        Codes that get zeros back are not cut before they have them, nor are those of NACE, which come with
        dots and letters.
        """
        return None if digits is not None or self.nace else self.width

    @property
    def known(self) -> list[str]:
        """Labels in their order, where they are known beforehand."""
        return [] if self.labels is None or self.length else list(dict.fromkeys(self.labels.values()))

    def label(self, code: str) -> str | None:
        """Label of a tidy code; None where it is not told."""
        if self.nace:
            letter, digits = _nace_parts(code)
            if not digits and letter in self.known:
                return letter
            code = digits
        if self.labels is None:
            return code if self.length is None else code[: self.length] if len(code) >= self.length else None
        found = next(
            (self.labels[code[:n]] for n in range(len(code), 0, -1) if code[:n] in self.labels), None
        )
        if self.length and found is not None:
            return code[: self.length] if len(code) >= self.length else None
        return found


def _nace_parts(code: str) -> tuple[str, str]:
    """Letter of the section and digits of a code, however it is written.

    >>> _nace_parts("62.01"), _nace_parts("С 20.1"), _nace_parts("J"), _nace_parts("other")
    (('', '6201'), ('C', '201'), ('J', ''), ('', ''))
    >>> _nace_parts("1.10")  # of 01.10 or of 11.0?
    ('', '')
    """
    code = code.upper().translate(LOOK_ALIKE)
    found = None if _LOST_ZERO.match(code) else _NACE.fullmatch(code.replace(".", ""))
    return found.groups() if found else ("", "")  # type: ignore[return-value]


def _refuse_nested(labels: Mapping[str, str], what: str) -> None:
    for code, label in labels.items():
        for n in range(1, len(code)):
            if labels.get(code[:n], label) != label:
                raise InputError(
                    f"Codes that begin with {code} match two {what}s, {label} ({code}) and "
                    f"{labels[code[:n]]} ({code[:n]}); make prefixes that exclude each other, or let the "
                    "longest count (overlap = 'longest')."
                )


def code_texts(codes: pd.Series[str], what: str, digits: int | None) -> pd.Series[str]:
    """Codes as text, "" where missing; digits get back the leading zeros that a stated width implies.

    Raises
    ------
    InputError
        If codes are numbers of several widths, so that it is open whether zeros were lost, or longer than is
        stated.
    """
    numbers = pd.api.types.is_numeric_dtype(codes) and not pd.api.types.is_bool_dtype(codes)
    texts = tidy_distinct(codes)
    given = texts[texts.str.isdecimal().astype(bool)]
    widths = given.str.len()
    if digits is not None:
        if (widths > digits).any():
            raise InputError(
                f"{what}_digits is {digits}, but there is a {what} code {given[widths > digits].iloc[0]}."
            )
        return texts.where(~texts.index.isin(given.index), texts.str.zfill(digits))
    if numbers and widths.nunique() > 1:
        short, long = (given[widths == end].iloc[0] for end in (widths.min(), widths.max()))
        raise InputError(
            f"The {what} codes are numbers of {widths.min()} to {widths.max()} digits ({short}, {long}), so "
            f"that leading zeros may be lost; keep them as text, or say how many digits they have "
            f"({what}_digits)."
        )
    return texts
