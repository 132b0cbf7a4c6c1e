"""Location quotients and measures of specialization and concentration."""

from spatialkz.specialization.margins import Margins, margins
from spatialkz.specialization.quotients import (
    breadth,
    location_quotient,
    symmetric_quotient,
    table_quotients,
)

__all__ = [
    "Margins",
    "breadth",
    "location_quotient",
    "margins",
    "symmetric_quotient",
    "table_quotients",
]
