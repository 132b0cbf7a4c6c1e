"""Names and codes of the regions of Kazakhstan, as they stood in each administrative division."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple, get_args

import pandas as pd

from spatialkz import datasets
from spatialkz.errors import InputError, RegionError, listing
from spatialkz.options import Vintage
from spatialkz.tables import check_same_regions

_COLUMNS = ["kind", "iso", "kato", "cod_pcode", "name_en", "name_ru", "name_kk", "unit_2018"]
_CODES = ["code", "iso", "iso_2018", "iso_2022", "kato", "cod_pcode"]
_NAMES = ["name_en", "name_ru", "name_kk", "name_en_2018", "name_ru_2018", "name_kk_2018"]

# Kazakh letters are folded to the Russian ones people type instead (the words below are folded too).
_FOLD = str.maketrans("қғңөұүһіәı", "кгноуухиаi")
_KIND_WORDS = {
    "city": re.compile(r"city|gorod|g|qala(sy)?|kalasy|г|гор|город\w*|кала(сы)?|к"),
    "region": re.compile(r"region|province|obl\w*|обл\w*"),
}
_FILLERS = {"of", "the", "а"}  # «а»: г.а. = городская администрация


class _Spelling(NamedTuple):
    """One way to write one region."""

    text: str
    code: str
    region_kind: str  # "city" or "region"
    matched_by: str


def region_table(vintage: Vintage) -> pd.DataFrame:
    """List the regions of one division, with the names they had in it.

    Parameters
    ----------
    vintage : {1999, 2018, 2022}
        Year from which the division is in force: 14 regions and 2 cities since 1999, 14 and 3 since June
        2018, 17 and 3 since June 2022.

    Returns
    -------
    DataFrame
        Index ``code``; columns ``kind`` (city or region), ``iso`` (ISO 3166-2 of that time), ``kato``,
        ``cod_pcode`` (today's P-codes it is made of, joined by ``|``), ``name_en``, ``name_ru``,
        ``name_kk`` and ``unit_2018`` (the unit of 2018 it belongs to, or those it became).

    Raises
    ------
    InputError
        If there is no such division.

    Examples
    --------
    >>> region_table(2018).loc[["AST", "VKO"], ["name_en", "iso", "cod_pcode"]]
                  name_en     iso      cod_pcode
    code
    AST        Nur-Sultan  KZ-AST         KAZ006
    VKO   East Kazakhstan  KZ-VOS  KAZ001|KAZ008
    """
    if vintage not in get_args(Vintage):
        *first, last = map(str, get_args(Vintage))
        raise InputError(f"There is no division of {vintage!r}; expected {', '.join(first)} or {last}.")
    return _division(vintage).copy()


@cache
def _division(vintage: Vintage) -> pd.DataFrame:
    table = _read("regions").set_index("code")
    if vintage == 2022:
        return table.rename(columns={"iso_2022": "iso"})[_COLUMNS]
    units = table[f"unit_{vintage}"]
    members = table.groupby(units)["cod_pcode"].agg("|".join)
    named = table.assign(iso=table["iso_2018"])
    if vintage == 2018:
        named = named.assign(**{name: table[f"{name}_2018"] for name in ("name_en", "name_ru", "name_kk")})
    else:
        former = _read("former_regions").set_index("code").rename(columns={"successors": "unit_2018"})
        named = pd.concat([named, former])
    order = [code for code in named.index if code in set(units)]
    return named.assign(cod_pcode=members).loc[order, _COLUMNS].rename_axis("code")


def resolve_regions(names: Iterable[object], vintage: Vintage | None = None) -> pd.DataFrame:
    """Find the region behind each name or code.

    Codes of this package, ISO 3166-2, KATO and COD P-codes are understood, and English, Russian and Kazakh
    names with or without "region", "область", "қаласы" …, whatever the case, hyphens, dots and diacritics.
    A bare "Almaty" is a city or a region: it is the one that the other names leave over, else an error.

    Parameters
    ----------
    names : iterable of str
        Names or codes, each region at most once.
    vintage : {1999, 2018, 2022}, optional
        The division to resolve in. By default the one the names tell: 2022 if a region founded in that year
        (Abai, Jetisu, Ulytau) is among them, 1999 if South Kazakhstan is, else 2018.

    Returns
    -------
    DataFrame
        Index ``name``: the names as given, in their order. Columns ``code, vintage, kind, name_en, name_ru,
        name_kk, iso, kato, matched_by``; the last is ``code``, ``name``, ``variant`` or ``companion``
        (an ambiguous name settled by the others).

    Raises
    ------
    RegionError
        If a name is unknown, ambiguous, or of a region of another division, or if two names stand for one
        region.
    InputError
        If ``names`` is a single string, or there is no such division.

    Examples
    --------
    >>> resolve_regions(["Almaty", "Almaty City", "ВКО", "KZ-AST"])[["code", "name_en", "matched_by"]]
                code          name_en matched_by
    name
    Almaty       ALM    Almaty Region  companion
    Almaty City  ALA      Almaty City       name
    ВКО          VKO  East Kazakhstan    variant
    KZ-AST       AST       Nur-Sultan       code
    """
    if isinstance(names, str):
        raise InputError(f"Found the single name {names!r}; expected a list of region names.")
    given = list(names)
    readings = [_readings(name) for name in given]
    _refuse_unknown([name for name, found in zip(given, readings, strict=True) if not found])
    if vintage is None:
        vintage = _told_by(readings)
    table = region_table(vintage)
    known = set(table.index)
    # One code may have stood for two regions in turn: KZ-YUZ for South Kazakhstan, then for Turkestan.
    readings = [{code: how for code, how in found.items() if code in known} or found for found in readings]

    settled = {code for found in readings if len(found) == 1 for code in found}
    for name, found in zip(given, readings, strict=True):
        if len(found) > 1:
            left = [code for code in found if code not in settled]
            if len(left) != 1:
                both = _labels(found, " or ")
                raise RegionError(
                    f"The region {name!r} can be {both}; expected the full name of one of them."
                )
            found.clear()
            found[left[0]] = "companion"

    codes = [next(iter(found)) for found in readings]
    _refuse_other_division(codes, vintage)
    _refuse_twice(given, codes)

    result = table.loc[codes, ["kind", "name_en", "name_ru", "name_kk", "iso", "kato"]]
    result.insert(0, "code", codes)
    result.insert(1, "vintage", vintage)
    result["matched_by"] = [next(iter(found.values())) for found in readings]
    return result.set_axis(pd.Index(given, name="name"))


def check_divisions(labels: pd.Index, expected: pd.Index, what: str, against: str = "the table") -> None:
    """Refuse other regions, as :func:`spatialkz.tables.check_same_regions`; say if another division has them.

    Raises
    ------
    RegionError
        If the labels differ; where they are regions of Kazakhstan, with the division of either.
    """
    try:
        check_same_regions(labels, expected, what, against)
    except RegionError as error:
        try:
            mine, theirs = (resolve_regions(names)["vintage"].iloc[0] for names in (labels, expected))
        except RegionError:
            raise error from None
        if mine == theirs:
            raise
        raise RegionError(
            f"{what} is of the division of {mine}, {against} of that of {theirs}; sum or split the regions "
            f"first: {error}"
        ) from None


def known_names(names: Iterable[object]) -> list[object]:
    """Names and codes that stand for a region, or for one of several.

    >>> known_names(["Akmola", "Atlantis"])
    ['Akmola']
    """
    return [name for name in names if _readings(name)]


def _told_by(readings: Sequence[Mapping[str, str]]) -> Vintage:
    """The division that names tell; that of 2018 where they are of all of them."""
    certain = {code for found in readings if len(found) == 1 for code in found}
    if certain - set(_division(2018).index) - {"YKO"}:
        return 2022
    if "YKO" in certain:
        return 1999
    either = any("YKO" in found for found in readings)
    return 1999 if either and certain == set(_division(1999).index) - {"YKO"} else 2018


def _refuse_other_division(codes: Sequence[str], vintage: Vintage) -> None:
    """Say which regions are not of a division, since or until when they are, and what can be done."""
    units = {division: set(_division(division).index) for division in get_args(Vintage)}
    strange = [code for code in codes if code not in units[vintage]]
    if not strange:
        return
    first = {code: next(division for division in units if code in units[division]) for code in strange}
    until = _read("former_regions").set_index("code")["until"]
    past = [code for code in strange if first[code] < vintage]
    if past:
        told = f"{_labels(past)} was a region until {until[past[0]]}"
        others = [code for code in codes if code not in units[1999]]
        if others:
            raise RegionError(
                f"Found regions of two divisions: {told}, but {listing(map(_label, others))} came after it; "
                "expected those of one, or a column that tells periods apart."
            )
    else:
        told = "; ".join(
            f"{_labels(group)} {'is a region' if len(group) == 1 else 'are regions'} since {since}"
            for since in sorted(set(first.values()))
            if (group := [code for code in strange if first[code] == since])
        )
    other = max(first.values())
    more = (
        f", or give a weight to divide it (spatialkz regions --aggregate {vintage} --weight COLUMN)"
        if past
        else f", or aggregate (spatialkz regions --aggregate {vintage} FILE)"
    )
    raise RegionError(
        f"{told}, and this is the division of {vintage}: take that of {other} (--division {other}){more}."
    )


def _refuse_unknown(names: Sequence[object]) -> None:
    if names:
        told = listing((f"{name!r} ({_nearest(name)})" for name in names), limit=len(names))
        raise RegionError(f"Found unknown region names, expected regions of Kazakhstan: {told}.")


def _refuse_twice(names: Sequence[object], codes: Sequence[str]) -> None:
    together = pd.Series([repr(name) for name in names], dtype=object).groupby(pd.Series(codes, dtype=object))
    twice = [
        f"{' and '.join(group)} are {_labels([str(code)])}" for code, group in together if len(group) > 1
    ]
    if twice:
        raise RegionError(f"Found several names for one region, expected each region once: {listing(twice)}.")


def _nearest(name: object) -> str:
    """Say which known spellings come closest to an unknown name."""
    known = _spellings()
    close = difflib.get_close_matches(_split(name)[0], known, n=3, cutoff=0.7)
    found: dict[str, str] = {}
    for base in close:
        for spelling in known[base]:
            if spelling.matched_by != "code":
                found.setdefault(spelling.code, spelling.text)
    return f"nearest: {', '.join(found.values())}" if found else "nothing near"


def _label(code: str) -> str:
    names = _read("regions").set_index("code")["name_en"]
    if code not in names:
        names = _read("former_regions").set_index("code")["name_en"]
    return f"{names[code]} ({code})"


def _labels(codes: Iterable[str], joint: str = ", ") -> str:
    return joint.join(map(_label, codes))


def _readings(name: object) -> dict[str, str]:
    """Codes a name can stand for, each with the way it was matched."""
    base, kind = _split(name)
    found = _spellings().get(base, [])
    if kind:
        found = [spelling for spelling in found if spelling.region_kind == kind]
    # Codes and names come before variants in the list, and the first one counts.
    read = {spelling.code: spelling.matched_by for spelling in reversed(found)}
    # A bare name is no variant that needs its word: Akmola is the region, "Akmola (city)" is Astana.
    named = {code: how for code, how in read.items() if how != "variant"}
    return named or read


@cache
def _spellings() -> dict[str, list[_Spelling]]:
    """All known spellings by what is left of them without kind words, case and diacritics."""
    known = defaultdict(list)
    for row in [*_read("regions").to_dict("records"), *_read("former_regions").to_dict("records")]:
        texts = [(row[column], "code") for column in _CODES if column in row]
        texts += [(row[column], "name") for column in _NAMES if column in row]
        texts += [(text, "variant") for text in row["variants"].split("|")]
        for text, matched_by in texts:
            if base := _split(text)[0]:
                known[base].append(_Spelling(text, row["code"], row["kind"], matched_by))
    return dict(known)


def _split(name: object) -> tuple[str, str]:
    """Part a name into its folded letters and its kind: ``"city"``, ``"region"`` or ``""``."""
    letters = unicodedata.normalize("NFKD", str(name).casefold())
    folded = "".join(letter for letter in letters if not unicodedata.combining(letter)).translate(_FOLD)
    words = [word for word in re.findall(r"[^\W_]+", folded) if word not in _FILLERS]
    kinds = [next((kind for kind in _KIND_WORDS if _KIND_WORDS[kind].fullmatch(word)), "") for word in words]
    base = "".join(word for word, kind in zip(words, kinds, strict=True) if not kind)
    return base, " ".join(sorted(set(kinds) - {""}))


@cache
def _read(name: str) -> pd.DataFrame:
    return datasets.read_table(name, text=True)
