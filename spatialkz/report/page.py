"""The page: one HTML file that holds everything and asks nothing of the network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from spatialkz.report.contents import Findings, Heading, Items, Part, Section, Terms, section
from spatialkz.report.sections import sections
from spatialkz.report.wording import Wording

_SHOWN_ELSEWHERE = {"study", "seed", "lang", "choices", "versions", "inputs"}
_REFERENCES = (
    "Anselin, L. (1995). Local indicators of spatial association – LISA. Geographical Analysis 27, 93–115.",
    "Benjamini, Y., & Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the Royal "
    "Statistical Society B 57, 289–300.",
    "Cliff, A. D., & Ord, J. K. (1981). Spatial Processes: Models and Applications. Pion.",
    "Hennig, C. (2007). Cluster-wise assessment of cluster stability. Computational Statistics & Data "
    "Analysis 52, 258–271.",
    "Kaufman, L., & Rousseeuw, P. J. (1990). Finding Groups in Data. Wiley.",
    "OECD & JRC (2008). Handbook on Constructing Composite Indicators. OECD Publishing.",
    "Ward, J. H. (1963). Hierarchical grouping to optimize an objective function. Journal of the American "
    "Statistical Association 58, 236–244.",
)


def write_page(
    findings: Findings,
    figures: Mapping[str, Path],
    path: Path,
    lang: str,
    *,
    provenance: Mapping[str, object],
) -> None:
    """Write the report as one self-contained HTML file.

    Parameters
    ----------
    findings : Findings
    figures : mapping
        Name → SVG file, as :func:`draw_figures` returns it; the page shows those that are there.
    path : path
        The file to write.
    lang : {"en", "ru", "kk"}
    provenance : mapping
        What was run with what: ``versions`` (package → version), ``inputs`` (file → SHA-256), and anything
        else worth telling. Findings and provenance alone decide the bytes of the page.

    Raises
    ------
    InputError
        If there is no such language.
    """
    words, study = Wording(lang), findings.study
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = files("spatialkz.report").joinpath("page.html.j2").read_text(encoding="utf-8")
    shown = [found.showing(figures) for found in sections(findings, words)]
    page = environment.from_string(template).render(
        words=words,
        title=study.title or study.name,
        source=study.source,
        sections=[found for found in shown if found.parts] + [_run(findings, words, provenance)],
        figures={name: _data_uri(file) for name, file in figures.items()},
    )
    path.write_text(page, encoding="utf-8", newline="\n")


def _run(findings: Findings, words: Wording, provenance: Mapping[str, object]) -> Section:
    """What was left out, what was run with what, and the literature."""
    choices = {
        words(f"choice_{name}"): words.plain(value) if isinstance(value, float) else words.whole(value)
        for name, value in asdict(findings.study.choices).items()
        if value is not None
    }
    further = {name: value for name, value in provenance.items() if name not in _SHOWN_ELSEWHERE}
    told = {
        "choices": {**choices, words("seed"): str(findings.seed)},
        "inputs": dict(_flat(provenance.get("inputs", {}))),
        "versions": dict(_flat(provenance.get("versions", {}))),
        "further": dict(_flat(further)),
    }
    parts: list[Part] = [Heading(words("notes")), Items(findings.notes)] if findings.notes else []
    for heading, entries in told.items():
        if entries:
            parts += [Heading(words(heading)), Terms(entries, "lines")]
    return section("run", *parts, Heading(words("references")), Items(_REFERENCES, lang="en"))


def _data_uri(file: Path) -> str:
    return f"data:image/svg+xml;base64,{b64encode(file.read_bytes()).decode('ascii')}"


def _flat(value: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Lay nested entries out as lines."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, str(value)
