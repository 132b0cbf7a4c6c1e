"""Tables of regions × sectors: what they are, how they are read, and what is demanded of them."""

from spatialkz.tables.activity import ActivityTable, Kind
from spatialkz.tables.checks import check_labels, check_same_regions, check_table
from spatialkz.tables.completion import complete_table, fill_suppressed
from spatialkz.tables.prerequisites import prerequisite_quotients
from spatialkz.tables.readers import parse_numbers, read_frame, read_region_table, split_base
from spatialkz.tables.suppressed import SuppressedBounds, bound_suppressed
from spatialkz.tables.totals import Totals
from spatialkz.tables.writers import write_table

__all__ = [
    "ActivityTable",
    "Kind",
    "SuppressedBounds",
    "Totals",
    "bound_suppressed",
    "check_labels",
    "check_same_regions",
    "check_table",
    "complete_table",
    "fill_suppressed",
    "parse_numbers",
    "prerequisite_quotients",
    "read_frame",
    "read_region_table",
    "split_base",
    "write_table",
]
