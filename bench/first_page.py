"""How long a new browser takes to the dashboard's first page, by that page's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.dashboard.serving import Visitor

PAGES = 5
CHARTS = 8
SIZE = {"width": 1400, "height": 900}
_CLOCK = """(() => {
  window.drawn = {}
  const parts = {
    figures: () => [...document.querySelectorAll('[data-testid=stCaptionContainer]')]
      .some(line => line.innerText.startsWith('Data as of')),
    charts: () => document.querySelectorAll('[data-testid=stVegaLiteChart] .marks').length >= %d,
  }
  new MutationObserver(() => {
    for (const [part, there] of Object.entries(parts))
      if (!(part in window.drawn) && there()) window.drawn[part] = performance.now()
  }).observe(document, {childList: true, subtree: true})
})()"""


@dataclass(frozen=True)
class FirstPage:
    """Medians in s since the visitor asked for the page: until the last of its figures, and until the last chart."""

    figures: float
    charts: float


def first_page(chrome: Any, address: str) -> FirstPage:
    """Of so many visitors, one after the other, each with nothing in its cache. The very first counts."""
    took = [_visit(chrome, address) for _ in range(PAGES)]
    return FirstPage(*(median(one[part] for one in took) / 1000 for part in ("figures", "charts")))


def _visit(chrome: Any, address: str) -> dict[str, float]:
    page = chrome.new_page(viewport=SIZE)
    page.add_init_script(_CLOCK % CHARTS)
    Visitor(page).go(address)
    page.wait_for_function("() => 'charts' in window.drawn")
    drawn: dict[str, float] = page.evaluate("() => window.drawn")
    page.close()
    return drawn
