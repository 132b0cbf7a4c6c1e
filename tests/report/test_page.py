import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import takewhile

import pandas as pd
import pytest

from spatialkz.errors import InputError
from spatialkz.options import LANGUAGES
from spatialkz.pipeline import analyse
from spatialkz.report import draw_figures, write_page
from spatialkz.report.contents import DASH
from spatialkz.report.sections import brief
from spatialkz.report.sections.clusters import structure
from spatialkz.report.wording import Wording

VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """Elements, attributes and text of a page; refuses tags that do not close."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.rows, self.text, self.open = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text.append(data)
        if self.open and self.open[-1] in {"td", "th"}:
            self.rows[-1][-1] += data


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_is_sound_and_asks_nothing_of_the_network(pages, lang):
    page = Page(pages[lang])
    assert ("html", {"lang": lang}) in page.tags
    counts = Counter(tag for tag, _ in page.tags)
    assert counts["h1"] == counts["main"] == counts["title"] == 1
    assert not counts["script"]
    assert not counts["link"]
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] for _, attrs in page.tags if "href" in attrs]
    assert links
    assert set(links) <= {f"#{name}" for name in ids}
    for _, attrs in page.tags:
        assert attrs.get("src", "data:").startswith("data:")
    style = re.search(r"<style>(.*?)</style>", pages[lang], re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_figure_is_in_the_page_and_described(pages, drawn, lang):
    pictures = [attrs for tag, attrs in Page(pages[lang]).tags if tag == "img"]
    assert len(pictures) == len(drawn[lang]) > 10
    assert all(len(attrs["alt"]) > 30 for attrs in pictures)
    assert len({attrs["src"] for attrs in pictures}) == len(pictures)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_candidate_and_every_region_has_its_row(pages, findings, lang):
    rows = Page(pages[lang]).rows
    regions, sectors = findings.study.region_names(lang), findings.study.sector_names(lang)
    words = Wording(lang)
    for candidate in findings.ranking.candidates.itertuples():
        start = [sectors[candidate.sector], regions[candidate.region], str(candidate.rank_tier)]
        row = next(row for row in rows if row[:4] == [*start, str(candidate.rank)])
        assert words.number(candidate.lq) in row
        assert f"{candidate.rank_low}–{candidate.rank_high}" in row
        assert words.percent(candidate.p_top10) in row
    for area in findings.ranking.areas.itertuples():
        start = [regions[area.region], str(area.rank_tier), str(area.rank)]
        row = next(row for row in rows if row[:3] == start)
        assert (words.number(area.score, 3) if area.breadth else DASH) in row
    for variable in findings.moran.to_frame().itertuples():
        name = words("breadth") if variable.Index == "breadth" else sectors[variable.Index]
        assert any(row[:2] == [name, words.number(variable.statistic, 3)] for row in rows)


def test_the_answer_in_brief_is_computed(findings):
    text = {lead: text.replace("\u00a0", " ") for lead, text in brief(findings, Wording("en")).items()}
    assert text["Candidates"].startswith("41 of 187 region–sector pairs reach LQ ≥ 1, in 15 of 17 regions.")
    assert "Regions without any: Karaganda, Pavlodar." in text["Candidates"]
    first = findings.ranking.areas.query("p_top3 >= 0.5")["region"]
    assert "Nur-Sultan" in set(first)
    assert all(f"{region} (" in text["Areas"] for region in first)
    table = findings.moran.to_frame()
    raw, adjusted = (table["p_value"] <= 0.05).sum(), (table["p_adjusted"] <= 0.05).sum()
    assert f"for {raw} of 12 variables" in text["Spatial pattern"]
    assert f"for {adjusted} after" in text["Spatial pattern"]
    assert "n = 17 regions most such tests are weak" in text["Spatial pattern"]
    blocked = text["What the local test cannot see"]
    assert "Nur-Sultan, Almaty City, Shymkent (smallest attainable p-value: 0.125)" in blocked
    assert "no evidence that a cluster is absent" in blocked
    assert "unattainable elsewhere, too: East Kazakhstan (" in blocked
    silhouette = findings.clusters["kmeans"].criteria["silhouette"].max()
    assert f"k-means is {silhouette:.2f}" in text["Groups of regions"]
    assert "no substantial cluster structure is found" in text["Groups of regions"]


def test_other_findings_get_other_answers(findings):
    table = findings.moran.to_frame()
    table["p_value"] = table["p_value"].where(table.index != "research", 0.001)
    kmeans = findings.clusters["kmeans"]
    clear = replace(kmeans, criteria=kmeans.criteria.assign(silhouette=kmeans.criteria["silhouette"] + 0.4))
    local = findings.local.to_frame()
    changed = replace(
        findings,
        moran=replace(findings.moran, table=table),
        local=replace(findings.local, table=local.assign(label="not significant")),
        clustering=replace(findings.clustering, clusters={**findings.clusters, "kmeans": clear}),
    )
    found = brief(changed, Wording("en"))
    significant = (table["p_value"] <= 0.05).sum()
    assert f"for {significant} of 12" in found["Spatial pattern"]
    assert "Research and development" in found["Spatial pattern"]
    assert "What the local test cannot see" not in found
    assert "a reasonable cluster structure is found" in found["Groups of regions"]


@pytest.mark.parametrize(
    ("silhouette", "verdict"),
    [(-0.1, "none"), (0.249, "none"), (0.25, "weak"), (0.5, "reasonable"), (0.7, "strong")],
)
def test_the_verdict_on_a_silhouette_follows_kaufman_and_rousseeuw(silhouette, verdict):
    assert structure(silhouette) == f"structure_{verdict}"


def test_the_check_of_the_published_table_is_told(pages, findings):
    page = Page(pages["en"])
    text = "".join(page.text).replace("\u00a0", " ")
    assert f"One base cannot serve all sectors (least total miss {findings.audit.slack['joint']:.3f})" in text
    assert "Industry: such shares exist." in text
    counts = findings.claims["verdict"].value_counts()
    assert f"possible: {counts['possible']}, contradicted: {counts['contradicted']}" in text
    for claim in findings.claims.itertuples():
        assert [claim.quote, claim.place, claim.verdict, claim.found] in page.rows
    low, high = findings.audit.base_shares["services"].loc["Nur-Sultan"]
    assert any(row[0] == "Nur-Sultan" and row[-1] == f"{low:.1%}"[:-1] + f"–{high:.1%}" for row in page.rows)


def test_a_table_that_was_not_audited_has_no_such_section(findings, page_of):
    page = Page(page_of(replace(findings, audit=None, claims=None), {}))
    assert "audit" not in {attrs.get("id") for _, attrs in page.tags}
    assert "#audit" not in {attrs.get("href") for _, attrs in page.tags}


def test_an_audit_of_a_table_that_no_base_fits_says_so(quick, page_of):
    values = quick.table.values.copy()
    values["chemical"] = 2.0  # above the average everywhere
    one = replace(quick.table, values=values, groups=pd.Series("all", index=values.columns))
    found = analyse(replace(quick, table=one, claims=()), seed=1)
    text = "".join(Page(page_of(found, {})).text)
    assert "All sectors: no such shares exist" in text
    assert "One base" not in text
    assert found.audit.conflict
    names = found.study.sector_names().loc[list(found.audit.conflict)]
    assert "; ".join(names) in list(brief(found, Wording("en")).values())[-1]


def test_labels_of_local_moran_are_shown_unless_they_are_not_significant(pages, findings):
    local = findings.local.to_frame()
    names = findings.study.region_names("en")
    rows = iter(Page(pages["en"]).rows)
    header = next(row for row in rows if row[0] == "Region" and row[-1] == "Number of specializations")
    shown = {row[0]: row for row in takewhile(lambda row: len(row) == len(header), rows)}
    for (variable, region), cell in local.iterrows():
        name = (
            "Number of specializations" if variable == "breadth" else findings.study.sector_names()[variable]
        )
        if names[region] not in shown:
            assert cell["label"] == "not significant"
            continue
        printed = shown[names[region]][header.index(name)].replace("\u00a0", " ")
        if cell["label"] == "not significant":
            assert not printed
        elif cell["label"] == "unattainable":
            assert printed == f"p ≥ {cell['p_min']:.3f}"
        else:
            assert printed == f"{_english(cell['label'])} (p = {cell['p_value']:.3f})"


def _english(label):
    return {"hot": "hot spot", "cold": "cold spot"}.get(label, label)


def test_expert_tiers_are_shown_beside_the_ranks_only_if_there_are_any(pages, findings, page_of):
    assert "Expert tier" in pages["en"]
    assert "it enters no score" in pages["en"]
    without = replace(findings, study=replace(findings.study, placement=None), review=None)
    assert "Expert tier" not in page_of(without, {})


def test_the_page_says_what_was_run_with_what(pages):
    text = "".join(Page(pages["ru"]).text)
    for found in ("0123abcd" * 8, "table1.csv", "9.9.9", "times.started", "2022-06-30", "199", "0,05"):
        assert found in text


def test_notes_are_shown(findings, page_of):
    noted = replace(findings, notes=("Nothing was said of <i>steel</i>.",))
    assert "Nothing was said of &lt;i&gt;steel&lt;/i&gt;." in page_of(noted, {})


def test_names_from_data_cannot_become_markup(findings, page_of, tmp_path):
    study = findings.study
    regions = study.regions.assign(name_en=study.regions["name_en"].replace("Kostanay", "<b>&$x_1$"))
    hostile = replace(findings, study=replace(study, regions=regions, title="<script>alert(1)</script>"))
    page = page_of(hostile, draw_figures(hostile, tmp_path, "en"))
    assert "&lt;b&gt;&amp;$x_1$" in page
    assert "<b>&" not in page
    assert "<script" not in page
    assert any("<b>&$x_1$" in cell for row in Page(page).rows for cell in row)


def test_without_polygons_the_page_has_no_map(findings, page_of, tmp_path):
    bare = replace(findings, study=replace(findings.study, boundaries=None))
    figures = draw_figures(bare, tmp_path, "en")
    page = Page(page_of(bare, figures))
    assert "map" not in {attrs.get("id") for _, attrs in page.tags}
    assert "#map" not in {attrs.get("href") for _, attrs in page.tags}
    assert sum(tag == "img" for tag, _ in page.tags) == len(figures)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_study_of_another_kind_gets_its_page(other_findings, page_of, lang):
    text = page_of(other_findings, {}, lang)
    page = Page(text)
    words, study = Wording(lang), other_findings.study
    assert words("tier") not in text
    assert words("kind_volumes") in text
    assert words("kind_quotients") not in text
    printed = {cell for row in page.rows for cell in row}
    assert set(study.region_names(lang)) | set(study.sector_names(lang)) <= printed
    assert not set(study.regions["code"]) & printed  # names, not codes


def with_clusters(findings):
    """The columns of areas and candidates that stand there if there are clusters."""
    labels = findings.clustering.main.labels
    tables = {
        name: table.assign(cluster=table["region"].map(labels))
        for name, table in (("areas", findings.ranking.areas), ("candidates", findings.ranking.candidates))
    }
    return replace(findings, ranking=replace(findings.ranking, **tables))


def test_one_cluster_is_the_first_thing_said_and_no_group_is_shown(findings, pages):
    words = {"en": "No groups of similar regions were found", "ru": "не выявлены", "kk": "анықталмады"}
    for lang, said in words.items():
        texts = brief(findings, Wording(lang))
        assert said in texts[Wording(lang)("lead_groups")].split(":")[0]
        assert "nan" not in " ".join(Page(pages[lang]).text).lower().split()
    assert "cluster" not in set(findings.ranking.areas) | set(findings.ranking.candidates)


def test_a_variable_that_was_not_tested_leaves_a_dash(grouped, page_of):
    findings = with_clusters(grouped)
    local = findings.local.to_frame().drop("breadth", level="variable")
    moran = findings.moran.to_frame().drop("breadth")
    untested = replace(
        findings, local=replace(findings.local, table=local), moran=replace(findings.moran, table=moran)
    )
    row = next(row for row in Page(page_of(untested, {})).rows if row[:2] == ["Almaty City", "1"])
    assert row[-2] == "–"
    assert not pd.isna(row[-1])


def test_nothing_to_label_is_said_in_words(findings, page_of):
    quiet = findings.local.to_frame().assign(label="not significant")
    text = page_of(replace(findings, local=replace(findings.local, table=quiet)), {})
    assert "no label is significant or unattainable" in text


def test_the_same_findings_give_the_same_bytes(pages, findings, drawn, page_of):
    assert page_of(findings, drawn["kk"], "kk") == pages["kk"]


def test_an_unknown_language_is_refused(findings, tmp_path):
    with pytest.raises(InputError, match="one of en, ru, kk"):
        write_page(findings, {}, tmp_path / "report.html", "de", provenance={})
