"""The page: one HTML file that holds everything and asks nothing of the network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import pandas as pd
from jinja2 import Environment, StrictUndefined

from spatialkz.candidates import AREA_EVIDENCE, CANDIDATE_EVIDENCE
from spatialkz.options import PartitionMethod
from spatialkz.report import cluster_tables, ranking_answers, ranking_tables, tables
from spatialkz.report.answers import answers, audit_sentences, caution, varied
from spatialkz.report.cluster_answers import cluster_sentences
from spatialkz.report.contents import Findings
from spatialkz.report.focal_answers import focal_concentration, focal_joint, focal_power, focal_sentences
from spatialkz.report.focal_tables import choices_table, focal_table
from spatialkz.report.wording import Wording

_METHODS: tuple[PartitionMethod, ...] = ("kmeans", "ward")
_SHOWN_ELSEWHERE = {"study", "seed", "lang", "choices", "versions", "inputs"}


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
    words = Wording(lang)
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = files("spatialkz.report").joinpath("page.html.j2").read_text(encoding="utf-8")
    page = environment.from_string(template).render(
        words=words,
        study=findings.study,
        title=findings.study.title or findings.study.name,
        asked=_asked(findings, words),
        answers=answers(findings, words),
        caution=caution(findings, words),
        score_note=words(
            "score_note", draws=words.whole(findings.ranking.draws), varied=varied(findings, words)
        ),
        area_evidence=_evidence(findings.ranking.areas, "area", AREA_EVIDENCE, words),
        candidate_evidence=_evidence(findings.ranking.candidates, "candidate", CANDIDATE_EVIDENCE, words),
        typed="district_type" in findings.ranking.areas,
        prerequisites=findings.study.places.prerequisites["indicator"].nunique(),
        groups=list(ranking_answers.groups_sentences(findings, words)),
        areas=tables.areas_table(findings, words),
        candidates=tables.candidates_table(findings, words),
        agreement=ranking_answers.agreement_sentence(findings, words),
        disagreement=ranking_tables.disagreement_table(findings, words),
        growth=list(ranking_answers.growth_sentences(findings, words)),
        naming=ranking_tables.naming_table(findings, words),
        naming_note=ranking_answers.naming_note(findings, words),
        audit=audit_sentences(findings, words),
        bases=tables.bases_table(findings, words),
        claims=tables.claims_table(findings, words),
        focal=focal_sentences(findings, words),
        focal_table=focal_table(findings, words),
        focal_power=focal_power(findings, words),
        focal_concentration=focal_concentration(findings, words),
        focal_joint=focal_joint(findings, words),
        focal_choices=choices_table(findings, words),
        moran=tables.moran_table(findings, words),
        local=tables.local_table(findings, words),
        local_adjusted=_left_after_adjustment(findings, words),
        structure=list(cluster_sentences(findings, words)),
        members=[
            cluster_tables.clusters_table(findings, words),
            tables.members_table(findings, words, "ward"),
        ],
        holding=cluster_tables.holding_table(findings, words),
        methods=cluster_tables.methods_table(findings, words),
        criteria=[tables.criteria_table(findings, words, method) for method in _METHODS],
        clusters=findings.clusters["kmeans"],
        resamples=words.whole(findings.study.choices.resamples),
        figures=_figures(findings, figures, words),
        choices={
            words(f"choice_{name}"): words.plain(value) if isinstance(value, float) else words.whole(value)
            for name, value in asdict(findings.study.choices).items()
        },
        seed=findings.seed,
        notes=findings.notes,
        inputs=dict(_flat(provenance.get("inputs", {}))),
        versions=dict(_flat(provenance.get("versions", {}))),
        further=dict(_flat({k: v for k, v in provenance.items() if k not in _SHOWN_ELSEWHERE})),
    )
    path.write_text(page, encoding="utf-8", newline="\n")


def _asked(findings: Findings, words: Wording) -> list[str]:
    """What the numbers are and where the line is drawn."""
    study, groups = findings.study, findings.study.table.groups
    counted = groups.groupby(groups, sort=False).size()
    listed = words.listing(f"{words.label('group', name)}: {count}" for name, count in counted.items())
    data = words(
        "asked_data",
        regions=words.whole(len(findings.quotients)),
        sectors=words.whole(findings.quotients.shape[1]),
        groups=f" ({listed})" if len(counted) > 1 else "",
        pairs=words.whole(int((study.graph.adjacency > 0).sum()) // 2),
        kind=words(f"kind_{study.table.kind}"),
    )
    unit = words("unit", unit=study.table.unit) if study.table.unit else ""
    about = words("quotient_about", threshold=words.plain(study.choices.threshold))
    return [f"{data} {unit}".strip(), about]


def _evidence(
    table: pd.DataFrame, kind: str, known: Mapping[str, str], words: Wording
) -> list[tuple[str, str]]:
    """Name and meaning of each part of a score that this study has."""
    return [(words(f"evidence_{name}"), words(f"{kind}_{name}")) for name in known if name in table]


def _left_after_adjustment(findings: Findings, words: Wording) -> str:
    found = findings.local.to_frame()
    labelled = found[~found["label"].isin(["not significant", "unattainable"])]
    left = int((labelled["p_adjusted"] <= findings.local.alpha).sum())
    return words("local_adjusted", left=left, labels=len(labelled))


def _figures(findings: Findings, figures: Mapping[str, Path], words: Wording) -> dict[str, tuple[str, str]]:
    """Data URI of each figure and the text that stands for it."""
    study, areas = findings.study, findings.ranking.areas
    widest = areas.iloc[int(areas["breadth"].argmax())]
    values: dict[str, dict[str, object]] = {
        "map": {
            "regions": len(areas),
            "region": study.region_names(words.lang)[widest["region"]],
            "count": words.whole(widest["breadth"]),
        },
        "clusters": {"k": findings.clusters["kmeans"].k},
        "dendrogram": {"k": findings.clusters["ward"].k},
        "profiles": {"k": findings.clustering.main.k},
        "silhouettes": {"mean": words.number(findings.clustering.main.silhouettes.mean(), 3)},
        "consensus": {"k": findings.clustering.main.k},
        "quotients": {
            "regions": words.whole(len(areas)),
            "sectors": words.whole(findings.quotients.shape[1]),
            "candidates": words.whole(len(findings.ranking.candidates)),
        },
        "moran": {"tested": len(findings.moran.to_frame())},
        **ranking_answers.figure_values(findings, words),
    }
    if findings.focal is not None:
        families: dict[str, object] = {"families": len(findings.focal.families)}
        values |= {f"focal_{name}": families for name in ("breadth", "models", "influence")}
        if findings.focal.multiverse is not None:
            values["focal_curve"] = {"count": words.whole(len(findings.focal.multiverse.table))}
    return {
        name: (
            f"data:image/svg+xml;base64,{b64encode(file.read_bytes()).decode('ascii')}",
            words(f"alt_{name}", **values.get(name, {})),
        )
        for name, file in figures.items()
    }


def _flat(value: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Lay nested entries out as lines."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, str(value)
