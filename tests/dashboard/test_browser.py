"""The pages in a real browser, served as the stack serves them."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, Page
from pymongo.database import Database

from measure.document import STAGES
from measure.folder import RunFolder
from measure.history import delete
from measure.report.formats import render
from measure.report.source import Source, settle
from tests.dashboard import seeding
from tests.dashboard.database_fixture import RealMongod
from tests.dashboard.serving import Visitor, browser, chromium, served, wait_until
from tests.measure.synthetic import make_run

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium: `apt install chromium`"),
]
RUN = "smoke-20261124T100000Z-0a1b"
EVIL = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture
def visitor(chrome: Browser) -> Iterator[Visitor]:
    context = chrome.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    yield Visitor(context.new_page())
    context.close()


@pytest.fixture
def address(server: RealMongod, store: Database[dict[str, Any]]) -> Iterator[str]:
    folder = make_run(server.named_home.runs, RUN)
    settle(folder)
    with served(server, refresh_s=1, cache_s=0) as found:
        yield found
    delete([folder])


def sell(store: Database[dict[str, Any]], orders: int, product: str = "mug", pulse: bool = False) -> None:
    """The sink's work of one bulk: more purchases in the minute under way."""
    now = time.time()
    micros = orders * 2_500_000
    window = seeding.window(
        RUN,
        int(now) // 60 * 60,
        "purchase",
        0,
        products=[{"id": product, "n": orders, "revenue_micros": micros}],
        updated_s=now,
    )
    window["products"] = window["categories"] = [{"id": product, "n": orders, "revenue_micros": micros}]
    counted = {"n": orders, "orders": orders, "revenue_micros": micros}
    for name in ("n", "orders", "revenue_micros", "updated", "pulse"):
        window.pop(name)
    held = {"updated": seeding.moment(now), **({"pulse": [int(now * 1e6)]} if pulse else {})}
    own_id = {"_id": window.pop("_id")}
    store.windows.update_one(own_id, {"$inc": counted, "$set": {**window, **held}}, upsert=True)


def test_figures_follow_the_database_without_a_reload(visitor: Visitor, address: str, store) -> None:
    sell(store, 4)
    visitor.go(address)
    wait_until(lambda: visitor.metric("Orders") == "4", 30)
    before = visitor.age_line()
    sell(store, 3)
    wait_until(lambda: visitor.metric("Orders") == "7", 30)
    assert visitor.metric("Revenue") == "£18"
    wait_until(lambda: visitor.age_line() != before, 30)
    assert visitor.was_not_reloaded
    assert not visitor.errors


def test_what_is_drawn_becomes_the_stages_query_and_shown(visitor: Visitor, address: str, store) -> None:
    sell(store, 1)
    store.runs.insert_one(seeding.run_entry(RUN, time.time(), updated=seeding.moment(time.time())))
    visitor.go(address)

    def written() -> set[str]:
        sell(store, 1, pulse=True)
        return {stage for one in store.slices.find({"partition": -2, "run": RUN}) for stage in one["stages"]}

    wait_until(lambda: {"query", "shown"} <= written(), 30)
    for one in store.slices.find({"partition": -2}):
        assert set(one["stages"]) <= set(STAGES)
        assert all(us >= 0 for us in one["max_us"].values())


def test_the_pages_turn_without_a_reload_and_without_errors(visitor: Visitor, address: str, store) -> None:
    now = int(time.time())
    sell(store, 1)
    store.slices.insert_many(list(seeding.slice_seconds(RUN, now - 60, 50)))
    store.samples.insert_many([seeding.run_sample(RUN, second) for second in range(now - 60, now)])
    store.runs.insert_one(seeding.run_entry(RUN, now - 70, updated=seeding.moment(now)))
    store.dead.insert_one(seeding.dead_letter(1, run=RUN, at_s=now, reason=EVIL, payload=EVIL.encode()))
    visitor.go(address)
    visitor.turn_to("Operations")
    visitor.await_text("Where the time goes")
    visitor.await_text("Dead letters by reason")
    visitor.turn_to("Runs")
    visitor.await_text("End-to-End Latency Report")
    assert visitor.was_not_reloaded
    assert visitor.page.title() != "taken"
    assert not visitor.errors


