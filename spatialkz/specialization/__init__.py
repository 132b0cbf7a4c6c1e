"""Location quotients and measures of specialization and concentration."""

from spatialkz.specialization.quotients import (
    breadth,
    location_quotient,
    symmetric_quotient,
    table_quotients,
)

__all__ = ["breadth", "location_quotient", "symmetric_quotient", "table_quotients"]
