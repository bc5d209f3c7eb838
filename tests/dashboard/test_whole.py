"""The dashboard that came up with the stack, looked at while a real load goes through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from measure.folder import RunFolder
from stack import lifecycle
from stack.access import Access, Role
from stack.settings import Settings
from tests.dashboard.serving import Visitor, browser, chromium, wait_until
from tests.scenarios.driving import Live, begin, scenario

pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium: `apt install chromium`"),
]


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    with browser() as chrome:
        page = chrome.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(120_000)
        yield Visitor(page)


@pytest.fixture
def load(stack_settings: Settings) -> Iterator[Callable[..., Live]]:
    """The command, ended at the end."""
    started: list[Live] = []

    def begun(*arguments: str) -> Live:
        started.append(begin(stack_settings, *arguments))
        return started[-1]

    yield begun
    for live in started:
        if live.child.poll() is None:
            live.child.terminate()
        live.child.communicate(timeout=120)


def test_a_run_is_seen_live_and_its_figures_are_the_databases(
    visitor: Visitor, load: Callable[..., Live], stack_access: Access, tmp_path: Path
) -> None:
    assert stack_access.endpoints.dashboard is not None
    live = load("run", scenario(tmp_path, rate=200, seconds=40), "--json")
    folder = live.in_phase("load")
    visitor.go(stack_access.endpoints.dashboard)
    visitor.choose("Traffic", folder.run)
    wait_until(lambda: visitor.metric("Orders") not in ("", "0"), 60)
    first = visitor.metric("Orders")
    wait_until(lambda: visitor.metric("Orders") != first, 60)
    seen_in_operations(visitor, folder)
    visitor.turn_to("Business")
    visitor.choose("Traffic", folder.run)
    _, document = live.document()
    orders, revenue = sold(stack_access, folder.run)
    wait_until(lambda: visitor.metric("Orders") == f"{orders:,}", 60)
    assert visitor.metric("Revenue") == f"£{revenue / 1e6:,.0f}"
    assert visitor.was_not_reloaded
    assert not visitor.errors
    assert document.latency_ms["query"].n > 0
    assert document.latency_ms["shown"].n > 0, "a run with a viewer has a latency to the eye"


def seen_in_operations(visitor: Visitor, folder: RunFolder) -> None:
    visitor.turn_to("Operations")
    wait_until(lambda: visitor.chosen("Run") == f"{folder.run} (in progress)", 60)
    wait_until(lambda: visitor.metric("e2e P50").endswith("ms"), 60)
    visitor.await_text("Resources of all services")


def sold(access: Access, run: str) -> tuple[int, int]:
    with MongoClient(access.mongo_uri(Role.RUN)) as client:
        found = list(client[access.names.database].windows.find({"run": run, "event_type": "purchase"}))
    return sum(one["orders"] for one in found), sum(one["revenue_micros"] for one in found)


def test_the_service_is_one_of_the_stack(stack_settings: Settings) -> None:
    (service,) = [one for one in lifecycle.status(stack_settings).services if one.name == "dashboard"]
    assert service.state == "ready"
