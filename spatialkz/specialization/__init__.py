"""Location quotients and measures of specialization and concentration."""

from spatialkz.specialization.adding_up import ShareSet
from spatialkz.specialization.audit import (
    QuotientAudit,
    audit_quotients,
    audit_table,
    certainty,
    sector_share_interval,
)
from spatialkz.specialization.claims import audit_study, check_claims
from spatialkz.specialization.margins import Margins, margins
from spatialkz.specialization.quotients import (
    breadth,
    location_quotient,
    symmetric_quotient,
    table_quotients,
)

__all__ = [
    "Margins",
    "QuotientAudit",
    "ShareSet",
    "audit_quotients",
    "audit_study",
    "audit_table",
    "breadth",
    "certainty",
    "check_claims",
    "location_quotient",
    "margins",
    "sector_share_interval",
    "symmetric_quotient",
    "table_quotients",
]
