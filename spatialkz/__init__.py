"""Knowledge-intensive clusters of regions: where they are, how sure that is, and whether they are focal.

The public names below are imported on first use, so that ``import spatialkz`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "ActivityTable": "tables",
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

__all__ = sorted([*_HOMES, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
