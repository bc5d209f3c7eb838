"""The formats that a report comes in, each loaded only when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from measure.report.source import Source

Render = Callable[[Source], str]

FORMATS = {
    "text": "measure.report.text",
    "md": "measure.report.markdown",
    "html": "measure.report.html",
    "json": "measure.report.document_json",
    "junit": "measure.report.junit",
    "hgrm": "measure.report.hgrm",
    "csv": "measure.report.slices_csv",
}
"""Name → module, whose `render` makes it."""


def render(source: Source, name: str) -> str:
    """The report of `source` in the format `name`, one of FORMATS."""
    made: Render = importlib.import_module(FORMATS[name]).render
    return made(source)
