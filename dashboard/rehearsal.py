"""The first page drawn once for nobody: what charts, tables and figures do only the first time is then done."""

from __future__ import annotations

import logging
import time

from dashboard.business import figures
from dashboard.configuration import Configuration
from dashboard.ranges import TimeRange
from dashboard.timeline import View
from dashboard.views import business
from dashboard.windows import EVENT_TYPES, Names, SalesCell

_HOUR_S = 3600


def rehearse() -> None:
    """Draw a made-up hour outside of any session; nobody sees it, and nothing is asked or written."""
    now, names = time.time(), Names()
    span = TimeRange.last(_HOUR_S, now)
    cells = {start: _cell(names) for start in span.starts() if start <= now}
    shown = figures(View(span, cells, span.start_s, now), names, now)
    logging.disable(logging.WARNING)  # Streamlit warns of just that: no session
    try:
        business.draw(shown, Configuration.from_environment().currency)
    finally:
        logging.disable(logging.NOTSET)


def _cell(names: Names) -> SalesCell:
    cell = SalesCell(names)
    sold = [{"id": "a", "n": 1, "revenue_micros": 1_000_000}]
    for event_type in EVENT_TYPES:
        cell.add({"event_type": event_type, "n": 1, "orders": 1, "products": sold, "categories": sold})
    return cell
