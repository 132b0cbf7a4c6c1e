"""The regions of Kazakhstan: names in three languages, codes, boundaries, and the divisions they come in."""

from spatialkz.options import Vintage
from spatialkz.regions.divisions import (
    aggregate_frame,
    aggregate_regions,
    aggregate_table,
    change_division,
    division_crosswalk,
    read_crosswalk,
)
from spatialkz.regions.graphs import boundary_source, load_boundaries
from spatialkz.regions.names import check_divisions, region_table, resolve_regions

__all__ = [
    "Vintage",
    "aggregate_frame",
    "aggregate_regions",
    "aggregate_table",
    "boundary_source",
    "change_division",
    "check_divisions",
    "division_crosswalk",
    "load_boundaries",
    "read_crosswalk",
    "region_table",
    "resolve_regions",
]
