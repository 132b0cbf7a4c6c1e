"""Tables of regions × sectors: what they are, how they are read, and what is demanded of them."""

from spatialkz.tables.activity import ActivityTable
from spatialkz.tables.completion import complete_table, fill_suppressed
from spatialkz.tables.labels import (
    check_groups,
    check_labels,
    check_same_regions,
    check_table,
    explain_mismatch,
    require_labels,
)
from spatialkz.tables.levels import Totals
from spatialkz.tables.panel import Panel, Period
from spatialkz.tables.prerequisites import (
    Covariates,
    covariate_rows,
    covariate_table,
    prerequisite_quotients,
)
from spatialkz.tables.reading.grids import read_rows
from spatialkz.tables.reading.numbers import parse_cells, parse_numbers
from spatialkz.tables.reading.options import FileOptions, RegionTable, TableOptions
from spatialkz.tables.reading.readers import keep_rows, read_frame, read_region_table, read_table_file
from spatialkz.tables.register import RegisterTable, aggregate_register
from spatialkz.tables.suppressed import SuppressedBounds, bound_suppressed
from spatialkz.tables.writers import write_table

__all__ = [
    "ActivityTable",
    "Covariates",
    "FileOptions",
    "Panel",
    "Period",
    "RegionTable",
    "RegisterTable",
    "SuppressedBounds",
    "TableOptions",
    "Totals",
    "aggregate_register",
    "bound_suppressed",
    "check_groups",
    "check_labels",
    "check_same_regions",
    "check_table",
    "complete_table",
    "covariate_rows",
    "covariate_table",
    "explain_mismatch",
    "fill_suppressed",
    "keep_rows",
    "parse_cells",
    "parse_numbers",
    "prerequisite_quotients",
    "read_frame",
    "read_region_table",
    "read_rows",
    "read_table_file",
    "require_labels",
    "write_table",
]
