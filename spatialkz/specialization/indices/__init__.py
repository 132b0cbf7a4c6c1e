"""Indices of how unevenly a sector is spread over regions, and a region over sectors, with their nulls."""

from spatialkz.specialization.indices.concentration import (
    concentration,
    table_concentration,
    theil_decomposition,
)
from spatialkz.specialization.indices.dartboard import IndexTest, concentration_test
from spatialkz.specialization.indices.ellison_glaeser import ellison_glaeser, ellison_glaeser_test
from spatialkz.specialization.indices.regional import regional_specialization

__all__ = [
    "IndexTest",
    "concentration",
    "concentration_test",
    "ellison_glaeser",
    "ellison_glaeser_test",
    "regional_specialization",
    "table_concentration",
    "theil_decomposition",
]
