"""Tables of regions × sectors: what they are, how they are read, and what is demanded of them."""

from spatialkz.tables.activity import ActivityTable, Kind
from spatialkz.tables.checks import check_labels, check_same_regions, check_table
from spatialkz.tables.prerequisites import prerequisite_quotients
from spatialkz.tables.readers import parse_numbers, read_frame, read_region_table, split_base
from spatialkz.tables.writers import write_table

__all__ = [
    "ActivityTable",
    "Kind",
    "check_labels",
    "check_same_regions",
    "check_table",
    "parse_numbers",
    "prerequisite_quotients",
    "read_frame",
    "read_region_table",
    "split_base",
    "write_table",
]
