"""Change over time: quotients, growth, convergence, mobility, entry and exit, and the trend of focality."""

from spatialkz.change.analysis import ChangeAnalysis, analyse_change
from spatialkz.change.convergence import Convergence, convergence
from spatialkz.change.focality import FocalityTrend, focality_trend
from spatialkz.change.mobility import TransitionMatrices, rank_mobility, transition_matrices
from spatialkz.change.quotients import (
    QuotientChange,
    quotient_change,
    quotients_by_period,
    specialization_turnover,
)
from spatialkz.change.shift_share import ShiftShare, shift_share

__all__ = [
    "ChangeAnalysis",
    "Convergence",
    "FocalityTrend",
    "QuotientChange",
    "ShiftShare",
    "TransitionMatrices",
    "analyse_change",
    "convergence",
    "focality_trend",
    "quotient_change",
    "quotients_by_period",
    "rank_mobility",
    "shift_share",
    "specialization_turnover",
    "transition_matrices",
]
