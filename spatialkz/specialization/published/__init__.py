"""Published quotients: what their rounding and the adding-up identity allow, and what is claimed of them."""

from spatialkz.specialization.published.adding_up import ShareSet, check_auditable
from spatialkz.specialization.published.audit import (
    QuotientAudit,
    audit_quotients,
    audit_table,
    certainty,
    focus_interval,
    sector_share_interval,
)
from spatialkz.specialization.published.claims import audit_study, check_claims

__all__ = [
    "QuotientAudit",
    "ShareSet",
    "audit_quotients",
    "audit_study",
    "audit_table",
    "certainty",
    "check_auditable",
    "check_claims",
    "focus_interval",
    "sector_share_interval",
]
