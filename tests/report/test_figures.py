from collections import Counter
from dataclasses import replace
from itertools import pairwise

import geopandas as gpd
import matplotlib
import numpy as np
import pytest
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.image import imread
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from spatialkz.errors import InputError
from spatialkz.options import LANGUAGES
from spatialkz.report import Wording, draw_figures
from spatialkz.report.drawing import _drawings
from spatialkz.report.drawing.clusters import dendrogram
from spatialkz.report.drawing.maps import breadth_map, cluster_map, equal_area, place_labels
from spatialkz.report.drawing.rows import areas_plot, candidates_plot, moran_plot, quotients_plot
from spatialkz.report.drawing.style import cluster_look, styled, wrapped
from spatialkz.report.sections import sections

NAMES = [
    *("focal_breadth", "focal_models", "focal_power", "focal_influence", "focal_curve", "map"),
    *("areas", "area_evidence", "shifts", "candidates", "candidate_evidence", "stars", "growth"),
    *("quotients", "moran", "prerequisites", "expected"),
    *("clusters", "profiles", "silhouettes", "consensus", "criteria", "dendrogram"),
]
# Drawn only where there are groups, which the paper's study does not show.
OF_GROUPS = ("clusters", "profiles", "silhouettes", "consensus")
# Drawn only where the study has several periods; see test_change_report.
OF_PERIODS = ("change_slopes", "change_years", "change_shares")
SHOWN = [name for name in NAMES if name not in OF_GROUPS]
# Of growth points and covariates, which the other study has not.
OF_THE_PAPER = ("growth", "prerequisites", "expected")


