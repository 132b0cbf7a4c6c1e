"""Labels of regions and sectors, and what every stage demands of a table that carries them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Mapping

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, RegionError, listing

# Cyrillic letters that look like Latin ones.
_CYRILLIC = "АВЕКМНОРСТУХІЈЅаеорсухіјѕһԛԝ"
_LATIN = "ABEKMHOPCTYXIJSaeopcyxijshqw"
LOOK_ALIKE = str.maketrans(_CYRILLIC, _LATIN)
# After case is folded, small letters stand for the capitals that look alike.
_ALIKE_FOLDED = str.maketrans(_CYRILLIC.casefold(), _LATIN.casefold())
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_SPACES = re.compile(r"\s+")
_FOOTNOTE = re.compile(r"(?:\s*[⁰¹²³⁴-⁹⁾]+|\s*[*†‡]+|(?<=\D)\d{1,2}\))$")
_FORMULA_ERROR = re.compile(r"#(N/A|DIV/0!|REF!|NAME\?|VALUE!|NUM!|NULL!|SPILL!|CALC!)")
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,15})?", re.ASCII)  # 01 is a code
_NEAR = 75.0  # percent of letters in common from which a name is worth suggesting
_LARGEST = 1e70
#: What neither XML nor a workbook can hold.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def tidy_label(cell: object) -> str:
    """Text of a label: trimmed, spaces single, letters composed; a whole number without its ``.0``.

    >>> tidy_label("  Ала\u00a0Тау "), tidy_label(62.0), tidy_label(None)
    ('Ала Тау', '62', '')
    """
    if cell is None or cell is pd.NaT or cell is pd.NA or (isinstance(cell, float) and cell != cell):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return _SPACES.sub(" ", unicodedata.normalize("NFC", str(cell))).strip()


def tidy_distinct(column: pd.Series) -> pd.Series:
    """:func:`tidy_label` of each cell, worked out once for each that differs."""
    return _by_distinct(column, tidy_label)


def same_cells(column: pd.Series) -> pd.Series:
    """What two cells have in common that say the same: a plain number its value, a text its letters.

    >>> same_cells(pd.Series(["2015.0", 2015, "02015", "x "])).tolist()
    [2015.0, 2015.0, '02015', 'x']
    """
    return _by_distinct(column, _same)


def _same(cell: object) -> object:
    text = tidy_label(cell)
    return float(text) if _PLAIN_NUMBER.fullmatch(text) else text


def _by_distinct(column: pd.Series, function: Callable[[object], object]) -> pd.Series:
    codes, distinct = pd.factorize(column.to_numpy(dtype=object), use_na_sentinel=False)
    found = np.empty(len(distinct), dtype=object)
    found[:] = [function(cell) for cell in distinct]
    return pd.Series(found[codes], index=column.index, name=column.name, dtype=object)


def without_mark(label: str) -> str:
    """Label without the footnote mark at its end, unless it would close a bracket of the label.

    >>> [without_mark(label) for label in ("г. Астана1)", "Шымкент²", "Zone (part 1)", "(disputed) 1)")]
    ['г. Астана', 'Шымкент', 'Zone (part 1)', '(disputed)']
    """
    bare = _FOOTNOTE.sub("", label).strip()
    return label if not bare or bare.count("(") > bare.count(")") else bare


def refuse_no_name(cell: object, where: str) -> None:
    """Refuse a date and the error of a formula, which a spreadsheet program makes of names.

    Raises
    ------
    InputError
        The sentence begins with ``where``.
    """
    if hasattr(cell, "isoformat"):
        raise InputError(f"{where} is a date ({cell}), not a name; make it text.")
    if isinstance(cell, str) and _FORMULA_ERROR.fullmatch(cell):
        raise InputError(f"{where} is the error {cell} of a formula, not a name; mend the formula.")


def refuse_twins(labels: Iterable[str], what: str, source: str) -> None:
    """Refuse labels that differ only in look-alike letters, capitals, or marks that cannot be seen.

    Raises
    ------
    RegionError
        If two labels look alike, with what differs.
    """
    seen: dict[str, str] = {}
    for label in labels:
        known = seen.setdefault(_INVISIBLE.sub("", label).casefold().translate(_ALIKE_FOLDED), label)
        if known != label:
            raise RegionError(
                f"{source} has two {what}s that look alike, {known!r} and {label!r} "
                f"({difference(label, known) or 'in letters of two scripts'}); write both the same way, or "
                "tell them apart."
            )


def difference(first: str, second: str) -> str:
    """What makes two labels differ that look alike; "" if they do not look alike."""
    if invisible := _INVISIBLE.findall(first) + _INVISIBLE.findall(second):
        names = listing(sorted({f"U+{ord(mark):04X}" for mark in invisible}))
        if _INVISIBLE.sub("", first) == _INVISIBLE.sub("", second):
            return f"one holds marks that cannot be seen ({names})"
    bare, other = _INVISIBLE.sub("", first), _INVISIBLE.sub("", second)
    if len(bare) == len(other) and bare.translate(LOOK_ALIKE) == other.translate(LOOK_ALIKE):
        place = next(k for k, pair in enumerate(zip(bare, other, strict=True)) if pair[0] != pair[1])
        scripts = _script(bare[place]), _script(other[place])
        return f"letter {place + 1} is {scripts[0]} in the one and {scripts[1]} in the other"
    if bare.casefold() == other.casefold():
        return "they differ in capital letters only"
    return ""


def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split()[0].capitalize()


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


def explain_mismatch(extra: Iterable[object], lacking: Iterable[object]) -> str:
    """Say which labels of one list are probably which of the other; "" where nothing is near.

    Parameters
    ----------
    extra : iterable
        Labels that only the first list has.
    lacking : iterable
        Labels that only the second list has.
    """
    given, wanted = [str(label) for label in extra], [str(label) for label in lacking]
    if not given or not wanted:
        return ""
    if zeros := lost_zeros(given, wanted, against="the other"):
        return "; ".join(zeros)
    by_look = {_looks(label): label for label in wanted}
    alike = [(label, by_look[_looks(label)]) for label in given if _looks(label) in by_look]
    if alike:
        told = [
            f"{label!r} and {other!r} ({difference(label, other) or 'spaces or accents'})"
            for label, other in alike
        ]
        return f"these look alike but differ: {listing(told, 3)}"
    near = nearest_labels(given[:200], wanted)
    if not near:
        return ""
    told = [f"{label!r} for {other!r}" for label, other in near.items()]
    return f"perhaps {listing(told)} (rename can say so)"


def nearest_labels(labels: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """The known label that each label is most like, where it is like one, and no two share it.

    >>> nearest_labels(["Anglesey"], ["Isle of Anglesey", "Gwynedd"])
    {'Anglesey': 'Isle of Anglesey'}
    """
    from rapidfuzz import fuzz, process

    known = list(known)
    found: dict[str, tuple[float, str]] = {}
    for label in labels:
        near = process.extractOne(label, known, scorer=fuzz.WRatio, processor=_looks, score_cutoff=_NEAR)
        if near is not None and near[1] > found.get(near[0], (0.0, ""))[0]:
            found[near[0]] = near[1], label
    return {label: name for name, (_, label) in found.items()}


def _looks(label: str) -> str:
    folded = unicodedata.normalize("NFKD", _INVISIBLE.sub("", label).casefold().translate(_ALIKE_FOLDED))
    return _SPACES.sub(" ", "".join(mark for mark in folded if not unicodedata.combining(mark))).strip()


def require_labels(wanted: Iterable[str], known: Iterable[str], complaint: str) -> None:
    """Refuse labels that are not among the known ones, with the nearest of those.

    Raises
    ------
    InputError
        If one is unknown; the sentence begins with ``complaint``.
    """
    known = list(known)
    there = set(known)
    unknown = [label for label in wanted if label not in there]
    if unknown:
        hint = explain_mismatch(unknown, known)
        raise InputError(f"{complaint} {listing(unknown)}; {hint or f'there are {listing(known, 12)}'}.")


def check_labels(labels: pd.Index, what: str) -> None:
    """Refuse labels that are missing, repeat or have several levels; of regions or sectors, without order."""
    if not isinstance(labels, pd.Index):
        raise InputError(f"A pandas Series or DataFrame with a row for each {what} was expected.")
    if isinstance(labels, pd.MultiIndex):
        raise RegionError(f"Each {what} needs one label, but they have {labels.nlevels} levels.")
    if labels.hasnans:
        raise RegionError(f"A {what} label is missing at position {int(np.argmax(labels.isna())) + 1}.")
    if not labels.is_unique:
        repeated = labels[labels.duplicated()].unique()
        raise RegionError(f"Each {what} may stand once, but these repeat: {listing(repeated)}.")
    if what in {"region", "sector"} and labels.dtype == object:
        try:
            labels.sort_values()
        except TypeError:
            kinds = sorted({type(label).__name__ for label in labels})
            raise RegionError(f"Labels of {what}s must be of one kind, but are {listing(kinds)}.") from None


def check_table(
    values: pd.DataFrame | pd.Series,
    *,
    name: str = "values",
    minimum: float | None = None,
    least_regions: int = 2,
) -> pd.DataFrame:
    """Return ``values`` as a float table with unique labels and finite cells, or say what is wrong.

    Parameters
    ----------
    values : DataFrame or Series
        Rows are regions, columns variables; a Series becomes one column.
    name : str
        What the table is called in an error sentence.
    minimum : float, optional
        The smallest value allowed.
    least_regions : int
        The smallest number of rows allowed.

    Raises
    ------
    InputError
        On empty, non-numeric, missing, infinite, too large or too small cells, naming region and column.
    RegionError
        On missing or repeated labels.

    Examples
    --------
    >>> check_table(pd.Series([1, 2], index=["a", "b"], name="x")).loc["b", "x"]
    np.float64(2.0)
    """
    if isinstance(values, pd.Series):
        values = values.to_frame(name if values.name is None else values.name)
    if not isinstance(values, pd.DataFrame):
        raise InputError(f"{name} must be a pandas DataFrame or Series, not {type(values).__name__}.")
    check_labels(values.index, "region")
    check_labels(values.columns, "column")
    if len(values) < least_regions or values.shape[1] < 1:
        raise InputError(
            f"{name} has {len(values)} regions and {values.shape[1]} columns; "
            f"at least {least_regions} and 1 are needed."
        )
    numeric = [pd.api.types.is_numeric_dtype(t) and not pd.api.types.is_bool_dtype(t) for t in values.dtypes]
    if not all(numeric):
        text = [column for column, ok in zip(values.columns, numeric, strict=True) if not ok]
        raise InputError(f"{name} must hold numbers, but these columns do not: {listing(text)}.")
    table = values.astype("float64")
    cells = table.to_numpy()
    _refuse(table, ~np.isfinite(cells), f"{name} must be finite, but")
    # So that fourth powers stay finite.
    _refuse(table, np.abs(cells) > _LARGEST, f"{name} must not exceed {_LARGEST:g} in size, but")
    if minimum is not None:
        _refuse(table, cells < minimum, f"{name} must be at least {minimum:g}, but")
    return table


def _refuse(table: pd.DataFrame, bad: np.ndarray, complaint: str) -> None:
    """Raise with the region, column and value of the cells marked in ``bad``."""
    if bad.any():
        cells = [
            f"{table.index[i]!s} × {table.columns[j]!s} is {table.iloc[i, j]:g}" for i, j in np.argwhere(bad)
        ]
        raise InputError(f"{complaint} {listing(cells)}.")


def check_groups(groups: pd.Series | None, sectors: pd.Index, single: str = "all") -> pd.Series:
    """Group of each sector, as text; without groups, ``single`` for all of them.

    Raises
    ------
    InputError
        If groups are no Series, or a sector has none.
    RegionError
        If a sector has two.

    Examples
    --------
    >>> check_groups(pd.Series({"law": 1, "steel": 2}), pd.Index(["steel", "law"])).tolist()
    ['2', '1']
    """
    if groups is None:
        return pd.Series(single, index=sectors, name="group")
    if not isinstance(groups, pd.Series):
        raise InputError(f"groups must be a pandas Series, sector to group, not {type(groups).__name__}.")
    check_labels(groups.index, "sector")
    if len(missing := sectors.difference(groups.dropna().index)):
        raise InputError(f"groups has no entry for {listing(missing)}.")
    return groups.loc[sectors].astype(str).rename("group")


def check_same_regions(labels: pd.Index, expected: pd.Index, what: str, against: str = "the table") -> None:
    """Refuse two label sets that differ, naming what either side lacks and what probably is meant.

    Raises
    ------
    RegionError
        If the sets differ.
    """
    if not isinstance(labels, pd.Index):
        raise InputError(f"{what} must be a pandas Series or DataFrame.")
    lacking = expected.difference(labels)
    extra = labels.difference(expected)
    parts = []
    if len(lacking):
        parts.append(f"{what} lacks {listing(lacking)}")
    if len(extra):
        parts.append(f"{what} has {listing(extra)}, which {against} does not")
    if hint := explain_mismatch(extra, lacking):
        parts.append(hint)
    if parts:
        raise RegionError("; ".join(parts) + ".")
