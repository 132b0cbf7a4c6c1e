"""Knowledge-intensive clusters of regions: where they are, how sure that is, and whether they are focal.

The public names and sub-packages below are imported on first use, so that ``import spatialkz`` costs next
to nothing; the imports under ``TYPE_CHECKING`` tell editors and type checkers the same.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spatialkz import candidates as candidates
    from spatialkz import change as change
    from spatialkz import clustering as clustering
    from spatialkz import datasets as datasets
    from spatialkz import errors as errors
    from spatialkz import focal as focal
    from spatialkz import geography as geography
    from spatialkz import options as options
    from spatialkz import pipeline as pipeline
    from spatialkz import prerequisites as prerequisites
    from spatialkz import regions as regions
    from spatialkz import report as report
    from spatialkz import resampling as resampling
    from spatialkz import spatial as spatial
    from spatialkz import specialization as specialization
    from spatialkz import study as study
    from spatialkz import tables as tables
    from spatialkz.candidates import rank_candidates as rank_candidates
    from spatialkz.clustering import cluster_regions as cluster_regions
    from spatialkz.errors import GraphError as GraphError
    from spatialkz.errors import InputError as InputError
    from spatialkz.errors import OutputError as OutputError
    from spatialkz.errors import RegionError as RegionError
    from spatialkz.errors import SpatialKZError as SpatialKZError
    from spatialkz.focal import focal_test as focal_test
    from spatialkz.geography import neighbor_graph as neighbor_graph
    from spatialkz.pipeline import run_study as run_study
    from spatialkz.prerequisites import PrerequisiteTest as PrerequisiteTest
    from spatialkz.prerequisites import entry_test as entry_test
    from spatialkz.prerequisites import policy_contrast as policy_contrast
    from spatialkz.prerequisites import prerequisite_test as prerequisite_test
    from spatialkz.prerequisites import threshold_odds as threshold_odds
    from spatialkz.regions import resolve_regions as resolve_regions
    from spatialkz.spatial.local_moran import local_moran as local_moran
    from spatialkz.spatial.moran import moran as moran
    from spatialkz.specialization import audit_quotients as audit_quotients
    from spatialkz.specialization import location_quotient as location_quotient
    from spatialkz.specialization import quotient_test as quotient_test
    from spatialkz.specialization.indices.concentration import concentration as concentration
    from spatialkz.study import Study as Study
    from spatialkz.study import list_studies as list_studies
    from spatialkz.study import load_study as load_study
    from spatialkz.study import read_study as read_study
    from spatialkz.tables import ActivityTable as ActivityTable
    from spatialkz.tables import Panel as Panel
    from spatialkz.tables import aggregate_register as aggregate_register
    from spatialkz.tables import bound_suppressed as bound_suppressed
    from spatialkz.tables import complete_table as complete_table

__version__ = "0.1.0"

_HOMES = {
    "ActivityTable": "tables",
    "aggregate_register": "tables",
    "Panel": "tables",
    "bound_suppressed": "tables",
    "complete_table": "tables",
    "resolve_regions": "regions",
    "neighbor_graph": "geography",
    "location_quotient": "specialization",
    "concentration": "specialization",
    "quotient_test": "specialization",
    "audit_quotients": "specialization",
    "moran": "spatial",
    "local_moran": "spatial",
    "PrerequisiteTest": "prerequisites",
    "entry_test": "prerequisites",
    "policy_contrast": "prerequisites",
    "prerequisite_test": "prerequisites",
    "threshold_odds": "prerequisites",
    "cluster_regions": "clustering",
    "focal_test": "focal",
    "rank_candidates": "candidates",
    "Study": "study",
    "load_study": "study",
    "list_studies": "study",
    "read_study": "study",
    "run_study": "pipeline",
    "SpatialKZError": "errors",
    "InputError": "errors",
    "RegionError": "errors",
    "GraphError": "errors",
    "OutputError": "errors",
}

_ROOMS = (
    "candidates",
    "change",
    "clustering",
    "datasets",
    "errors",
    "focal",
    "geography",
    "options",
    "pipeline",
    "prerequisites",
    "regions",
    "report",
    "resampling",
    "spatial",
    "specialization",
    "study",
    "tables",
)

__all__ = sorted([*_HOMES, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_ROOMS])
