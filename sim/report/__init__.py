"""The report of a run: one HTML file that opens offline."""

from sim.report.render import render_report

__all__ = ["render_report"]