def boxes(figure):
    """Every visible text of a figure with its place, as it is saved."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    beyond = [  # ticks outside the limits are made but not drawn
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    ]
    return [
        (text.get_text(), text.get_window_extent(canvas.get_renderer()))
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in beyond
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_all_figures_are_there_as_drawings_alone(drawn, lang):
    assert list(drawn[lang]) == SHOWN
    for name, svg in drawn[lang].items():
        assert svg.name == f"{name}.svg"
        assert svg.read_text(encoding="utf-8").startswith("<?xml")
    assert {file.suffix for file in drawn[lang]["map"].parent.iterdir()} == {".svg"}


def test_pictures_are_there_for_those_who_ask(findings, drawn, tmp_path):
    for name, svg in draw_figures(findings, tmp_path, "en", kind="all").items():
        assert svg.read_bytes() == drawn["en"][name].read_bytes()
        picture = imread(svg.with_suffix(".png"))
        assert min(picture.shape[:2]) > 1000  # 300 dpi
        assert picture[:, :, :3].std() > 0.05  # not blank


def test_no_figure_is_drawn_for_those_who_want_none(findings, tmp_path):
    assert draw_figures(findings, tmp_path / "figures", "en", kind="none") == {}
    assert not (tmp_path / "figures").exists()
    with pytest.raises(InputError, match="one of page, all, none"):
        draw_figures(findings, tmp_path, "en", kind="some")


def test_findings_that_were_saved_give_the_same_bytes(results, drawn):
    """The run drew what it had found; these findings are its own, saved and read again."""
    for name, file in drawn["en"].items():
        assert file.read_bytes() == (results / "figures" / file.name).read_bytes(), name


def test_the_sections_name_the_figures_that_can_be_drawn(findings, grouped):
    for given, names in ((findings, SHOWN), (grouped, NAMES)):
        named = [figure.name for found in sections(given, Wording("en")) for figure in found.figures]
        assert named == names
    assert sorted(_drawings()) == sorted([*NAMES, *OF_PERIODS])


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("which", "name"),
    [
        *(("grouped", name) for name in NAMES if name != "growth"),
        *(("other_findings", name) for name in NAMES if name not in OF_THE_PAPER),
    ],
)
def test_no_text_is_cut_off(request, which, name, lang):
    with styled():
        figure = _drawings()[name](request.getfixturevalue(which), Wording(lang))
        for text, box in boxes(figure):
            inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
            assert inside, text


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("draw", [breadth_map, cluster_map], ids=["map", "clusters"])
@pytest.mark.parametrize("which", ["grouped", "other_findings"])
def test_every_region_is_named_on_the_map_and_no_name_covers_another(request, which, draw, lang):
    findings = request.getfixturevalue(which)
    names = {wrapped(name, 16) for name in findings.study.region_names(lang)}
    with styled():
        labels = [(text, box) for text, box in boxes(draw(findings, Wording(lang))) if text in names]
    assert {text for text, _ in labels} == names
    places = [box for _, box in labels]
    assert not any(a.overlaps(b) for i, a in enumerate(places) for b in places[:i])


@pytest.mark.parametrize(
    ("draw", "inside"),
    [(moran_plot, 0.1), (areas_plot, 0.1), (candidates_plot, 0.1)],
    ids=["moran", "areas", "candidates"],
)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_label_of_a_row_runs_into_another(findings, draw, inside, lang):
    with styled():
        places = boxes(draw(findings, Wording(lang)))
    for i, (first, a) in enumerate(places):
        for second, b in places[:i]:
            width = min(a.x1, b.x1) - max(a.x0, b.x0)
            height = min(a.y1, b.y1) - max(a.y0, b.y0)
            assert width <= inside or height <= inside, (first, second)


def test_the_map_counts_what_the_areas_count(findings):
    with styled():
        figure = breadth_map(findings, Wording("en"))
    printed = Counter(text.get_text() for text in figure.texts if text.get_text().isdigit())
    assert printed == Counter(str(count) for count in findings.ranking.areas["breadth"])


def test_the_heat_map_prints_every_quotient_and_frames_the_candidates(findings):
    with styled():
        axes = quotients_plot(findings, Wording("en")).axes[0]
    cells = [text for text in axes.texts if "." in text.get_text()]
    assert Counter(text.get_text() for text in cells) == Counter(
        f"{value:.2f}" for value in findings.quotients.to_numpy().ravel()
    )
    frames = [patch for patch in axes.patches if isinstance(patch, Rectangle) and not patch.get_fill()]
    bold = [text for text in cells if text.get_fontweight() == "bold"]
    assert len(frames) == len(bold) == len(findings.ranking.candidates)
    first_row = [text.get_text() for text in cells if text.get_position()[1] == 0.5]
    assert first_row == [f"{value:.2f}" for value in findings.quotients.loc["Almaty City"]]


def test_moran_shows_the_statistic_inside_or_outside_its_null(findings):
    with styled():
        axes = moran_plot(findings, Wording("en")).axes[0]
    dots = [c.get_offsets()[:, 0] for c in axes.collections if isinstance(c, PathCollection)]
    table = findings.moran.to_frame()
    np.testing.assert_allclose(np.sort(np.concatenate(dots)), np.sort(table["statistic"]))
    ends = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches)
    wanted = sorted(zip(findings.moran.envelope["low"], findings.moran.envelope["high"], strict=True))
    np.testing.assert_allclose(ends, wanted)
    assert axes.get_yticklabels()[-1].get_text() == "Number of specializations"


@pytest.mark.parametrize(
    ("draw", "table"), [(areas_plot, "areas"), (candidates_plot, "candidates")], ids=["areas", "candidates"]
)
def test_rank_plots_show_rank_and_interval(findings, draw, table):
    ranked = getattr(findings.ranking, table).head(20)
    with styled():
        axes = draw(findings, Wording("en")).axes[0]
    dots = next(c for c in axes.collections if isinstance(c, PathCollection))
    np.testing.assert_array_equal(dots.get_offsets()[:, 0], ranked["rank"])
    lines = next(c for c in axes.collections if isinstance(c, LineCollection))
    ends = [(line[0, 0], line[1, 0]) for line in lines.get_segments()]
    assert ends == list(zip(ranked["rank_low"], ranked["rank_high"], strict=True))


def test_the_cut_of_the_tree_leaves_the_clusters(grouped):
    findings, clusters = grouped, grouped.clusters["ward"]
    with styled():
        axes = dendrogram(findings, Wording("en")).axes[0]
    cut = axes.lines[0].get_xdata()[0]
    links = next(c for c in axes.collections if isinstance(c, LineCollection)).get_segments()
    crossing = sum(min(a[0], b[0]) < cut < max(a[0], b[0]) for link in links for a, b in pairwise(link))
    assert crossing == clusters.k
    names = findings.study.region_names("en")
    regions = [names.index[names == tick.get_text()][0] for tick in axes.get_yticklabels()]
    assert sorted(regions) == sorted(names.index)
    numbers = clusters.labels.loc[regions].to_numpy()
    assert (np.diff(numbers) != 0).sum() == clusters.k - 1  # members of a cluster stand together


def test_one_cluster_cuts_no_tree(findings):
    assert findings.clusters["ward"].k == 1
    with styled():
        figure = dendrogram(findings, Wording("en"))
    assert not figure.axes[0].lines
    told = [text for text, _ in boxes(figure)]
    assert any("not cut: no clusters were found" in " ".join(text.split()) for text in told)


def test_groups_that_only_describe_are_so_called_on_the_map(grouped):
    with styled():
        told = " ".join(" ".join(text.split()) for text, _ in boxes(cluster_map(grouped, Wording("en"))))
    assert "(a description, not found)" in told


def test_without_polygons_there_are_all_figures_but_the_maps(findings, tmp_path):
    bare = replace(findings, study=replace(findings.study, boundaries=None))
    drawn = draw_figures(bare, tmp_path, "en")
    assert list(drawn) == [name for name in SHOWN if name not in ("map", "expected")]


def test_the_same_findings_give_the_same_bytes_whatever_the_settings_of_the_user(findings, drawn, tmp_path):
    before = dict(matplotlib.rcParams)
    with matplotlib.rc_context({"font.size": 23, "svg.hashsalt": None, "axes.facecolor": "red"}):
        again = draw_figures(findings, tmp_path, "kk")
    for name, file in again.items():
        first = drawn["kk"][name]
        assert file.read_bytes() == first.read_bytes(), name
    assert dict(matplotlib.rcParams) == before


def test_an_unknown_language_is_refused_before_anything_is_drawn(findings, tmp_path):
    with pytest.raises(InputError, match="one of en, ru, kk"):
        draw_figures(findings, tmp_path / "figures", "fr")
    assert not (tmp_path / "figures").exists()


def grid(west, south, step, columns=6, rows=4):
    places = [
        ((west + step * i + 180) % 360 - 180, south + step * j) for j in range(rows) for i in range(columns)
    ]
    return gpd.GeoDataFrame(geometry=[shapely.box(x, y, x + step, y + step) for x, y in places], crs=4326)


@pytest.mark.parametrize(
    "boundaries",
    [grid(45, 40, 2), grid(168, -20, 4), grid(-75, -6, 3), grid(-3, -4, 1)],
    ids=["steppe", "antimeridian", "equator", "both meridians"],
)
def test_the_projection_keeps_areas_and_puts_the_country_together(boundaries):
    flat = equal_area(boundaries)
    true = boundaries.to_crs("ESRI:54034").area  # cylindrical equal-area
    np.testing.assert_allclose(flat.area, true, rtol=0.01)
    assert flat.union_all().geom_type == "Polygon"
    west, south, east, north = flat.total_bounds
    assert abs(west + east) < 0.02 * (east - west)
    assert abs(south + north) < 0.1 * (north - south)


def test_polygons_without_a_reference_system_are_drawn_as_they_are():
    plain = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)])
    assert equal_area(plain).iloc[0].equals(plain.geometry.iloc[0])


@pytest.mark.parametrize("seed", range(5))
def test_labels_never_overlap_and_stay_on_the_map(seed):
    draw = np.random.default_rng(seed)
    anchors = draw.uniform(50, 450, (40, 2))
    sizes = draw.uniform([20, 10], [90, 30], (40, 2))
    homes = [shapely.Point(*anchor).buffer(draw.uniform(2, 60)) for anchor in anchors]
    radii = np.where([home.area < 500 for home in homes], 7.0, 0.0)
    centers = place_labels(anchors, sizes, homes, radii, np.array([0.0, 0.0, 500.0, 500.0]))
    placed = [(np.array(c), s) for c, s in zip(centers, sizes, strict=True) if c is not None]
    assert len(placed) > 15
    for i, (center, size) in enumerate(placed):
        assert (center - size / 2 >= 0).all()
        assert (center + size / 2 <= 500).all()
        for other, its_size in placed[:i]:
            assert (np.abs(center - other) >= (size + its_size) / 2).any()


def test_a_label_with_room_stands_in_the_middle_of_its_region():
    home = shapely.box(0, 0, 100, 100)
    centers = place_labels(
        np.array([[50.0, 50.0]]), np.array([[30.0, 10.0]]), [home], np.zeros(1), np.array([0.0, 0, 100, 100])
    )
    assert centers == [(50.0, 50.0)]


def test_clusters_beyond_the_ninth_differ_from_those_before():
    looks = [tuple(cluster_look(number).items()) for number in range(1, 20)]
    assert len(set(looks)) == len(looks)


def test_names_break_at_words_into_even_lines():
    assert wrapped("Professional, scientific and technical services", 34).split("\n") == [
        "Professional, scientific",
        "and technical services",
    ]
    assert wrapped("Kostanay", 16) == "Kostanay"
    assert wrapped("Восточно-Казахстанская область", 16).count("\n") == 2
