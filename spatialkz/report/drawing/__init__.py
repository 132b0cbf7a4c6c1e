"""All figures of a run, drawn and saved."""

from __future__ import annotations

import gc
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from spatialkz.errors import InputError, listing, notice
from spatialkz.options import FigureSet
from spatialkz.report.contents import Findings
from spatialkz.report.sections import sections
from spatialkz.report.wording import Wording

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The most letters of a word and of a name.
_WORD, _NAME = 40, 160


def draw_figures(
    findings: Findings,
    folder: Path,
    lang: str,
    *,
    kind: FigureSet = "page",
    share: tuple[int, int] = (0, 1),
) -> dict[str, Path]:
    """Draw every figure that the findings allow.

    The maps need polygons, and figures with a line for each region would not be readable for very many; such
    figures are left out. The same findings give the same bytes, also after they were pickled.

    Parameters
    ----------
    findings : Findings
    folder : path
        Where the files go; made if it is not there.
    lang : {"en", "ru", "kk"}
        Language of all words in the figures.
    kind : {"page", "all", "none"}
        ``page`` saves each figure as SVG, whose text stays text; ``all`` a PNG of 300 dpi beside it; ``none``
        draws nothing.
    share : tuple
        ``(i, n)`` draws every n-th figure from the i-th on, so that n processes can share them.

    Returns
    -------
    dict
        Name → SVG file, in the order of the page: the figures of :func:`spatialkz.report.sections.sections`.

    Raises
    ------
    InputError
        If there is no such language or kind.
    """
    words = Wording(lang)
    if kind not in get_args(FigureSet):
        raise InputError(f"kind is {kind!r}; it must be one of {listing(get_args(FigureSet))}.")
    if kind == "none":
        return {}
    # Here, so that no one waits for matplotlib who does not draw.
    from spatialkz.report.drawing.style import save, styled

    wanted = [figure.name for section in sections(findings, words) for figure in section.figures]
    findings, drawings = _with_short_names(findings), _drawings()
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{name}.svg" for name in wanted[share[0] :: share[1]]}
    with styled(), _missing_letters_told(), _no_collection():
        for name, file in files.items():
            save(drawings[name](findings, words), file, picture=kind == "all")
    return files


def _drawings() -> dict[str, Callable[[Findings, Wording], Figure]]:
    """Every figure there is, by the name that the sections give it."""
    from spatialkz.report.drawing import change, clusters, focal, maps, rows

    return {
        "map": maps.breadth_map,
        "areas": rows.areas_plot,
        "area_evidence": rows.area_evidence_plot,
        "shifts": rows.shifts_plot,
        "candidates": rows.candidates_plot,
        "candidate_evidence": rows.candidate_evidence_plot,
        "stars": rows.stars_plot,
        "growth": rows.growth_plot,
        "quotients": rows.quotients_plot,
        "change_slopes": change.slopes_plot,
        "change_years": change.years_plot,
        "change_shares": change.shift_share_plot,
        "moran": rows.moran_plot,
        "clusters": maps.cluster_map,
        "profiles": clusters.profiles_plot,
        "silhouettes": clusters.silhouettes_plot,
        "consensus": clusters.consensus_plot,
        "criteria": clusters.criteria_plot,
        "dendrogram": clusters.dendrogram,
        "prerequisites": rows.prerequisites_plot,
        "expected": maps.expected_map,
        "focal_breadth": focal.breadth_plot,
        "focal_models": focal.models_plot,
        "focal_power": focal.power_plot,
        "focal_influence": focal.influence_plot,
        "focal_curve": focal.specification_plot,
    }


def _with_short_names(findings: Findings) -> Findings:
    """Names as long as a figure has room for; page and tables have them whole."""
    study = findings.study
    short = {
        part: names.map(_short)
        for part, names in (
            ("regions", study.regions.filter(like="name_")),
            ("sectors", study.sectors.filter(like="name_")),
        )
    }
    if all(names.equals(getattr(study, part)[names.columns]) for part, names in short.items()):
        return findings
    changed = {part: getattr(study, part).assign(**names) for part, names in short.items()}
    return replace(findings, study=replace(study, **changed))


def _short(name: object) -> str:
    """Cut words that no line can hold, and names that no figure can.

    >>> len(_short("A" * 50_000)), len(_short("word " * 50))
    (40, 160)
    """
    text = re.sub(rf"\S{{{_WORD + 1},}}", lambda word: f"{word[0][: _WORD - 1]}…", str(name))
    return text if len(text) <= _NAME else f"{text[: _NAME - 1]}…"


@contextmanager
def _no_collection() -> Iterator[None]:
    """Figures are rings of references; to look for unused ones while drawing takes a quarter of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def _missing_letters_told() -> Iterator[None]:
    """One notice in the place of a warning for each letter and figure."""
    pattern = re.compile(r"Glyph (\d+) .*missing from")
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", pattern.pattern)
        yield
    missing = dict.fromkeys(found[1] for told in caught if (found := pattern.match(str(told.message))))
    for told in caught:
        if not pattern.match(str(told.message)):
            warnings.warn_explicit(told.message, told.category, told.filename, told.lineno)
    if missing:
        letters = listing([chr(int(number)) for number in missing])
        notice(
            f"The font of the figures lacks {letters}: another font shows them, in a place that may be too "
            "wide or too narrow, and in PNG files a box stands there."
        )
