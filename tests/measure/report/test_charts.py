"""The charts: valid Vega-Lite with the run's own figures, drawn by a real browser that has no network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from measure.records import MarkLine
from measure.report.charts import CHARTS, charts
from measure.report.html import chart_library, in_script, render
from measure.report.source import Source, settle
from tests.measure.synthetic import T0_US, Shape, make_run

SHAPE = Shape(
    rates=((100.0, 10.0), (1000.0, 10.0), (100.0, 15.0)),
    scenario="burst",
    per_slice=200,
    checkpoint_s=10,
    extra_marks=(
        MarkLine(T0_US + 12_000_000, "alert", "lag </script><script>alert(1)"),
        MarkLine(T0_US - 5, "phase", "w"),
    ),
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = make_run(tmp_path_factory.mktemp("runs"), "burst-1", SHAPE)
    settle(folder)
    return Source.read(folder, tmp_path_factory.mktemp("cache"))


def values(chart: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every row of data in a specification."""
    for rows in chart["datasets"].values():
        yield from rows


def test_all_are_drawn_and_hold_the_digests_points(source: Source) -> None:
    found = charts(source)
    assert list(found) == list(CHARTS)
    p95 = {row["at_s"]: row["value"] for row in values(found["percentiles"]) if row.get("series") == "P95"}
    assert p95 == {point.at_s: point.p95 for point in source.digest.points}


def test_marks_and_bursts_stand_where_they_happened_and_those_outside_the_load_do_not(source: Source) -> None:
    rows = list(values(charts(source)["percentiles"]))
    assert [(row["at_s"], row["to_s"]) for row in rows if "to_s" in row] == [(10, 20)]
    assert sorted({row["at_s"] for row in rows if row.get("kind") == "checkpoint"}) == [0, 10, 20, 30]
    assert [row["at_s"] for row in rows if row.get("kind") == "alert"] == [12]
    assert all(row["at_s"] >= 0 for row in rows if "kind" in row)


def test_a_pause_breaks_the_line(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "r-1", Shape(rates=((100.0, 3.0), (0.0, 4.0), (100.0, 3.0)), per_slice=20))
    rows = [row for row in values(charts(Source.read(folder))["percentiles"]) if row.get("series") == "P50"]
    assert [row["at_s"] for row in rows if row["value"] is None] == [3]


def test_a_run_without_events_has_no_charts(tmp_path: Path) -> None:
    assert charts(Source.read(make_run(tmp_path, "r-1", Shape(rates=())))) == {}


def test_nothing_in_the_data_can_end_its_script() -> None:
    shown = in_script({"x": "</script><!--&'\"\u2028"})
    assert not set("<>&") & set(shown)


def test_the_library_is_made_once(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    made = chart_library(cache)
    (kept,) = cache.iterdir()
    kept.write_text("kept", "utf-8")
    assert chart_library(cache) == "kept"
    assert "</script" not in made
    assert "vegaEmbed" in made


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_without_network_draws_every_chart(source: Source, tmp_path: Path, scheme: Any) -> None:
    from playwright.sync_api import sync_playwright

    path = tmp_path / "report.html"
    path.write_text(render(source), "utf-8")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shown = browser.new_page(color_scheme=scheme, offline=True)
        asked: list[str] = []
        wrong: list[str] = []
        shown.on("request", lambda request: asked.append(request.url))
        shown.on("pageerror", lambda error: wrong.append(str(error)))
        shown.on("console", lambda said: wrong.append(said.text))
        shown.goto(path.as_uri())
        drawn = f"document.querySelectorAll('.chart svg.marks').length === {len(CHARTS)}"
        shown.wait_for_function(drawn, timeout=60_000)
        wide = shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        browser.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert wrong == []
    assert wide
