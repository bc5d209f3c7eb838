"""The scripts that Streamlit's page is made of, answered from memory.

A browser that has none of them yet asks for more than a hundred before the first page stands. Streamlit reads each
from the disk in a thread of its own; without that a first page stands about a tenth sooner (docs/dashboard.md).
"""

from __future__ import annotations

import mimetypes
from functools import cache
from pathlib import Path

import streamlit
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

FOLDER = Path(streamlit.__file__).parent / "static" / "static"
_PREFIX = "/static/"
_YEAR_S = 365 * 24 * 3600


class HeldAssets:
    """Answers a GET for a file of `FOLDER`, whole; hands on everything else, what is not there included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._files = {_PREFIX + path.relative_to(FOLDER).as_posix(): path for path in FOLDER.rglob("*.*")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = self._files.get(scope.get("path", ""))
        if file is None or scope.get("method") != "GET":
            await self._app(scope, receive, send)
        else:
            await _held(file)(scope, receive, send)


@cache
def _held(file: Path) -> Response:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    # as Streamlit says it: a name of these holds a digest of the content
    forever = {"Cache-Control": f"public, immutable, max-age={_YEAR_S}"}
    return Response(file.read_bytes(), media_type=kind, headers=forever)
