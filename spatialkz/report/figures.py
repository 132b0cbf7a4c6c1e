"""All figures of a run, drawn and saved."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

from spatialkz.report.contents import Findings
from spatialkz.report.wording import Wording


def draw_figures(findings: Findings, folder: Path, lang: str) -> dict[str, Path]:
    """Draw every figure that the findings allow and save each as PNG and as SVG.

    The maps need polygons, and a dendrogram of very many regions would not be readable; such figures are left
    out. The same findings give the same bytes.

    Parameters
    ----------
    findings : Findings
    folder : path
        Where the files go; made if it is not there.
    lang : {"en", "ru", "kk"}
        Language of all words in the figures.

    Returns
    -------
    dict
        Name → SVG file, in the order of the page: ``map, clusters, dendrogram, quotients, moran, areas,
        candidates``. The PNG lies beside it.

    Raises
    ------
    InputError
        If there is no such language.
    """
    # Here, so that no one waits for matplotlib who does not draw.
    from spatialkz.report import heatmap, intervals, maps, tree
    from spatialkz.report.style import styled

    words = Wording(lang)
    folder.mkdir(parents=True, exist_ok=True)
    drawings = {
        "map": maps.breadth_map,
        "clusters": maps.cluster_map,
        "dendrogram": tree.dendrogram,
        "quotients": heatmap.quotients_plot,
        "moran": intervals.moran_plot,
        "areas": intervals.areas_plot,
        "candidates": intervals.candidates_plot,
    }
    if findings.study.boundaries is None:
        del drawings["map"], drawings["clusters"]
    if len(findings.quotients) > tree.MOST_LEAVES:
        del drawings["dendrogram"]
    files = {}
    with styled():
        for name, draw in drawings.items():
            figure = draw(findings, words)
            files[name] = folder / f"{name}.svg"
            with StringIO() as svg:
                figure.savefig(svg, format="svg", metadata={"Date": None})
                # The layout found for the one file is the layout of the other.
                figure.set_layout_engine("none")
                files[name].write_text(_slim(svg.getvalue()), encoding="utf-8", newline="\n")
            figure.savefig(folder / f"{name}.png", dpi=150)
    return files


def _slim(svg: str) -> str:
    """Cut the coordinates of outlines to hundredths of a point, which halves the file.

    >>> _slim('<path d="M 1.234567 -0.5"/><use transform="scale(0.001234)"/>')
    '<path d="M 1.23 -0.5"/><use transform="scale(0.001234)"/>'
    """
    outlines = re.compile(r'(?<= d=")[^"]*')
    beyond = re.compile(r"(?<=\.\d\d)\d+")
    return outlines.sub(lambda found: beyond.sub("", found[0]), svg)
