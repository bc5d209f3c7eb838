"""Each page as Streamlit runs it, on a real mongod: seeded, empty, gone and back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pymongo.database import Database
from streamlit.testing.v1 import AppTest

from dashboard import charts
from dashboard.rehearsal import rehearse
from dashboard.views import frame
from measure.stamp import FOREIGN_RUN
from stack.access import STACK_DIR_VARIABLE
from tests.dashboard import seeding
from tests.dashboard.database_fixture import RealMongod

RUN = "peak-20261124T100000Z-0a1b"
APP = Path(frame.__file__).parents[1] / "app.py"
EVIL = (
    "<script>alert(1)</script>",
    "**bold** :red[x] $a$ [link](http://example.org)",
    "\x1b[31mred\u202egnp\x00\x07",
    "x" * 100_000,
)

pytestmark = pytest.mark.filterwarnings("default")
"""Streamlit's test harness leaves warnings of its own."""


@pytest.fixture
def open_page(server: RealMongod, store: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], AppTest]]:
    """A page of the app by name, with its first run done."""
    monkeypatch.setenv("LATENCY_HOME", str(server.home))
    monkeypatch.setenv(STACK_DIR_VARIABLE, str(server.folder.root))
    frame.shared_board.clear()

    def opened(name: str) -> AppTest:
        script = f"from dashboard.views import {name}\n{name}.page()"
        return AppTest.from_string(script, default_timeout=30).run()

    yield opened
    frame.shared_board().close()
    frame.shared_board.clear()


def texts(page: AppTest) -> str:
    shown = [*page.markdown, *page.caption, *page.info, *page.warning, *page.text, *page.code, *page.title]
    expanders = [element.label for element in page.expander]
    return "\n".join([*(str(element.value) for element in shown), *expanders])


def seed(store: Database[dict[str, object]], now: int) -> None:
    store.windows.insert_many(list(seeding.shop_minutes(RUN, now // 60 * 60 - 29 * 60, 30)))
    store.slices.insert_many(list(seeding.slice_seconds(RUN, now - 120, 115)))
    store.samples.insert_many([seeding.run_sample(RUN, second) for second in range(now - 120, now)])
    store.samples.insert_many([seeding.sink_sample(second) for second in range(now - 120, now)])
    store.runs.insert_one(seeding.run_entry(RUN, now - 130, updated=seeding.moment(now)))
    store.marks.insert_one(
        {
            "_id": f"{RUN}|1",
            "run": RUN,
            "at_us": (now - 60) * 1_000_000,
            "kind": "burst",
            "text": "5,000/s for 30 s",
            "updated": seeding.moment(now),
        }
    )
    store.dead.insert_many(
        [
            seeding.dead_letter(number, run=RUN, at_s=now - number, reason=reason, payload=payload)
            for number, (reason, payload) in enumerate(
                [("price: negative", b'{"price": -1}'), ("value: not UTF-8", b"\xff\xfe\x1b[31m")] * 15
            )
        ]
    )


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def test_the_business_page_shows_what_the_database_holds(open_page, store) -> None:
    seed(store, int(time.time()))
    page = open_page("business")
    assert not page.exception
    sold = list(store.windows.find({"event_type": "purchase"}))
    revenue = sum(one["revenue_micros"] for one in sold) / 1e6
    shown = metrics(page)
    assert shown["Revenue"].replace("\\", "") == f"£{revenue:,.0f}"
    assert shown["Orders"].replace("\\", "") == f"{sum(one['orders'] for one in sold):,}"
    assert "Data as of" in texts(page)
    assert not re.search(r":\d+:", texts(page)), "what looks like an emoji's name makes the browser fetch them all"


def test_the_operations_page_shows_what_was_measured(open_page, store) -> None:
    now = int(time.time())
    seed(store, now)
    page = open_page("operations")
    assert not page.exception
    assert page.selectbox(key="operations_run").value == RUN
    shown = metrics(page)
    assert shown["e2e P95"].replace("\\", "").endswith("ms")
    assert "5,000/s for 30 s" in texts(page).replace("\\", "")
    assert "price: negative" in texts(page).replace("\\", "")


def test_letters_are_paged_and_searched(open_page, store) -> None:
    seed(store, int(time.time()))
    page = open_page("operations")
    assert len(page.expander) == 20
    page.button(key="errors_older").click().run()
    assert len(page.expander) == 10
    page.button(key="errors_newer").click().run()
    page.text_input(key="errors_search").set_value("UTF-8").run()
    assert len(page.expander) == 15
    assert not page.exception


def test_the_runs_page_says_how_to_make_the_first_run(open_page) -> None:
    page = open_page("runs")
    assert not page.exception
    assert "latency run smoke" in texts(page)


@pytest.mark.parametrize("name", ["business", "operations"])
def test_an_empty_database_is_said_to_be_empty(open_page, name: str) -> None:
    page = open_page(name)
    assert not page.exception
    assert "latency run smoke" in texts(page)


def test_a_fixed_range_that_is_reversed_is_explained(open_page, store) -> None:
    seed(store, int(time.time()))
    page = open_page("business")
    page.segmented_control(key="business_range").set_value("From … to").run()
    page.session_state["business_from"], page.session_state["business_to"] = (
        page.session_state["business_to"],
        page.session_state["business_from"],
    )
    page.run()
    assert not page.exception
    assert "Choose a start" in texts(page)


@pytest.mark.parametrize("name", ["business", "operations"])
def test_a_database_that_goes_away_is_told_and_found_again(open_page, store, server: RealMongod, name: str) -> None:
    seed(store, int(time.time()))
    page = open_page(name)
    before = metrics(page)
    server.stop()
    try:
        deadline = time.monotonic() + 30
        while "tries again by itself" not in texts(page):
            assert time.monotonic() < deadline, texts(page)
            page.run()
        assert not page.exception
        assert metrics(page).keys() == before.keys(), "what was read before stays on the page"
    finally:
        server.start()
    deadline = time.monotonic() + 30
    while "tries again by itself" in texts(page):
        assert time.monotonic() < deadline
        page.run()
    assert not page.exception


def test_foreign_names_are_shown_as_text(open_page, store) -> None:
    now = int(time.time())
    products = [{"id": name, "n": 1, "revenue_micros": 1_000_000} for name in EVIL]
    store.windows.insert_one(
        seeding.window(
            RUN, now // 60 * 60, "purchase", 4, revenue_micros=4_000_000, products=products, categories=products
        )
    )
    store.dead.insert_many(
        [seeding.dead_letter(n, at_s=now, reason=name, payload=name.encode()) for n, name in enumerate(EVIL)]
    )
    for page in (open_page("business"), open_page("operations")):
        assert not page.exception
        for element in (*page.markdown, *page.caption):
            assert not element.allow_html
            assert ":red[" not in str(element.value)
        for element in page.expander:
            assert len(element.label) < 1_000
            assert "\x1b" not in element.label
            assert "\\<script\\>" in element.label or "<script" not in element.label


def test_events_without_a_run_can_be_looked_at(open_page, store) -> None:
    now = int(time.time())
    store.slices.insert_many(list(seeding.slice_seconds(FOREIGN_RUN, now - 60, 50)))
    page = open_page("operations")
    assert page.selectbox(key="operations_run").value == FOREIGN_RUN
    assert metrics(page)["e2e P50"] != "–"


def test_a_rehearsal_draws_every_chart_of_the_first_page() -> None:
    charts.level.cache_clear()
    charts.ranking.cache_clear()
    rehearse()
    assert (charts.level.cache_info().currsize, charts.ranking.cache_info().currsize) == (4, 2)
