"""Figures and the page: what a run has found, in pictures and in words."""

from spatialkz.report.contents import Findings
from spatialkz.report.drawing import draw_figures
from spatialkz.report.page import write_page
from spatialkz.report.wording import Wording

__all__ = ["Findings", "Wording", "draw_figures", "write_page"]
