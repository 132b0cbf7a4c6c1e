"""Quotients between industries, and regional input coefficients made with them."""

from spatialkz.specialization.regionalization.cross_industry import cross_industry_quotient, round_quotient
from spatialkz.specialization.regionalization.flegg import (
    augmented_flegg_quotient,
    flegg_lambda,
    flegg_quotient,
)
from spatialkz.specialization.regionalization.input_coefficients import (
    FleggDelta,
    flegg_delta,
    regional_coefficients,
)

__all__ = [
    "FleggDelta",
    "augmented_flegg_quotient",
    "cross_industry_quotient",
    "flegg_delta",
    "flegg_lambda",
    "flegg_quotient",
    "regional_coefficients",
    "round_quotient",
]
