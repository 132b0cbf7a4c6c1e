"""All results follow one protocol; each is built once, most of them by one run of the paper's study."""

import importlib
import json
import pickle
import pkgutil
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, fields, is_dataclass

import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph

import spatialkz
from spatialkz.results import LINES, WIDTH, Result, Shown, on_a_screen


def kinds():
    """Every class of the package that shows itself on a screen, without the two bases."""
    for module in pkgutil.walk_packages(spatialkz.__path__, "spatialkz."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = [Shown]
    for one in found:
        found += one.__subclasses__()
    own = {one for one in found if one.__module__.startswith("spatialkz.")} - {Shown, Result}
    return sorted(own, key=lambda kind: kind.__name__)


KINDS = kinds()
RESULTS = [kind for kind in KINDS if issubclass(kind, Result)]


def within(value):
    """A result and all results that it holds."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from within(part)
    elif is_dataclass(value):
        if isinstance(value, Shown):
            yield value
        for field in fields(value):
            yield from within(getattr(value, field.name))


def ring_of_fifty():
    """Two variables, two covariates and a graph of fifty regions."""
    regions = pd.Index([f"r{number}" for number in range(50)])
    drawn = pd.DataFrame(np.random.default_rng(1).normal(size=(50, 4)), regions, list("abxz"))
    focal, neighbor = [*regions, *regions], [*np.roll(regions, 1), *np.roll(regions, -1)]
    return drawn[["a", "b"]], drawn[["x", "z"]], Graph.from_arrays(focal, neighbor, [1.0] * 100)


@pytest.fixture(scope="module")
def kept(quick, findings):
    """One of each kind."""
    from spatialkz import clustering, spatial, specialization
    from spatialkz.candidates.scoring.choices import RankChoices
    from spatialkz.candidates.scoring.sensitivity import rank_sensitivity
    from spatialkz.change.analysis import analyse_change
    from spatialkz.clustering.number.gap import gap_statistic
    from spatialkz.clustering.partition.hierarchical import choose_alpha
    from spatialkz.prerequisites import entry_test, spatial_diagnostics, spatial_regression
    from spatialkz.tables import aggregate_register, bound_suppressed

    values, graph = quick.table.values, quick.graph
    jobs = pd.DataFrame({"a": [70, 30], "b": [20, 30], "c": [10, 70]}, index=["East", "West"])
    national = pd.DataFrame(
        [[0.4, 0.1, 0.06], [0.05, 0.3, 0.12], [0.05, 0.1, 0.3]], index=jobs.columns, columns=jobs.columns
    )
    regional = specialization.regional_coefficients(national, jobs, delta=0.3, region="East")
    totals = {"region_totals": jobs.sum(axis=1), "sector_totals": jobs.sum()}
    features = clustering.transformed(values, "symmetric")
    one_choice = RankChoices(("rank",), ("arithmetic", "topsis"), concentration=None, drop=False)
    rows = jobs.rename_axis(index="region", columns="sector").stack().rename("jobs").reset_index()
    years = spatialkz.load_study("kazakhstan-gva")
    found = [
        *within(findings),
        *within(analyse_change(years.panel, years.graph, 2017, 2020, permutations=99, rng=1)),
        years.panel,
        aggregate_register(rows, "region", "sector", "jobs"),
        *within(clustering.analyse_clusters(values, graph, k=3, resamples=20, draws=19, rng=1)),
        choose_alpha(features, graph, 3),
        bound_suppressed(jobs.where(jobs < 50), **totals),
        spatial_diagnostics(values.iloc[:, 1:3], values.iloc[:, :1], graph, draws=99, rng=1),
        spatial_regression(*ring_of_fifty(), model="durbin", draws=99, rng=1),
        entry_test(
            values, pd.DataFrame(values.to_numpy()[::-1], values.index, values.columns), draws=99, rng=1
        ),
        gap_statistic(features, range(1, 4), references=10, rng=1),
        rank_sensitivity(features, pd.Series(1, features.columns), one_choice, samples=64, rng=1),
        spatial.correlogram(values, graph, permutations=99, rng=1),
        spatial.cross_moran(values, graph, permutations=99, rng=1),
        spatial.geary(values, graph, permutations=99, rng=1),
        spatial.graph_sensitivity(values, {"queen": graph, "again": graph}, permutations=99, rng=1),
        spatial.local_geary(values, graph, permutations=99, rng=1),
        specialization.flegg_delta(national, regional, jobs, region="East"),
        specialization.quotient_test(jobs),
    ]
    return {type(result): result for result in reversed(found)}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_it_shows_itself_on_a_screen(kept, kind):
    result = kept[kind]
    shown = repr(result)
    assert 1 <= len(shown.splitlines()) <= LINES
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert shown == on_a_screen(result.summary())
    html = result._repr_html_()
    assert html[: html.index("</pre>")].count("\n") + html.count("<tr") <= LINES
    with pytest.raises(FrozenInstanceError):
        setattr(result, fields(result)[0].name, None)


@pytest.mark.parametrize("kind", RESULTS, ids=lambda kind: kind.__name__)
def test_it_gives_copies_and_cannot_be_written_to(kept, kind):
    result = kept[kind]
    table = result.to_frame()
    kept = table.copy()
    table.iloc[0, 0] = table.iloc[-1, 0]
    table["added"] = 1
    pd.testing.assert_frame_equal(result.to_frame(), kept)
    for same in (result, pickle.loads(pickle.dumps(result))):
        assert not list(writable(vars(same))), kind


@pytest.mark.parametrize("kind", RESULTS, ids=lambda kind: kind.__name__)
def test_json_carries_it_and_a_pickle_returns_it(kept, kind):
    content = json.dumps(kept[kind].to_dict(), allow_nan=False)
    again = pickle.loads(pickle.dumps(kept[kind]))
    assert json.dumps(again.to_dict(), allow_nan=False) == content
    assert again.summary() == kept[kind].summary()
    pd.testing.assert_frame_equal(again.to_frame(), kept[kind].to_frame())


def writable(value):
    """Arrays in attributes that could be changed."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from writable(part)
    elif isinstance(value, pd.DataFrame):
        yield from writable(dict(enumerate(column for _, column in value.items())))
    elif isinstance(value, pd.Series):
        yield from writable(value.to_numpy() if isinstance(value.dtype, np.dtype) else None)
    elif isinstance(value, np.ndarray) and value.flags.writeable:
        yield value


def test_what_is_cut_is_said():
    table = pd.DataFrame({f"column {number}": range(40) for number in range(20)})
    lines = on_a_screen(table.to_string()).splitlines()
    assert len(lines) == LINES
    assert lines[-1] == "… 17 more lines, 24 longer; summary() has them whole"
    assert on_a_screen("short") == "short"
