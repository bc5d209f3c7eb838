"""The page's scripts, from the server as the stack starts it."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from dashboard.assets import FOLDER
from tests.dashboard.database_fixture import RealMongod
from tests.dashboard.serving import served

KINDS = {".js": "javascript", ".css": "text/css", ".woff2": "font/woff2"}
INDEX = (FOLDER.parent / "index.html").read_bytes()


@pytest.fixture(scope="module")
def line(server: RealMongod) -> Iterator[http.client.HTTPConnection]:
    with served(server) as address:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        yield connection
        connection.close()


def ask(line: http.client.HTTPConnection, method: str, path: str) -> tuple[http.client.HTTPResponse, bytes]:
    line.request(method, path)
    answer = line.getresponse()
    return answer, answer.read()


def test_every_file_is_what_lies_on_the_disk_and_may_be_kept(line: http.client.HTTPConnection) -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert len(files) > 100
    for file in files:
        answer, body = ask(line, "GET", f"/static/{file.relative_to(FOLDER).as_posix()}")
        assert answer.status == 200
        assert body == file.read_bytes()
        assert answer.headers["Cache-Control"] == "public, immutable, max-age=31536000"
        assert KINDS.get(file.suffix, "") in answer.headers.get_content_type()


def test_what_is_no_file_there_is_streamlits_to_answer(line: http.client.HTTPConnection) -> None:
    assert ask(line, "GET", "/")[1] == INDEX
    assert ask(line, "GET", "/static/js/absent.js")[1] == INDEX  # as it answers any page's name
    assert ask(line, "GET", "/static/../index.html")[0].status == 400
    assert ask(line, "GET", "/_stcore/health")[1] == b"ok"


def test_a_script_is_asked_about_without_its_body(line: http.client.HTTPConnection) -> None:
    script = next(FOLDER.rglob("index.*.js"))
    answer, body = ask(line, "HEAD", f"/static/{script.relative_to(FOLDER).as_posix()}")
    assert (answer.status, body) == (200, b"")
    assert answer.headers["Content-Length"] == str(script.stat().st_size)