def test_foreign_names_run_nothing(visitor: Visitor, address: str, store) -> None:
    sell(store, 2, product=EVIL)
    visitor.go(address)
    wait_until(lambda: visitor.metric("Orders") == "2", 30)
    assert visitor.page.title() != "taken"
    assert visitor.page.locator("img[src=x]").count() == 0
    assert not visitor.errors


def test_downloads_are_what_the_command_writes(
    visitor: Visitor, address: str, server: RealMongod, tmp_path: Path, store
) -> None:
    visitor.page.goto(address)
    visitor.turn_to("Runs")
    visitor.await_text("End-to-End Latency Report")
    source = Source.read(RunFolder.find(server.named_home.runs, RUN), server.home / "cache")
    for title, form, ending in (("JSON", "json", "json"), ("Markdown", "md", "md"), ("JUnit", "junit", "xml")):
        path = downloaded(visitor.page, title, tmp_path / f"report.{ending}")
        assert path.read_text("utf-8") == render(source, form), f"{title} differs from `latency report --format {form}`"
    json.loads((tmp_path / "report.json").read_bytes())
    ElementTree.parse(tmp_path / "report.xml")  # noqa: S314 - our own file
    page = downloaded(visitor.page, "HTML", tmp_path / "report.html")
    visitor.page.goto(page.as_uri())
    visitor.await_text("End-to-End Latency Report")
    assert not visitor.errors


def downloaded(page: Page, title: str, path: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=title, exact=True).click()
    assert download.value.suggested_filename.endswith(path.suffix)
    download.value.save_as(path)
    return path


def test_a_database_that_goes_away_is_told_and_found_again(
    visitor: Visitor, address: str, store, server: RealMongod
) -> None:
    sell(store, 5)
    visitor.go(address)
    wait_until(lambda: visitor.metric("Orders") == "5", 30)
    server.pause()
    try:
        visitor.await_text("tries again by itself")
        assert visitor.metric("Orders") == "5", "what was read before stays"
    finally:
        server.resume()
    visitor.page.get_by_text("tries again by itself").first.wait_for(state="detached")
    assert visitor.was_not_reloaded


@pytest.mark.parametrize("width", [400, 1400])
def test_nothing_is_wider_than_the_window(visitor: Visitor, address: str, store, width: int) -> None:
    sell(store, 3)
    visitor.page.set_viewport_size({"width": width, "height": 900})
    visitor.go(address)
    wide = visitor.page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= width


def test_foreign_hosts_and_origins_are_refused(address: str) -> None:
    where = urlsplit(address)
    assert opened_socket(where.port, where.netloc, address) == http.client.SWITCHING_PROTOCOLS
    assert opened_socket(where.port, "evil.example", address) == http.client.FORBIDDEN
    assert opened_socket(where.port, where.netloc, "http://evil.example") == http.client.FORBIDDEN


def opened_socket(port: int | None, host: str, origin: str) -> int:
    """The answer to who wants to open the page's WebSocket."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {
        "Host": host,
        "Origin": origin,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
    }
    try:
        line.request("GET", "/_stcore/stream", headers=headers)
        with line.getresponse() as answer:
            return answer.status
    finally:
        line.close()


def test_beyond_loopback_nothing_is_shown_without_a_login(chrome: Browser, server: RealMongod, store) -> None:
    sell(store, 9)
    with served(server, address="0.0.0.0") as address:  # noqa: S104 - what is tested
        page = chrome.new_page()
        page.goto(address)
        page.get_by_text("has no login, so it shows nothing").wait_for(timeout=60_000)
        assert page.get_by_test_id("stMetric").count() == 0
        page.close()
    with served(server, address="0.0.0.0", unprotected=True) as address:  # noqa: S104 - what is tested
        visitor = Visitor(chrome.new_page())
        visitor.go(address)
        visitor.page.close()
