"""Location quotients, inference on them, the audit of published ones, and indices of concentration.

``counts`` holds tests and intervals for counted things, ``published`` the audit of printed tables,
``indices`` concentration and specialization, ``regionalization`` quotients between industries.
"""

from spatialkz.options import QuotientKind
from spatialkz.specialization.completions import (
    complete_quotients,
    complete_sectors,
    hidden_notes,
    quotient_range,
)
from spatialkz.specialization.counts import QuotientTest, quotient_test
from spatialkz.specialization.hierarchies import nested_concentration, quotients_by_level
from spatialkz.specialization.indices import (
    IndexTest,
    concentration,
    concentration_test,
    ellison_glaeser,
    ellison_glaeser_test,
    regional_specialization,
    table_concentration,
    theil_decomposition,
)
from spatialkz.specialization.margins import Margins, margins, table_margins
from spatialkz.specialization.published import (
    QuotientAudit,
    ShareSet,
    audit_quotients,
    audit_study,
    audit_table,
    certainty,
    check_auditable,
    check_claims,
    focus_interval,
    sector_share_interval,
)
from spatialkz.specialization.quotients import (
    QUOTIENT_KINDS,
    breadth,
    breadth_label,
    check_threshold,
    location_quotient,
    quotients_of_kind,
    symmetric_quotient,
    table_quotients,
    with_breadth,
)
from spatialkz.specialization.regionalization import (
    FleggDelta,
    augmented_flegg_quotient,
    cross_industry_quotient,
    flegg_delta,
    flegg_lambda,
    flegg_quotient,
    regional_coefficients,
    round_quotient,
)
from spatialkz.specialization.regionalization.cross_industry import two_dimensional_quotient
from spatialkz.specialization.relatedness import density, proximity, relatedness_test
from spatialkz.specialization.uncertainty import (
    check_counts,
    drawn_quotients,
    quotient_interval,
)
from spatialkz.specialization.variants import (
    additive_quotient,
    log_standardized_quotient,
    normalized_rca,
    standardized_quotient,
    windowed_quotient,
)

__all__ = [
    "QUOTIENT_KINDS",
    "FleggDelta",
    "IndexTest",
    "Margins",
    "QuotientAudit",
    "QuotientKind",
    "QuotientTest",
    "ShareSet",
    "additive_quotient",
    "audit_quotients",
    "audit_study",
    "audit_table",
    "augmented_flegg_quotient",
    "breadth",
    "breadth_label",
    "certainty",
    "check_auditable",
    "check_claims",
    "check_counts",
    "check_threshold",
    "complete_quotients",
    "complete_sectors",
    "concentration",
    "concentration_test",
    "cross_industry_quotient",
    "density",
    "drawn_quotients",
    "ellison_glaeser",
    "ellison_glaeser_test",
    "flegg_delta",
    "flegg_lambda",
    "flegg_quotient",
    "focus_interval",
    "hidden_notes",
    "location_quotient",
    "log_standardized_quotient",
    "margins",
    "nested_concentration",
    "normalized_rca",
    "proximity",
    "quotient_interval",
    "quotient_range",
    "quotient_test",
    "quotients_by_level",
    "quotients_of_kind",
    "regional_coefficients",
    "regional_specialization",
    "relatedness_test",
    "round_quotient",
    "sector_share_interval",
    "standardized_quotient",
    "symmetric_quotient",
    "table_concentration",
    "table_margins",
    "table_quotients",
    "theil_decomposition",
    "two_dimensional_quotient",
    "windowed_quotient",
    "with_breadth",
]
