"""All figures of a run, drawn and saved."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from spatialkz.errors import listing, notice
from spatialkz.options import FigureSet
from spatialkz.report.contents import Findings
from spatialkz.report.wording import Wording

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The most letters of a word and of a name.
_WORD, _NAME = 40, 160


def draw_figures(findings: Findings, folder: Path, lang: str, *, kind: FigureSet = "page") -> dict[str, Path]:
    """Draw every figure that the findings allow.

    The maps need polygons, and figures with a line for each region would not be readable for very many; such
    figures are left out. The same findings give the same bytes.

    Parameters
    ----------
    findings : Findings
    folder : path
        Where the files go; made if it is not there.
    lang : {"en", "ru", "kk"}
        Language of all words in the figures.
    kind : {"page", "all", "none"}
        As SVG, with a PNG of 300 dots an inch beside it, or none at all.

    Returns
    -------
    dict
        Name → SVG file, in the order of the page: ``map, clusters, dendrogram, profiles, criteria,
        silhouettes, consensus, quotients, moran, areas, candidates``, and ``focal_breadth,
        focal_models, focal_influence, focal_power, focal_curve`` of the focal test, and ``area_evidence,
        candidate_evidence, stars, shifts, growth`` of the ranking.

    Raises
    ------
    InputError
        If there is no such language.
    """
    if kind == "none":
        return {}
    # Here, so that no one waits for matplotlib who does not draw.
    from spatialkz.report import cluster_criteria, cluster_matrices, heatmap, intervals, maps, tree
    from spatialkz.report.style import styled

    words, findings = Wording(lang), _with_short_names(findings)
    folder.mkdir(parents=True, exist_ok=True)
    drawings = {
        "map": maps.breadth_map,
        "clusters": maps.cluster_map,
        "dendrogram": tree.dendrogram,
        "profiles": cluster_matrices.profiles_plot,
        "criteria": cluster_criteria.criteria_plot,
        "silhouettes": cluster_criteria.silhouettes_plot,
        "consensus": cluster_matrices.consensus_plot,
        "quotients": heatmap.quotients_plot,
        "moran": intervals.moran_plot,
        "areas": intervals.areas_plot,
        "candidates": intervals.candidates_plot,
    }
    if findings.study.boundaries is None:
        del drawings["map"], drawings["clusters"]
    if len(findings.quotients) > tree.MOST_LEAVES:
        for name in ("dendrogram", "profiles", "silhouettes", "consensus"):
            del drawings[name]
    elif findings.clustering.consensus is None:
        del drawings["consensus"]
    drawings |= _focal_drawings(findings) | _ranking_drawings(findings)
    files = {}
    with styled(), _missing_letters_told():
        for name, draw in drawings.items():
            figure = draw(findings, words)
            files[name] = folder / f"{name}.svg"
            with StringIO() as svg:
                figure.savefig(svg, format="svg", metadata={"Date": None})
                # The layout found for the one file is the layout of the other.
                figure.set_layout_engine("none")
                files[name].write_text(_slim(svg.getvalue()), encoding="utf-8", newline="\n")
            if kind == "all":
                figure.savefig(folder / f"{name}.png", dpi=300, pil_kwargs={"compress_level": 3})
    return files


def _with_short_names(findings: Findings) -> Findings:
    """Names as long as a figure can bear; page and tables have them whole."""
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
        notice(f"The font of the figures lacks {letters}: a box stands there; page and tables show them.")


def _focal_drawings(findings: Findings) -> dict[str, Callable[[Findings, Wording], Figure]]:
    """Figures of the focal test, as far as it could be done."""
    from spatialkz.report import focal_figures, specification_curve

    test = findings.focal
    if test is None:
        return {}
    told = [name for name, found in test.families.items() if not found.piling.reason]
    many = test.multiverse
    possible = {
        "focal_breadth": (bool(told), focal_figures.breadth_plot),
        "focal_models": (any(found.models for found in test.families.values()), focal_figures.models_plot),
        "focal_influence": (any(name in test.influence for name in told), focal_figures.influence_plot),
        "focal_power": (
            bool(told) and bool(test.families["all"].contiguity.power["power_08"].notna().all()),
            focal_figures.power_plot,
        ),
        "focal_curve": (
            many is not None and bool((many.table["reason"] == "").any()),
            specification_curve.specification_plot,
        ),
    }
    return {name: draw for name, (can, draw) in possible.items() if can}


def _ranking_drawings(findings: Findings) -> dict[str, Callable[[Findings, Wording], Figure]]:
    """Figures of what ranks are made of and what moves them; of growth points, if the study knows any."""
    from spatialkz.report import evidence_heatmap, growth_matrix, shift_bars, star_profiles

    ranking, review = findings.ranking, findings.review
    drawn = (ranking.area_uncertainty, ranking.candidate_uncertainty)
    possible = {
        "area_evidence": (True, evidence_heatmap.area_evidence_plot),
        "candidate_evidence": (True, evidence_heatmap.candidate_evidence_plot),
        "stars": (True, star_profiles.stars_plot),
        "shifts": (any(found is not None for found in drawn), shift_bars.shifts_plot),
        "growth": (review is not None and review.growth is not None, growth_matrix.growth_plot),
    }
    return {name: draw for name, (there, draw) in possible.items() if there}


def _slim(svg: str) -> str:
    """Cut the coordinates of outlines to hundredths of a point, which halves the file.

    >>> _slim('<path d="M 1.234567 -0.5"/><use transform="scale(0.001234)"/>')
    '<path d="M 1.23 -0.5"/><use transform="scale(0.001234)"/>'
    """
    outlines = re.compile(r'(?<= d=")[^"]*')
    beyond = re.compile(r"(?<=\.\d\d)\d+")
    return outlines.sub(lambda found: beyond.sub("", found[0]), svg)
