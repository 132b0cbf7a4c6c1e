"""All is checked before anything is computed: wrong input ends in one sentence of ours, in under two seconds.

Each public function that takes options is named once, with input that suits it; wrong values are tried one
at a time, by the name of the parameter.
"""

import inspect
import signal
import time
from typing import Literal, get_origin

import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph

import spatialkz
from spatialkz import (
    candidates,
    change,
    clustering,
    focal,
    geography,
    prerequisites,
    spatial,
    specialization,
    tables,
)
from spatialkz.errors import SpatialKZError

STUDY = spatialkz.load_study()
QUOTIENTS, GRAPH, REGIONS, SECTORS = STUDY.table.values, STUDY.graph, STUDY.table.regions, STUDY.table.sectors
DRAW = np.random.default_rng(0)
JOBS = pd.DataFrame(DRAW.integers(5, 300, QUOTIENTS.shape), REGIONS, SECTORS)
PEOPLE = pd.Series(1e5 + np.arange(17), REGIONS, name="people")
LABELS = pd.Series(np.arange(17) % 3 + 1, REGIONS, name="cluster")
HIDDEN = {
    "values": JOBS.where(JOBS > 30),
    "region_totals": JOBS.sum(axis=1),
    "sector_totals": JOBS.sum(),
}
COEFFICIENTS = pd.DataFrame(DRAW.random((11, 11)) * 0.08, SECTORS, SECTORS)
RATED = {"evidence": QUOTIENTS, "directions": pd.Series(1, SECTORS)}
MARKS = (QUOTIENTS >= 1).astype(int)
RING = [f"r{i:02}" for i in range(60)]
MANY = {
    "values": pd.DataFrame(DRAW.normal(size=(60, 2)), RING, ["a", "b"]),
    "covariates": pd.DataFrame(DRAW.normal(size=(60, 2)), RING, ["x", "z"]),
    "graph": Graph.from_arrays(RING * 2, RING[1:] + RING[:1] + RING[-1:] + RING[:-1], [1.0] * 120),
}
LATER = pd.DataFrame(QUOTIENTS.to_numpy()[::-1], REGIONS, SECTORS)
FIRMS = pd.DataFrame(
    {"kato": ["71", "75"], "oked": ["62", "20"], "jobs": [1, 2], "lon": [71.4, 76.9], "lat": [51.1, 43.2]}
)
TWO = {"values": QUOTIENTS["research"], "lagged": QUOTIENTS["electrical"], "graph": GRAPH}
COVARIATES = pd.DataFrame(np.random.default_rng(1).random((17, 2)), REGIONS, ["staff", "roads"])


