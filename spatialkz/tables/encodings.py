"""The encoding of a text, told by its bytes where that is certain."""

from __future__ import annotations

import codecs
import re

from spatialkz.errors import InputError

_RUSSIAN = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_SLAVIC = (_RUSSIAN, "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя", "абвгдеёжзійклмнопрстуўфхцчшыьэюя")
_KAZAKH = (_RUSSIAN + "әғқңөұүһі",)
# In one of these alphabets an encoding must write all words beyond ASCII.
_ALPHABETS = {"cp1251": _SLAVIC, "kz1048": _KAZAKH, "ptcp154": _KAZAKH}
# What it must not be mistaken for, but is never certain: Greek reads as words in it.
_RARE = dict.fromkeys(("koi8-r", "cp866", "iso8859-5", "mac-cyrillic"), _SLAVIC[:1])
_VOWELS = frozenset("аеёиоуыэюяєіїәөұү")
# Of 100 letters 42 are vowels in Russian, 45 in Kazakh; 23 in Greek and 22 in Hebrew read as Russian.
_LEAST_VOWELS, _LEAST_LETTERS = 0.32, 12
_SIGNS = frozenset("µªº")  # letters to Unicode, in no word
_WORD = re.compile(r"[^\W\d_]+")
# No letter, or a sign in the place of a first letter.
_NO_WORD = re.compile(r"[\ufffd\x80-\x9f\u2500-\u259f]|(?<!\w)[^\x00-\x7f\w\s«“„‘](?=[^\W\d_])")
_NEEDS_NO_MENTION = {"utf-8", "utf-8-sig", "utf-16", "utf-32"}
_SAMPLE = 200_000  # bytes of lines with letters beyond ASCII
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(content: bytes, source: str, encoding: str | None = None) -> tuple[str, tuple[str, ...]]:
    """Text of a file, and what was told from its bytes.

    A byte order mark, or letters beyond ASCII that are valid UTF-8, are certain and go before ``encoding``.

    Raises
    ------
    InputError
        If the encoding cannot be told, is not known, or is not that of the file.
    """
    certain = _certain(content)
    found: tuple[str, ...] = ()
    name = encoding or ""
    if encoding is None:
        name = certain or _by_words(content, source)
        found = () if certain in _NEEDS_NO_MENTION else (f"encoding {name}",)
    elif certain and not content.isascii() and not _same_family(certain, encoding):
        name, found = certain, (f"encoding {certain.removesuffix('-sig')}, not {encoding} as stated",)
    try:
        if codecs.lookup(name).name.startswith(("utf-16", "utf-32")) and b"\0" not in content:
            raise UnicodeError  # any bytes make letters of some script
        text = content.decode(name)
    except UnicodeError:
        raise InputError(
            f"{source} is not {name} text; save it as UTF-8 or name its encoding "
            "(Russian Excel often writes cp1251)."
        ) from None
    except (LookupError, ValueError):
        raise InputError(
            f"{source}: the encoding {name!r} is not known; expected one such as utf-8 or cp1251."
        ) from None
    if "\0" in text:
        line = 1 + len(re.findall(r"\r\n|\r|\n", text[: text.index("\0")]))
        raise InputError(
            f"{source}, line {line}: there is a null character, which no text has; the file is damaged, "
            "or its encoding is another (name it)."
        )
    return text.removeprefix("\ufeff"), found


def _same_family(certain: str, stated: str) -> bool:
    try:
        return codecs.lookup(stated).name[:6] == codecs.lookup(certain).name[:6]
    except (LookupError, ValueError):
        return True  # which is then refused by its name


def _certain(content: bytes) -> str | None:
    """Encoding that the bytes alone make certain."""
    for mark, name in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return name
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        high = content[start::2]
        if b"\0" in high and (high.count(0) + high.count(4)) > 0.9 * len(high):
            return name  # Latin letters and digits are in block 0, Cyrillic ones in block 4
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _by_words(content: bytes, source: str) -> str:
    """The one encoding in which all letters beyond ASCII make words, if they are enough to be sure."""
    lines = b"\n".join(line for line in content.splitlines() if not line.isascii())[:_SAMPLE]
    fitting: dict[str, str] = {}
    for name, alphabets in (_ALPHABETS | _RARE).items():
        text = lines.decode(name, errors="replace")
        if text not in fitting.values() and _reads_as_words(text, alphabets):
            fitting[name] = text
    if len(fitting) == 1:
        name, text = fitting.popitem()
        letters = "".join(_words(text)).lower()
        vowels = sum(letter in _VOWELS for letter in letters)
        if name in _ALPHABETS and len(letters) >= _LEAST_LETTERS and vowels >= _LEAST_VOWELS * len(letters):
            return name
        fitting = {name: text}
    raise InputError(f"{source} is not UTF-8 text; {_samples(lines, list(fitting))}")


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if not word.isascii() and word not in _SIGNS]


def _reads_as_words(text: str, alphabets: tuple[str, ...]) -> bool:
    """Whether letters beyond ASCII are of one alphabet, in words of common case."""
    words = _words(text)
    letters = set("".join(words).lower())
    return (
        not _NO_WORD.search(text)
        and any(letters <= set(alphabet) for alphabet in alphabets)
        and all(word.islower() or word.isupper() or word[1:].islower() for word in words)
    )


def _samples(lines: bytes, names: list[str]) -> str:
    """How a word reads in the encodings that it could be: the word on which most of them differ."""
    words = {word[:40] for word in re.split(rb"[ ,;\t\r\n|\"]", lines) if not word.isascii()}
    readings = [
        _readings(word, names or ["cp1252", "cp1250", "cp1254", "cp1251"]) for word in sorted(words)[:1000]
    ]
    read = max(readings, key=lambda found: (len(found), sum(map(len, found))))
    if not read:
        return "it holds bytes of none of the usual encodings; save it as UTF-8."
    told = " or ".join(f"{text!r} in {name}" for text, name in read.items())
    return (
        f'name its encoding: it has {told} (encoding = "{next(iter(read.values()))}" in a study, '
        "--encoding on the command line)."
    )


def _readings(word: bytes, names: list[str]) -> dict[str, str]:
    """Text of a word, and the first encoding that gives it; none that mixes two scripts."""
    read: dict[str, str] = {}
    for name in names:
        text = word.decode(name, errors="replace")
        if not re.search(r"\ufffd|[\x80-\x9f]|[A-Za-z][а-яА-Я]|[а-яА-Я][A-Za-z]", text):
            read.setdefault(text, name)
    return read
