"""run_study: all stages in order, written as one results folder that is replaced whole or not at all."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pandas as pd
from threadpoolctl import threadpool_limits

from spatialkz.candidates import (
    CandidateRanking,
    RankingReview,
    check_context,
    rank_candidates,
    review_ranking,
)
from spatialkz.change import ChangeAnalysis, analyse_change
from spatialkz.clustering import ClusterAnalysis, analyse_clusters, check_clusterable
from spatialkz.errors import InputError, listing, notice
from spatialkz.focal.study import check_families, focal_study
from spatialkz.geography.weights import row_standardized
from spatialkz.options import LANGUAGES, FigureSet
from spatialkz.outputs import differing, provenance, study_of, write_map, write_tables
from spatialkz.prerequisites import check_prerequisites, prerequisite_study
from spatialkz.processes import SecondProcess
from spatialkz.progress import Progress, Stage, Stages
from spatialkz.report import Findings, draw_figures, write_page
from spatialkz.results import write_json
from spatialkz.spatial import LocalMoranTest, constant_variables, detectable_dependence, local_moran, moran
from spatialkz.specialization import (
    QuotientAudit,
    audit_study,
    breadth_label,
    check_auditable,
    check_counts,
    complete_quotients,
    hidden_notes,
    symmetric_quotient,
    table_quotients,
    with_breadth,
)
from spatialkz.study import Study
from spatialkz.tables.labels import CONTROL
from spatialkz.tables.writers import tell_formulas
from spatialkz.writing import MANIFEST, check_folder, read_manifest, replaced_folder, scratch_folder, sha256

# Clusters take a matrix of regions × regions, and are found again without each region and each sector.
_MOST_REGIONS, _MOST_SECTORS = 20_000, 2_000
# Tables with fewer cells gain nothing from several threads of linear algebra, which then wait for each other.
_SMALL = 50_000
# What each stage takes of a run, in seconds of the paper's study on one processor.
_SHARES = {
    "quotients": 0.1,
    "audit": 0.2,
    "autocorrelation": 0.3,
    "change": 0.1,
    "focal test": 6.0,
    "power": 0.1,
    "prerequisites": 3.0,
    "clusters": 3.0,
    "ranking": 2.0,
    "tables": 1.0,
    "figures": 5.0,
    "report": 0.3,
}


def run_study(
    study: Study,
    out: str | Path,
    *,
    seed: int = 42,
    lang: str = "en",
    figures: FigureSet = "page",
    progress: Progress | None = None,
    beside: SecondProcess | None = None,
) -> Path:
    """Run every stage on a study and write the results folder.

    The folder holds ``quotients.csv``, ``concentration.csv``, ``autocorrelation.csv``, ``local.csv``,
    ``clusters.csv``, ``clustering.json``, ``candidates.csv``, ``areas.csv``, ``focal.json`` and
    ``focal_multiverse.csv`` (of 5 or more regions), ``prerequisites.csv`` and ``prerequisites.json`` (of a
    study with covariates), ``change.csv`` and ``change.json`` (of several periods), ``audit.json`` (of
    published quotients), ``map.gpkg`` (with boundaries), ``figures/``, ``report.html`` and ``manifest.json``.
    It is written beside ``out`` and moved into place whole, so a run that fails or is killed leaves earlier
    results as they were. Files in ``out`` that are not as the earlier run's manifest lists them are kept:
    under their own name, or with ``.kept`` before the ending where a new output has it. The same seed gives
    the same bytes in every CSV and JSON but for the times in the manifest.

    Parameters
    ----------
    study : Study
    out : path
        The results folder; one that exists must be empty or hold an earlier run.
    seed : int
        Seed of all random draws.
    lang : {"en", "ru", "kk"}
        Language of page and figures; tables keep their column names.
    figures : {"page", "all", "none"}
        As SVG for the page, with PNGs beside them, or none.
    progress : callable, optional
        Called with each stage as it begins and the share of the work done; see
        :class:`spatialkz.progress.Progress`.
    beside : SecondProcess, optional
        Finds clusters, ranks, tests half of the families of sectors and draws half of the figures, while this
        process does the rest; the results are the same.

    Returns
    -------
    Path
        The results folder.

    Raises
    ------
    InputError, RegionError, GraphError
        As :func:`check_run`, before the first stage.
    OutputError
        If the folder cannot be written, holds files that are no earlier results or that the study is made
        from, or is the working or home folder or above it; before the first stage.
    """
    check_run(study, out, lang=lang, figures=figures)
    stages = Stages(progress, _SHARES)
    started = datetime.now(UTC)
    told = provenance(study, seed, lang, Path(out))
    with replaced_folder(Path(out), study.inputs) as folder, _few_threads(study):
        findings = _analyse(study, seed, stages, beside)
        if beside is not None:
            half = beside.submit(draw_figures, findings, folder / "figures", lang, kind=figures, share=(0, 2))
        stages.begin("tables")
        write_tables(findings, folder)
        if study.boundaries is not None:
            write_map(findings, study.boundaries, folder / "map.gpkg")
        tell_formulas(pd.DataFrame({"region": study.table.regions}), "Each CSV file")
        tell_formulas(pd.DataFrame({"sector": study.table.sectors}), "Each CSV file")
        stages.begin("figures")
        if beside is None:
            drawn = draw_figures(findings, folder / "figures", lang, kind=figures)
        else:
            drawn = draw_figures(findings, folder / "figures", lang, kind=figures, share=(1, 2))
            drawn |= stages.waited("figures", half)
        stages.begin("report")
        write_page(findings, drawn, folder / "report.html", lang, provenance=told)
        outputs = {
            path.relative_to(folder).as_posix(): sha256(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        stages.end()
        times = {
            "started": started.isoformat(),
            "finished": datetime.now(UTC).isoformat(),
            "stages": [stage.to_dict() for stage in stages.times],
        }
        manifest = {**told, "figures": figures, "outputs": outputs, "times": times}
        write_json(manifest, folder / MANIFEST)
    return Path(out)


def draw_again(results: str | Path, *, progress: Progress | None = None) -> list[Path]:
    """Draw the figures of a results folder as PNG with 300 dots an inch, and as SVG where it has none.

    What a run found is not kept whole: a pickle would run whatever a stranger put into it and would not
    outlive the next version, and a plain form of every table and test would be a second way of writing them
    all. The manifest says from what the results were made, and the same seed gives the same results, so they
    are found again; that takes as long as the run did, without figures and page.

    Parameters
    ----------
    results : path
        The results folder of a run.
    progress : callable, optional
        As in :func:`run_study`.

    Returns
    -------
    list of Path
        The files that were added or replaced.

    Raises
    ------
    InputError
        If the folder holds no run or one of a study that was read from no file, or if inputs are no longer,
        by their SHA-256, those of the run, or results no longer the same.
    """
    folder = Path(results)
    manifest = read_manifest(folder)
    if manifest is None:
        raise InputError(f"{folder} holds no results of a run; there is no {MANIFEST} of ours in it.")
    study, outputs = study_of(manifest, folder), dict(manifest["outputs"])
    stages = Stages(progress, _SHARES)
    written = []
    with _few_threads(study), scratch_folder(folder) as scratch:
        findings = _analyse(study, manifest["seed"], stages, None)
        stages.begin("tables")
        write_tables(findings, scratch)
        if changed := differing(scratch, outputs):
            raise InputError(
                f"The study in {folder} no longer gives the same {listing(changed)}: it was run by another "
                "version. Run it again, with --figures all."
            )
        stages.begin("figures")
        draw_figures(findings, scratch / "figures", manifest["lang"], kind="all")
        (folder / "figures").mkdir(exist_ok=True)
        kept = []
        for path in sorted((scratch / "figures").iterdir()):
            name, target = f"figures/{path.name}", folder / "figures" / path.name
            if not target.exists() or (path.suffix == ".png" and sha256(target) == outputs.get(name)):
                outputs[name] = sha256(path)
                os.replace(path, target)
                written.append(target)
            elif name not in outputs:
                kept.append(name)
        write_json(
            {**manifest, "figures": "all", "outputs": dict(sorted(outputs.items()))}, folder / MANIFEST
        )
    if kept:
        notice(f"Files in {folder} that are no results of the run were kept: {listing(kept)}.")
    return written


def _few_threads(study: Study) -> AbstractContextManager[object]:
    """One thread of linear algebra where the table is small."""
    return threadpool_limits(1) if study.table.values.size < _SMALL else nullcontext()


def check_run(study: Study, out: str | Path, *, lang: str = "en", figures: FigureSet = "page") -> None:
    """Refuse in a moment what a run could not do, or not bear, some stages on.

    Parameters
    ----------
    study : Study
    out : path
        The results folder.
    lang : {"en", "ru", "kk"}
    figures : {"page", "all", "none"}

    Raises
    ------
    InputError, RegionError, GraphError
        If a name cannot be shown, counts or quotients are too large, no quotient reaches the threshold, no
        quotient or fewer than 3 regions differ, resamples are too few or clusters too many for the regions,
        a group is called ``all``, growth points, named places or rules for types of district do not fit the
        table, or covariates cannot be told apart.
    OutputError
        If the folder cannot be written, or its replacement could cost more than earlier results.
    """
    if lang not in LANGUAGES:
        raise InputError(f"lang is {lang!r}; it must be one of {listing(LANGUAGES)}.")
    if figures not in get_args(FigureSet):
        raise InputError(f"figures is {figures!r}; it must be one of {listing(get_args(FigureSet))}.")
    check_folder(Path(out), study.inputs)
    _check_names(study)
    for names, most, kind in (
        (study.table.regions, _MOST_REGIONS, "regions"),
        (study.table.sectors, _MOST_SECTORS, "sectors"),
    ):
        if len(names) > most:
            raise InputError(
                f"A whole run is for {most:,} {kind} at most, and the table has {len(names):,}; group them, "
                "or take the single steps, such as moran."
            )
    check_counts(study.table)
    quotients, threshold = table_quotients(study.table), study.choices.threshold
    if study.table.kind == "quotients":
        check_auditable(quotients)
    if quotients.to_numpy().max() < threshold:
        raise InputError(
            f"No quotient reaches the threshold {threshold:g}; the largest is {quotients.to_numpy().max():g}."
        )
    known = complete_quotients(study.table)
    variables, _ = _testable(with_breadth(known, threshold))
    row_standardized(study.graph, variables.index)
    check_families(study)
    check_clusterable(symmetric_quotient(known), study.choices.resamples, study.choices.clusters)
    check_context(study)
    check_prerequisites(study)


def _check_names(study: Study) -> None:
    """Refuse names that figures and page could not show."""
    frames = (study.regions, study.sectors, study.table.groups.to_frame())
    names = [study.name, study.title, study.source, study.table.unit]
    for frame in frames:
        names += [*frame.index, *(cell for _, column in frame.items() for cell in column)]
    for name in names:
        if isinstance(name, str) and (found := CONTROL.search(name)):
            raise InputError(
                f"The name {name[:60]!r} has the control character U+{ord(found[0]):04X}, which figures and "
                "page cannot show; remove it."
            )


def analyse(study: Study, *, seed: int = 42, progress: Progress | None = None) -> Findings:
    """Run the stages in order and return what they found, writing nothing.

    Parameters
    ----------
    study : Study
    seed : int
    progress : callable, optional
        As in :func:`run_study`.

    Returns
    -------
    Findings
    """
    return _analyse(study, seed, Stages(progress, _SHARES), None)


def _analyse(study: Study, seed: int, stages: Stages, beside: SecondProcess | None) -> Findings:
    choices = study.choices
    stages.begin("quotients")
    quotients = table_quotients(study.table)
    known = complete_quotients(study.table)
    variables, notes = _testable(with_breadth(known, choices.threshold))
    if "breadth" in known:
        notes += (
            "A sector is called breadth, so the number of specializations is called "
            f"{breadth_label(known.columns)} in autocorrelation.csv and local.csv.",
        )
    stages.begin("audit")
    audit, claims = audit_study(study)
    stages.begin("autocorrelation")
    global_test = moran(variables, study.graph, permutations=choices.permutations, rng=seed)
    local_test = local_moran(
        variables, study.graph, permutations=choices.permutations, alpha=choices.alpha, rng=seed
    )
    if beside is not None:
        others = beside.submit(_clusters_and_ranks_beside, study, known, local_test, audit, seed)
    stages.begin("change")
    change, change_notes = _change(study, seed)
    stages.begin("focal test")
    focal, focal_notes = focal_study(study, audit, rng=seed, progress=stages.part, beside=beside)
    stages.begin("power")
    detectable = detectable_dependence(variables, study.graph, alpha=choices.alpha)
    stages.begin("prerequisites")
    prerequisites = prerequisite_study(study, rng=seed)
    if beside is None:
        clustering, ranking, review = _clusters_and_ranks(study, known, local_test, audit, seed, stages)
    else:
        stages.begin("clusters")
        (clustering, ranking, review), audit, times = others.result()
        stages.took(times)
        stages.shared("focal test", beside.cpu - others.seconds[1])
    if prerequisites is not None:
        ranking = ranking.with_areas(prerequisites.mismatches(quotients, choices.threshold))
    return Findings(
        study=study,
        quotients=quotients,
        moran=global_test,
        local=local_test,
        clustering=clustering,
        ranking=ranking,
        notes=(
            *(*study.notes, *hidden_notes(study.table), *notes, *focal_notes),
            *(() if prerequisites is None else prerequisites.notes),
            *change_notes,
            *clustering.notes,
        ),
        seed=seed,
        audit=audit,
        claims=claims,
        detectable=detectable,
        focal=focal,
        prerequisites=prerequisites,
        change=change,
        review=review,
    )


def _change(study: Study, seed: int) -> tuple[ChangeAnalysis | None, tuple[str, ...]]:
    """What changed around the period of the study, as far as no break of the series interrupts."""
    panel = study.panel
    if panel is None:
        return None, ()
    at = next((period for period, table in panel.tables.items() if table is study.table), None)
    try:
        part = panel.unbroken(at)
    except InputError as error:
        return None, (f"Nothing is said of change: {error}",)
    choices = study.choices
    found = analyse_change(
        part,
        study.graph,
        threshold=choices.threshold,
        permutations=min(choices.permutations, 1999),
        rng=seed,
    )
    left_out = [str(period) for period in panel.periods if period not in part.periods]
    why = "; ".join(f"at {period}: {reason}" for period, reason in panel.breaks.items())
    notes = (f"Change is told without {', '.join(left_out)}: the series breaks {why}.",) if left_out else ()
    return found, (*notes, *found.notes)


def _clusters_and_ranks(
    study: Study,
    known: pd.DataFrame,
    local: LocalMoranTest,
    audit: QuotientAudit | None,
    seed: int,
    stages: Stages,
) -> tuple[ClusterAnalysis, CandidateRanking, RankingReview | None]:
    """The stages that need nothing of the focal test."""
    stages.begin("clusters")
    clustering = analyse_clusters(
        known,
        study.graph,
        groups=study.table.groups[known.columns],
        k=study.choices.clusters,
        significance=study.choices.alpha,
        resamples=study.choices.resamples,
        rng=seed,
        progress=stages.part,
    )
    stages.begin("ranking")
    ranking = rank_candidates(
        study, rng=seed, local=local, clusters=clustering.main, audit=audit, progress=stages.part
    )
    return clustering, ranking, review_ranking(study, ranking, rng=seed)


def _clusters_and_ranks_beside(
    study: Study, known: pd.DataFrame, local: LocalMoranTest, audit: QuotientAudit | None, seed: int
) -> tuple[tuple[ClusterAnalysis, CandidateRanking, RankingReview | None], QuotientAudit | None, list[Stage]]:
    """The same in a second process, with the audit, which keeps bounds once found, and what it took."""
    stages = Stages(None, _SHARES)
    with _few_threads(study):
        found = _clusters_and_ranks(study, known, local, audit, seed, stages)
    stages.end()
    # What drawing needs is imported while there is nothing to draw.
    from spatialkz.report.drawing import style  # noqa: F401

    return found, audit, stages.times


def _testable(variables: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Leave out variables without variation, and say so."""
    constant = constant_variables(variables)
    notes = tuple(
        f"{name} is the same in every region, so its autocorrelation has no meaning and was not tested."
        for name in constant
    )
    if len(constant) == variables.shape[1]:
        raise InputError(
            "Nothing can be compared: the quotients are the same in every region for "
            f"{listing(variables.columns)}."
        )
    return variables.drop(columns=constant), notes
