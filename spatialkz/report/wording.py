"""All words a reader sees on the page and in the figures, in the three languages of a study."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from string import Formatter

from spatialkz.errors import InputError, listing
from spatialkz.options import LANGUAGES

_NO_BREAK = "\N{NO-BREAK SPACE}"


class Wording:
    r"""The words and number forms of one language.

    Parameters
    ----------
    lang : {"en", "ru", "kk"}

    Raises
    ------
    InputError
        If there is no such language.

    Examples
    --------
    >>> words = Wording("ru")
    >>> words("quotients_title"), words.number(-0.155, 2), words.p_value(0.0001)
    ('Коэффициенты локализации', '−0,15', '<\xa00,001')
    """

    def __init__(self, lang: str) -> None:
        if lang not in LANGUAGES:
            raise InputError(f"lang is {lang!r}; it must be one of {listing(LANGUAGES)}.")
        self.lang = lang
        self._texts = {key: texts[lang] for key, texts in _bundled().items()}

    def __call__(self, key: str, /, **values: object) -> str:
        """Text of a key, with the values put into its places."""
        return self._texts[key].format(**values)

    def label(self, kind: str, name: object) -> str:
        """Word for a label of ours, such as a group of sectors; a name we do not know stays as it is."""
        return self._texts.get(f"{kind}_{name}", str(name))

    def listing(self, items: Iterable[str]) -> str:
        """Join names for a sentence, or say that there are none; names with commas take semicolons."""
        texts = list(items)
        return ("; " if any("," in text for text in texts) else ", ").join(texts) or self("none")

    def number(self, value: float, digits: int = 2) -> str:
        """Write a number with the decimal sign of the language."""
        text = f"{value:.{digits}f}"
        if not float(text):
            text = text.removeprefix("-")
        return text.replace("-", "\N{MINUS SIGN}").replace(".", self("decimal_sign"))

    def plain(self, value: float) -> str:
        """Write a number with as many digits as it needs.

        >>> Wording("kk").plain(0.05), Wording("en").plain(1.0)
        ('0,05', '1')
        """
        return f"{value:.6g}".replace("-", "\N{MINUS SIGN}").replace(".", self("decimal_sign"))

    def whole(self, value: int) -> str:
        """Write an integer with its thousands apart.

        >>> Wording("en").whole(10000)
        '10,000'
        """
        return f"{value:,}".replace(",", self("thousands_sign"))

    def percent(self, share: float) -> str:
        """Write a share in percent; only what is certain is written as 0 or 100.

        >>> [Wording("en").percent(share) for share in (0.0, 0.001, 0.894, 0.9996, 1.0)]
        ['0%', '<1%', '89%', '>99%', '100%']
        """
        if 0 < share < 0.005:
            amount = "<1"
        elif 0.995 <= share < 1:
            amount = ">99"
        else:
            amount = f"{100 * share:.0f}"
        return self("percent_form", amount=amount)

    def percent_range(self, low: float, high: float) -> str:
        """Write the two ends of a share in percent, or the share itself where they are one.

        >>> Wording("en").percent_range(0.144, 0.395), Wording("en").percent_range(0.25, 0.25)
        ('14.4–39.5%', '25.0%')
        """
        ends = [self.number(100 * share, 1) for share in (low, high)]
        return self("percent_form", amount="–".join(dict.fromkeys(ends)))

    def p_value(self, p: float) -> str:
        """Write a p-value with three decimals."""
        return f"<{_NO_BREAK}{self.number(0.001, 3)}" if p < 0.001 else self.number(p, 3)

    def equation(self, name: str, p: float, sign: str = "=") -> str:
        """Write a p-value with its name."""
        text = self.p_value(p)
        return _together(f"{name} {text}" if text.startswith("<") else f"{name} {sign} {text}")


@cache
def _bundled() -> dict[str, dict[str, str]]:
    return read_wording(files("spatialkz.report").joinpath("wording.toml").read_text(encoding="utf-8"))


def read_wording(text: str) -> dict[str, dict[str, str]]:
    r"""Parse wording in TOML, one table for each key, and check that no language is behind.

    Raises
    ------
    InputError
        If a key lacks a language, has one too many, or its texts differ in the values they take.

    Examples
    --------
    >>> read_wording('[map]\nen = "Map"\nru = "Карта"\nkk = "Карта"')["map"]["ru"]
    'Карта'
    """
    wording: dict[str, dict[str, str]] = tomllib.loads(text)
    for key, texts in wording.items():
        if set(texts) != set(LANGUAGES):
            raise InputError(f"The wording of {key!r} is in {listing(texts)}; expected {listing(LANGUAGES)}.")
        if len({_places(phrase) for phrase in texts.values()}) > 1:
            raise InputError(f"The wording of {key!r} takes different values in different languages.")
    return {
        key: {lang: _together(phrase) for lang, phrase in texts.items()} for key, texts in wording.items()
    }


def _together(phrase: str) -> str:
    """Keep what belongs together on one line: signs with their numbers, a dash with the word before it."""
    return re.sub(r" (?=[=≥≤<%—–])|(?<=[=≥≤<]) ", _NO_BREAK, phrase)


def _places(phrase: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(phrase) if name)
