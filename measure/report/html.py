"""A report as one HTML file that needs nothing else: style, data and the chart library are in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from measure.folder import replace_file
from measure.report.blocks import Bars, Block, ChartPlace, Facts, Items, Page, Paragraph, Table
from measure.report.foreign import plain
from measure.report.page import page
from measure.report.source import Source

TEMPLATE = "report.html.j2"


def render(source: Source) -> str:
    """The report of a run."""
    from measure.report.charts import charts  # takes a second to load, and no other format draws

    drawn = charts(source)
    verdict = source.document.verdict.value if source.document.verdict else "none"
    return to_html(page(source), drawn, chart_library(source.cache) if drawn else "", verdict)


def to_html(shown: Page, drawn: Mapping[str, Mapping[str, Any]], library: str, verdict: str = "none") -> str:
    """`shown` with the charts `drawn` (name → Vega-Lite), by a `library` that puts vegaEmbed on the window."""
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            page=shown,
            charts=drawn,
            library=Markup(library),  # noqa: S704 - our own script, which holds no text of the run
            verdict=verdict,
            kind=_kind,
            in_script=in_script,
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("measure.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = lambda text: plain(text, None)
    return environment


_KINDS: dict[type[Block], str] = {
    Paragraph: "paragraph",
    Facts: "facts",
    Items: "items",
    Table: "table",
    Bars: "bars",
    ChartPlace: "chart",
}


def _kind(block: Block) -> str:
    return _KINDS[type(block)]


def in_script(value: object) -> Markup:
    """JSON that may stand in a script element: nothing in it can end the element or open a comment."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def chart_library(kept_in: Path | None) -> str:
    """Vega, Vega-Lite and Vega-Embed as one script. Making it takes some seconds, so it stays in `kept_in`."""
    import vl_convert

    kept = kept_in / f"charts-{version('vl-convert-python')}.js" if kept_in else None
    if kept is not None and kept.is_file():
        return kept.read_text("utf-8")
    made: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    library = made.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    if kept is not None:
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(kept, library.encode())
    return library
