"""How long a new browser takes to the dashboard's first page, by that page's own clock.

The browser is told by its own protocol (Chrome DevTools) only where to go and, at the end, asked what its clock says.
A driver that listens to each request of the page, as Playwright does, makes the page slower by a fifth.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.dashboard.serving import FLAGS, chromium, wait_until

PAGES = 5
TILES = 5
CHARTS = 8
SIZE = {"width": 1400, "height": 900}
_PARTS = ("figures", "charts")
_DEADLINE_S = 30.0
_POLL_S = 0.5
_CLOCK = """(() => {
  window.drawn = {}
  const parts = {
    figures: () => document.querySelectorAll('[data-testid=stMetricValue]').length >= %d &&
      [...document.querySelectorAll('[data-testid=stCaptionContainer]')]
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


def first_page(address: str) -> FirstPage:
    """Of so many visitors, one after the other, each with nothing in its cache. The very first counts."""
    with _browser() as line:
        took = [_visit(line, address) for _ in range(PAGES)]
    return FirstPage(*(median(one[part] for one in took) / 1000 for part in _PARTS))


def _visit(line: _Line, address: str) -> dict[str, float]:
    context = line.ask("Target.createBrowserContext")["browserContextId"]
    target = line.ask("Target.createTarget", url="about:blank", browserContextId=context, **SIZE)["targetId"]
    page = line.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    line.ask("Page.enable", page)
    line.ask("Page.addScriptToEvaluateOnNewDocument", page, source=_CLOCK % (TILES, CHARTS))
    line.ask("Page.navigate", page, url=address)
    drawn = wait_until(lambda: _drawn(line, page), _DEADLINE_S, _POLL_S)
    line.ask("Target.disposeBrowserContext", browserContextId=context)
    return drawn


def _drawn(line: _Line, page: str) -> dict[str, float] | None:
    """ms of each part by the page's clock; None while one is not there yet."""
    answer = line.ask("Runtime.evaluate", page, expression="JSON.stringify(window.drawn)")
    drawn: dict[str, float] = json.loads(answer["result"]["value"])
    return drawn if drawn.keys() == set(_PARTS) else None


class _Line:
    """Question and answer with a browser; what it tells of itself in between is passed over."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = count(1)

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        to = {} if session is None else {"sessionId": session}
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters, **to}))
        while True:
            answer = json.loads(self._connection.recv(_DEADLINE_S))
            if answer.get("id") == number:
                result: dict[str, Any] = answer["result"]
                return result


@contextmanager
def _browser() -> Iterator[_Line]:
    program = chromium()
    if program is None:
        raise SystemExit("Chromium is needed: see CONTRIBUTING.md")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, "--headless=new", *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_debugger(Path(profile) / "DevToolsActivePort"), max_size=None) as connection:
                yield _Line(connection)
        finally:
            process.terminate()
            process.wait()


def _debugger(told: Path) -> str:
    """The address that a browser writes down when it listens: a port, and a path."""
    wait_until(lambda: told.exists() and len(told.read_text().split()) == 2, _DEADLINE_S)
    port, path = told.read_text().split()
    return f"ws://127.0.0.1:{port}{path}"
