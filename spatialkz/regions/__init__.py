"""The regions of Kazakhstan: names in three languages, codes, boundaries and the two divisions."""

from spatialkz.options import Vintage
from spatialkz.regions.graphs import boundary_source, load_boundaries
from spatialkz.regions.names import check_divisions, region_table, resolve_regions

__all__ = [
    "Vintage",
    "boundary_source",
    "check_divisions",
    "load_boundaries",
    "region_table",
    "resolve_regions",
]
