"""Rows → static pages with charts, feeds and the evidence behind every number. Pure: nothing is read or written here."""

from monitor.report.model import AreaPage, Companion, Instrument, Line, Movement, NewTerm, Part, Site, SourceRow, Story
from monitor.report.pages import render_folder, render_single

__all__ = [
    "AreaPage",
    "Companion",
    "Instrument",
    "Line",
    "Movement",
    "NewTerm",
    "Part",
    "Site",
    "SourceRow",
    "Story",
    "render_folder",
    "render_single",
]
