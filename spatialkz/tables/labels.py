"""How labels of two sources can differ though they mean the same."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping

import pandas as pd


def known_names(labels: pd.Index, codes: Mapping[str, Hashable] | None = None) -> dict[str, int]:
    """Position of each label by its text without spaces around it, and by its codes, where there are any.

    Examples
    --------
    >>> known_names(pd.Index([10, 20]), {"KZ-10": 10})
    {'KZ-10': 0, '10': 0, '20': 1}
    """
    position = {label: at for at, label in enumerate(labels)}
    texts = {str(label).strip(): at for label, at in position.items()}
    return {str(code).strip(): position[label] for code, label in (codes or {}).items()} | texts


def lost_zeros(
    extra: Iterable[object], lacking: Iterable[object], *, what: str = "it", against: str = "the table"
) -> list[str]:
    """Say which codes differ by leading zeros or by ``.0`` only, a clause for each of the two.

    Parameters
    ----------
    extra : iterable
        Labels that one source has and the other lacks.
    lacking : iterable
        Labels that it lacks.
    what, against : str
        What the source and the other are called.

    Examples
    --------
    >>> lost_zeros(["01", "02"], ["1", "2", "3"], what="the map")
    ['the map writes 01 where the table writes 1: leading zeros were lost, so keep the column as text']
    >>> lost_zeros(["1.0"], ["1"])
    ['it writes 1.0 where the table writes 1: a code was read as a number, so keep the column as text']
    """
    codes = {_digits(label): label for label in _written(lacking)}
    clauses: dict[str, str] = {}
    for label in _written(extra):
        expected = codes.get(_digits(label))
        if expected is not None and expected != label:
            decimal = "." in label + expected
            reason = "a code was read as a number" if decimal else "leading zeros were lost"
            clauses.setdefault(
                reason,
                f"{what} writes {label} where {against} writes {expected}: {reason}, "
                "so keep the column as text",
            )
    return list(clauses.values())


def _written(labels: Iterable[object]) -> list[str]:
    return sorted(text for label in labels if re.fullmatch(r"\d+(\.0+)?", text := str(label).strip()))


def _digits(code: str) -> str:
    return code.partition(".")[0].lstrip("0") or "0"
