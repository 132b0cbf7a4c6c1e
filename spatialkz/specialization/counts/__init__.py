"""Tests and intervals for quotients of things that were counted."""

from spatialkz.specialization.counts.inference import QuotientTest, quotient_test

__all__ = ["QuotientTest", "quotient_test"]
