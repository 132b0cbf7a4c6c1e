"""Pages that can go stale are held against what they describe."""

import doctest
import re
import runpy
import tomllib
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from spatialkz.study.schema import StudyModel

DOCS = Path(__file__).parent.parent / "docs"
SCRIPTS = DOCS.parent / "scripts" / "docs"


def test_the_data_page_is_the_one_its_script_makes():
    made = runpy.run_path(str(SCRIPTS / "make_data_page.py"))["page"]()
    assert (DOCS / "data.md").read_text(encoding="utf-8") == made, (
        "run: python scripts/docs/make_data_page.py"
    )


def test_the_study_file_in_the_guide_names_every_key():
    text = (DOCS / "own-table.md").read_text(encoding="utf-8")
    block = re.search(r'    name = "my-study".*?draws = 10000\n', text, re.DOTALL).group()
    shown = tomllib.loads("\n".join(line.removeprefix("    ") for line in block.splitlines()))
    schema = StudyModel.model_json_schema()
    assert set(shown) == set(schema["properties"]) - {"source"}
    for section, form in schema["properties"].items():
        kinds = [kind["$ref"].rpartition("/")[2] for kind in [form, *form.get("anyOf", [])] if "$ref" in kind]
        keys = {key for kind in kinds for key in schema["$defs"][kind]["properties"]}
        keys |= set(form.get("propertyNames", {}).get("enum", []))
        assert not keys or set(shown[section]) == keys, section


def test_the_focal_page_has_the_numbers_its_script_makes():
    """Of the whole minute only what needs no simulated table is made again."""
    import spatialkz

    made = runpy.run_path(str(SCRIPTS / "make_focal_page.py"))
    found = (DOCS / "methods" / "focal.md").read_text(encoding="utf-8")
    advice = "run: python scripts/docs/make_focal_page.py"
    assert found.count(made["MARK"]) == 1
    study, audit = made["inputs"]()
    quick = replace(study, choices=replace(study.choices, simulations=600))
    test, _ = made["focal_study"](quick, audit, rng=made["SEED"])
    for line in (*made["influence"](test), *made["choices"](test)):
        assert f"{line}\n" in found, advice
    for row in test.to_frame().itertuples():
        cells = f"| {row.variance_ratio:.2f} | {row.colocation_p:.2g} | {row.colocation_sized_p:.2g} |"
        assert cells in found, advice
    for name in spatialkz.focal.PRIOR_SETS:
        assert found.count(f"| {name} |") == 3, advice


def test_the_page_on_value_added_has_the_numbers_its_script_makes():
    """Of the minute only what simulates nothing is made again."""
    made = runpy.run_path(str(SCRIPTS / "make_value_added_page.py"))
    found = (DOCS / "value-added.md").read_text(encoding="utf-8")
    paper, value_added = made["studies"]()
    for line in (*made["quotients"](value_added), *made["agreement"](paper, value_added)):
        assert f"{line}\n" in found, "run: python scripts/docs/make_value_added_page.py"


def test_the_prerequisites_page_has_the_numbers_its_script_makes():
    """Of the minutes only what needs no simulated table is made again."""
    made = runpy.run_path(str(SCRIPTS / "make_prerequisites_page.py"))
    page = (DOCS / "methods" / "prerequisites.md").read_text(encoding="utf-8")
    head, mark, found = page.partition(made["MARK"])
    assert mark
    assert found.startswith(f"\n{made['of_the_paper']()}\n"), (
        "run: python scripts/docs/make_prerequisites_page.py"
    )
    # What the text says of its own tables.
    for told in ("| contiguity of the study | 17 | 1 | 0.130 |", "| lattice 5 × 10 | 50 | 1 | 0.081 |"):
        assert told in found
    assert "rejects .13 of tables" in head
    assert "z still rejects .08" in head


def test_the_audit_page_is_the_one_its_script_makes():
    made = runpy.run_path(str(SCRIPTS / "make_audit_page.py"))["page"]()
    found = (DOCS / "methods" / "audit.md").read_text(encoding="utf-8")
    assert found == made, "run: python scripts/docs/make_audit_page.py"


def test_the_cluster_page_is_the_one_its_script_makes():
    """Of the whole minute only what needs no resamples is made again; of the rest, one test and a heading."""
    made = runpy.run_path(str(SCRIPTS / "make_cluster_page.py"))
    found = (DOCS / "methods" / "clusters.md").read_text(encoding="utf-8")
    advice = "run: python scripts/docs/make_cluster_page.py"
    assert f"{made['MARK']}{made['exact']()}\n" in found, advice
    services = "\n".join(made["family_section"]("services"))
    assert services in found, advice
    assert [line for line in found.splitlines() if line.startswith("### Clusters: ")] == [
        "### Clusters: all, none found (k = 1)",
        "### Clusters: industry, none found (k = 1)",
        "### Clusters: services, k-means, k = 2",
    ]


def test_the_score_page_is_the_one_its_script_makes():
    made = runpy.run_path(str(SCRIPTS / "make_score_page.py"))["page"]()
    found = (DOCS / "methods" / "score.md").read_text(encoding="utf-8")
    assert found == made, "run: python scripts/docs/make_score_page.py"


@pytest.mark.parametrize(
    "page",
    [
        "methods/autocorrelation",
        "methods/clusters",
        "methods/concentration",
        "methods/quotients",
        "registers",
    ],
)
def test_examples_print_what_the_page_shows(page):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"```python\n(>>>.*?)```", text, re.DOTALL))
    assert blocks
    example = doctest.DocTestParser().get_doctest(blocks, {}, page, f"{page}.md", 0)
    assert not doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example).failed


@pytest.mark.parametrize("link", sorted({p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md")}))
def test_links_between_pages_lead_somewhere(link):
    page = DOCS / link
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_the_glossary_has_each_term_in_three_languages_with_a_source():
    rows = re.findall(r"^\| \*\*.*\|$", (DOCS / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert len(cells) > 30
    for *told, source in cells:
        terms = [re.match(r"\*\*[^*]+\*\*[^:]*: \S.*\.$", sentence) for sentence in told]
        assert len(terms) == 3, told
        assert all(terms), told
        assert source, told
    for alphabet, sentences in zip(("[а-я]", "[әғқңөұүі]"), list(zip(*cells, strict=True))[1:3], strict=True):
        assert all(re.search(alphabet, sentence) for sentence in sentences)


def test_the_worked_examples_of_contributing_run(monkeypatch):
    from spatialkz.specialization import quotients

    monkeypatch.setattr(quotients, "QUOTIENT_KINDS", dict(quotients.QUOTIENT_KINDS))
    text = (DOCS.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    found = doctest.DocTestParser().get_doctest(blocks, {}, "CONTRIBUTING", None, 0)
    assert len(found.examples) > 15
    assert doctest.DocTestRunner().run(found).failed == 0
    for path in re.findall(r"`((?:spatialkz|scripts|tests)/[^` ]*)`", text):
        assert (DOCS.parent / path).exists(), path


def test_the_results_page_explains_every_column(results):
    text = (DOCS / "results.md").read_text(encoding="utf-8")
    for name in ("candidates", "areas", "quotients", "concentration", "autocorrelation", "prerequisites"):
        for column in pd.read_csv(results / f"{name}.csv").columns.drop("variable", errors="ignore"):
            assert f"`{column}" in text or f"{column}`" in text or f" {column}," in text, (name, column)
    for path in results.iterdir():
        assert f"`{path.name}{'/' if path.is_dir() else ''}`" in text, path.name
