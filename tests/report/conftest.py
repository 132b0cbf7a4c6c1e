"""Findings of the two bundled divisions, and their figures and pages in every language, made once."""

from dataclasses import replace

import pytest

import spatialkz
from spatialkz.clustering import analyse_clusters
from spatialkz.options import LANGUAGES
from spatialkz.pipeline import analyse
from spatialkz.report import draw_figures, write_page

PROVENANCE = {
    "study": {"name": "x"},
    "seed": 1,
    "lang": "en",
    "versions": {"spatialkz": "9.9.9"},
    "inputs": {"table1.csv": "0123abcd" * 8},
    "times": {"started": "2022-06-30"},
}


@pytest.fixture(scope="session")
def grouped(findings):
    """The paper's study with six groups that were asked for; none were found."""
    table, choices = findings.study.table, findings.study.choices
    options = {"groups": table.groups, "resamples": choices.resamples, "rng": 1}
    clustering = analyse_clusters(findings.quotients, findings.study.graph, k=6, **options)
    return replace(findings, clustering=clustering)


@pytest.fixture(scope="session")
def other_findings(quick, once):
    """Twenty regions, one group of sectors, no expert placement, volumes instead of quotients."""
    study = replace(spatialkz.load_study("kazakhstan-gva-2022"), choices=quick.choices)
    return once("other findings", lambda _: analyse(study, seed=1))


@pytest.fixture(scope="session")
def drawn(findings, tmp_path_factory):
    """Figures of the paper's study by language."""
    folder = tmp_path_factory.mktemp("figures")
    return {lang: draw_figures(findings, folder / lang, lang) for lang in LANGUAGES}


@pytest.fixture(scope="session")
def page_of(tmp_path_factory):
    """Write a page, with the figures given, and return its text."""
    folder = tmp_path_factory.mktemp("pages")

    def write(findings, figures, lang="en", provenance=PROVENANCE):
        path = folder / "report.html"
        write_page(findings, figures, path, lang, provenance=provenance)
        return path.read_text(encoding="utf-8")

    return write


@pytest.fixture(scope="session")
def pages(findings, drawn, page_of):
    """Pages of the paper's study by language."""
    return {lang: page_of(findings, drawn[lang], lang) for lang in LANGUAGES}