PANEL = {
    "panel": tables.Panel(
        {year: tables.ActivityTable(JOBS * (year - 2015), kind="counts") for year in range(2016, 2021)}
    )
}
CALLS = {
    change.quotient_change: {**PANEL, "method": "bootstrap"},
    change.shift_share: PANEL,
    change.convergence: PANEL,
    change.rank_mobility: PANEL,
    change.specialization_turnover: PANEL,
    change.focality_trend: {**PANEL, "graph": GRAPH},
    change.analyse_change: {**PANEL, "graph": GRAPH},
    change.transition_matrices: {"tables": {1: QUOTIENTS, 2: QUOTIENTS}, "graph": GRAPH},
    spatial.moran: {"values": QUOTIENTS, "graph": GRAPH},
    spatial.local_moran: {"values": QUOTIENTS, "graph": GRAPH},
    spatial.geary: {"values": QUOTIENTS, "graph": GRAPH},
    spatial.local_geary: {"values": QUOTIENTS, "graph": GRAPH},
    spatial.getis_ord: {"values": QUOTIENTS, "graph": GRAPH},
    spatial.local_getis_ord: {"values": QUOTIENTS, "graph": GRAPH},
    spatial.join_counts: {"marks": MARKS, "graph": GRAPH},
    spatial.local_join_counts: {"marks": MARKS, "graph": GRAPH},
    spatial.bivariate_moran: TWO,
    spatial.local_bivariate_moran: TWO,
    spatial.cross_moran: {"values": QUOTIENTS, "graph": GRAPH},
    spatial.dependence_confidence_set: {"values": QUOTIENTS, "graph": GRAPH},
    spatial.detectable_dependence: {"values": QUOTIENTS, "graph": GRAPH},
    spatial.graph_sensitivity: {"values": QUOTIENTS, "graphs": {"queen": GRAPH}},
    spatial.moran_power: {"graph": GRAPH},
    spatial.rate_moran: {"events": JOBS, "population": PEOPLE, "graph": GRAPH},
    spatial.residual_moran: {
        "values": QUOTIENTS["research"],
        "graph": GRAPH,
        "X": QUOTIENTS[["electrical"]],
        "method": "permutation",
    },
    prerequisites.prerequisite_test: {"quotients": QUOTIENTS, "covariates": COVARIATES},
    prerequisites.spatial_diagnostics: MANY,
    prerequisites.spatial_regression: MANY,
    clustering.analyse_clusters: {"quotients": QUOTIENTS, "graph": GRAPH},
    clustering.bootstrap_stability: {"features": QUOTIENTS, "labels": LABELS, "method": "ward"},
    clustering.choose_alpha: {"features": QUOTIENTS, "apart": GRAPH, "k": 3},
    clustering.cluster_contiguity: {"labels": LABELS, "graph": GRAPH},
    clustering.cluster_profiles: {"quotients": QUOTIENTS, "labels": LABELS},
    clustering.cluster_regions: {"features": QUOTIENTS},
    clustering.consensus_clusters: {"features": QUOTIENTS, "k": 3},
    clustering.gap_statistic: {"features": QUOTIENTS},
    clustering.leave_one_region_out: {"features": QUOTIENTS, "labels": LABELS, "method": "kmeans"},
    clustering.leave_one_sector_out: {"features": QUOTIENTS, "labels": LABELS, "method": "kmeans"},
    clustering.max_p: {"features": QUOTIENTS, "graph": GRAPH, "floor": 3},
    clustering.sector_split_test: {"features": QUOTIENTS, "k": 3},
    clustering.structure_test: {"features": QUOTIENTS},
    clustering.transformed: {"features": QUOTIENTS, "transform": "log1p"},
    focal.colocation_test: {"quotients": QUOTIENTS},
    focal.contiguity_test: {"quotients": QUOTIENTS, "graphs": GRAPH},
    focal.focal_test: {"quotients": QUOTIENTS, "graph": GRAPH},
    focal.influence: {"quotients": QUOTIENTS, "graph": GRAPH},
    focal.model_posterior: {"quotients": QUOTIENTS, "graph": GRAPH},
    focal.multiverse: {"quotients": QUOTIENTS, "graphs": GRAPH, "rounding": 0.005},
    focal.prior_sensitivity: {"quotients": QUOTIENTS, "graph": GRAPH},
    candidates.rank_candidates: {"study": STUDY},
    candidates.placement_agreement: {
        "ranking": pd.Series(range(1, 18), REGIONS),
        "tiers": pd.Series(np.arange(17) // 6, REGIONS),
    },
    candidates.naming_test: {
        "naming": pd.DataFrame(DRAW.integers(0, 2, QUOTIENTS.shape), REGIONS, SECTORS),
        "quotients": QUOTIENTS,
    },
    candidates.rank_uncertainty: RATED,
    candidates.rank_sensitivity: RATED,
    candidates.score: RATED,
    candidates.stars: {
        "size": JOBS / JOBS.sum(),
        "specialization": QUOTIENTS,
        "focus": JOBS / JOBS.to_numpy().sum(),
    },
    candidates.formation: {"quotients": QUOTIENTS, "graph": GRAPH},
    specialization.location_quotient: {"values": JOBS},
    specialization.additive_quotient: {"values": JOBS},
    specialization.quotients_of_kind: {"values": JOBS},
    specialization.quotient_test: {"counts": JOBS, "method": "parametric-bootstrap"},
    specialization.audit_quotients: {"quotients": QUOTIENTS},
    specialization.breadth: {"quotients": QUOTIENTS},
    specialization.with_breadth: {"quotients": QUOTIENTS},
    specialization.certainty: {"table": STUDY.table},
    specialization.concentration: {"values": JOBS},
    specialization.concentration_test: {"counts": JOBS},
    specialization.density: {"quotients": QUOTIENTS},
    specialization.proximity: {"quotients": QUOTIENTS},
    specialization.relatedness_test: {"quotients": QUOTIENTS},
    specialization.ellison_glaeser: {"values": JOBS, "herfindahl": pd.Series(0.05, SECTORS)},
    specialization.flegg_quotient: {"values": JOBS},
    specialization.augmented_flegg_quotient: {"values": JOBS},
    specialization.cross_industry_quotient: {"values": JOBS},
    specialization.round_quotient: {"values": JOBS},
    specialization.regional_coefficients: {"national": COEFFICIENTS, "values": JOBS, "region": REGIONS[0]},
    specialization.log_standardized_quotient: {"quotients": QUOTIENTS, "floor": 0.01},
    specialization.standardized_quotient: {"quotients": QUOTIENTS},
    specialization.normalized_rca: {"values": JOBS},
    specialization.two_dimensional_quotient: {"values": JOBS, "alpha": 0.5, "beta": 0.5},
    specialization.windowed_quotient: {"values": JOBS, "graph": GRAPH},
    specialization.theil_decomposition: {"values": JOBS, "partition": LABELS},
    prerequisites.policy_contrast: {"quotients": QUOTIENTS, "named": QUOTIENTS > 1},
    prerequisites.threshold_odds: {"quotients": QUOTIENTS, "covariates": COVARIATES},
    prerequisites.entry_test: {"before": QUOTIENTS, "after": LATER},
    specialization.nested_concentration: {"values": JOBS},
    specialization.quotients_by_level: {"values": JOBS, "regions": LABELS},
    tables.aggregate_register: {
        "frame": FIRMS,
        "region": "kato",
        "sector": "oked",
        "value": "jobs",
        "missing": "leave-out",
    },
    tables.bound_suppressed: HIDDEN,
    tables.complete_table: {**HIDDEN, "kind": "counts"},
    geography.neighbor_graph: {"regions": STUDY.boundaries},
    geography.place_points: {
        "points": STUDY.boundaries.representative_point(),
        "boundaries": STUDY.boundaries,
    },
    geography.place_register: {
        "register": FIRMS,
        "boundaries": STUDY.boundaries,
        "x": "lon",
        "y": "lat",
        "columns": ["jobs"],
    },
}


def renamed(graph, old, new):
    pairs = graph.adjacency.reset_index().replace({"focal": {old: new}, "neighbor": {old: new}})
    return Graph.from_arrays(*(pairs[name].to_numpy() for name in ("focal", "neighbor", "weight")))


GOTHAM = renamed(GRAPH, REGIONS[2], "Gotham")
NAN = float("nan")
COUNTS, SHARES = [0, -5, 1.5, "10", 10**12, True], [2, 0, -1, NAN, "x"]
AT_LEAST_ZERO = [NAN, -1, "x"]
WRONG = {
    **dict.fromkeys(["permutations", "draws", "resamples", "simulations", "trees", "samples"], COUNTS),
    **dict.fromkeys(["realizations", "starts", "splits", "rounding_draws"], COUNTS),
    "references": COUNTS[1:],
    **dict.fromkeys(["alpha", "level", "confidence", "target"], SHARES),
    "threshold": [NAN, -1, float("inf"), "x", 0],
    **dict.fromkeys(["rounding", "floor", "delta", "self_weight", "related", "size_share"], AT_LEAST_ZERO),
    **dict.fromkeys(["specialization_at", "focus_share", "cell_rounding", "smallest", "beta"], AT_LEAST_ZERO),
    "method": ["skater", 3, lambda table, _: table.to_numpy()[:, 0]],
    "rng": ["seed", -1, 1.5],
    "k": [0, -1, 1.5, 100, "3"],
    "graph": ["queen", GOTHAM],
    "graphs": ["queen", GOTHAM],
    "ks": [[], [0], [50]],
    "rho": [2, "x", NAN, []],
    "alphas": [[2], ["x"]],
    "uplifts": [[], [-1], ["x"]],
    "top": [(0,), (1.5,), (100,)],
    "grades": [[], ["x"], [NAN], [-1]],
    "models": [[], ["x"]],
    "methods": [[], ["x"]],
    "families": [{"f": []}, {"f": ["nothing"]}, "x"],
    "units": [NAN, -1, 0, "x"],
    "base_shares": ["x", pd.DataFrame({"a": [1.0]})],
    "priors": ["x"],
    "answers": ["x", {"all": "focal"}],
    "sets": [{}, {"a": "x"}, "x"],
    "without": [["nothing"]],
    "deletions": [3, -1, 1.5, True, "x"],
    "same_activity": ["x", [("nothing", "staff")], 3],
    "controls": ["nothing", "staff +", "staff + roads", 3],
    "groups": ["x", pd.Series({"nothing": "a"})],
    "base": ["x", pd.Series({"Gotham": 1.0})],
    "region": ["Gotham"],
    "sizes": ["x", PEOPLE[:4], -PEOPLE],
    "population": ["x", -PEOPLE, PEOPLE[:4]],
    "tiers": ["x"],
    "herfindahl": ["x"],
    "partition": ["x"],
    "labels": ["x", LABELS[:5]],
    "frame": ["nothing.parquet", {"kato": []}, None, 3],
    "register": ["nothing.parquet", {"lon": []}, None, FIRMS.assign(lon="x"), FIRMS.iloc[:0]],
    "boundaries": [
        "x",
        None,
        STUDY.boundaries.assign(geometry=None),
        STUDY.boundaries.set_crs(None, allow_override=True),
    ],
    "x": ["nothing"],
    "crs": ["x", "EPSG:0"],
    "columns": [["nothing"], ["region"]],
    "sector": ["nothing"],
    "value": ["nothing", "kato"],
    "regions": ["x", 0, {}, {"7": ""}, {"7": "a", "71": "b"}, True],
    "sectors": ["x", 0, {}, {"2": "a", "20": "b"}, {"9": "x"}],
    "constant": [["jobs"], ["nothing"]],
    "where": [{"jobs": "x"}, {"jobs": 9}, {"nothing": 1}],
    "region_digits": [1],
    "decimal": ["x"],
    "directions": [pd.Series(1, ["x"]), pd.Series(3, SECTORS)],
    "recipe": ["quen", 3],
    "panel": ["x", QUOTIENTS],
    "tables": ["x", {1: QUOTIENTS}, {1: QUOTIENTS, 2: "x"}, {1: QUOTIENTS, 2: QUOTIENTS.iloc[:5]}],
    "edges": [(), (1, 0.5), (NAN,)],
    "first": [1999, "x", 2020],
    "last": [1999, "x", 2016],
}
# What is no fault here: exponents are no shares, and power without values has no regions to compare with.
FINE = {
    ("two_dimensional_quotient", "alpha", "2"),
    ("two_dimensional_quotient", "alpha", "0"),
    ("moran_power", "graph", repr(GOTHAM)),
    ("focal_test", "simulations", "0"),
    ("bound_suppressed", "values", "NaN"),
    ("complete_table", "values", "NaN"),
}
# Not yet refused, refused late, or by an error of Python: options, or single values of them.
TABLES = (
    "values",
    "quotients",
    "covariates",
    "features",
    "counts",
    "evidence",
    "marks",
    "events",
    "specialization",
    "named",
    "before",
    "after",
)


def wrong_tables(table):
    one = pd.DataFrame(table).astype(float)
    place = np.arange(one.size).reshape(one.shape) == 7
    yield "a region twice", pd.concat([one, one.iloc[:1]])
    yield "no region", one.iloc[:0]
    yield "a list", [1, 2, 3]
    yield "nothing", None
    yield "infinite", one.mask(place, np.inf)
    yield "text", one.astype(object).mask(place, "abc")
    yield "NaN", one.mask(place)


def is_choice(function, parameter):
    """Whether an option is one of a Literal; names that are imported for type checkers alone are none."""
    try:
        return get_origin(eval(parameter.annotation, function.__globals__)) is Literal
    except NameError:
        return False


def cases():
    for function, given in CALLS.items():
        name = function.__name__
        for option, parameter in inspect.signature(function).parameters.items():
            wrong = [(repr(value), value) for value in WRONG.get(option, ())]
            if is_choice(function, parameter):
                wrong.append(("'nonsense'", "nonsense"))
            if option in TABLES and option in given:
                wrong += wrong_tables(given[option])
            for label, value in wrong:
                if (name, option, label) not in FINE:
                    called = f"{name}-{option}={' '.join(label.split())[:24]}"
                    yield pytest.param(function, {**given, option: value}, id=called)


@pytest.fixture
def no_longer_than_ten_seconds():
    def stop(*_):
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(10)
    yield
    signal.alarm(0)


@pytest.mark.usefixtures("no_longer_than_ten_seconds")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("function", "given"), cases())
def test_wrong_input_is_refused_at_once_in_a_sentence(function, given):
    before = time.process_time()
    with pytest.raises(SpatialKZError) as refused:
        function(**given)
    assert time.process_time() - before < 2
    said = str(refused.value)
    assert said.endswith((".", ".)"))
    assert "\n" not in said
