"""Rows → static pages with charts, feeds and the evidence behind every number. Pure: nothing is read or written here."""

from monitor.report.model import AreaPage, Companion, Instrument, Line, Movement, NewTerm, Part, Search, Site, SourceRow, Story
from monitor.report.pages import Served, feed, policy, render_folder, render_page, render_problem, render_search, render_single
from monitor.report.sheets import Sheet, as_csv, search_sheet, sheets_of

__all__ = [
    "AreaPage",
    "Companion",
    "Instrument",
    "Line",
    "Movement",
    "NewTerm",
    "Part",
    "Search",
    "Served",
    "Sheet",
    "Site",
    "SourceRow",
    "Story",
    "as_csv",
    "feed",
    "policy",
    "render_folder",
    "render_page",
    "render_problem",
    "render_search",
    "render_single",
    "search_sheet",
    "sheets_of",
]
