"""One run in every format: the figures are the same, and no name is ever taken for markup."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from xml.etree import ElementTree as Xml

import pytest

from measure.document import from_json
from measure.figures import RunDocument
from measure.records import MarkLine
from measure.report.formats import FORMATS, render
from measure.report.html import to_html
from measure.report.judgement import AUDIT_WORDS
from measure.report.page import page
from measure.report.percentile import percentile
from measure.report.source import Source, settle
from measure.report.wording import count
from tests.measure.synthetic import T0_US, Shape, make_run

NASTY = "smo<ke>|`x`&amp;\x1b[31m\u202e*y*"
"""A scenario's name that every format would stumble over."""

BURST = Shape(
    rates=((1000.0, 15.0), (100.0, 10.0)),
    scenario="burst",
    lost=2,
    per_slice=300,
    extra_marks=(MarkLine(T0_US + 2_000_000, "fault", "kill <b>sink</b> | [x](y)", fault="kill", service="sink"),),
)
HOSTILE = Shape(
    rates=((200.0, 6.0),),
    scenario=NASTY,
    per_slice=50,
    versions={"kaf<script>alert(1)</script>ka": "4|3\n# `1` </script>"},
    services=("ka<b>fka", "si|nk"),
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    runs = tmp_path_factory.mktemp("runs")
    shapes = {"burst": BURST, "hostile": HOSTILE, "empty": Shape(rates=(), scenario="empty")}
    found = {}
    for name, shape in shapes.items():
        folder = make_run(runs, f"{name}-1", shape)
        settle(folder)
        found[name] = Source.read(folder)
    return found


Rows = dict[str, list[str]]
"""First cell of a row (`Stage` for latencies) → the row's cells."""


@dataclass
class Told:
    """What a format says of a run, as its reader finds it."""

    latency: Rows
    audit: Rows
    sla: Rows


class Tables(HTMLParser):
    """Every table of a page by its id, as rows of texts."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: set[str] = set()
        self._rows: list[list[str]] = []
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "table":
            self._rows = self.tables[(dict(attrs).get("id") or "").removeprefix("table-")] = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self._rows[-1][-1] += data


def by(rows: list[list[str]], column: str) -> Rows:
    """Rows below the titles, by the cell in `column`."""
    titles, *rest = rows
    return {row[titles.index(column)]: row for row in rest}


def told_by_html(text: str) -> Told:
    found = Tables()
    found.feed(text)
    tables = found.tables
    return Told(by(tables["latency"], "Stage"), by(tables["audit"], "Class"), by(tables["sla"], "SLA"))


def told_by_markdown(text: str) -> Told:
    tables: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if not line.startswith("| "):
            if tables[-1] and not line.startswith("|-"):
                tables.append([])
            continue
        cells = line.strip("|").split(" | ")
        tables[-1].append([cell.strip().removeprefix("**").removesuffix("**").replace("\\", "") for cell in cells])
    named = {rows[0][0]: rows for rows in tables if rows}
    latency = next(rows for rows in tables if rows and "Reference P50 / P95 / P99" in rows[0])
    return Told(by(latency, "Stage"), by(named["Class"], "Class"), by(named["SLA"], "SLA"))


def test_all_formats_carry_the_same_figures(sources: dict[str, Source]) -> None:
    source = sources["burst"]
    document = from_json(render(source, "json"))
    told = {"html": told_by_html(render(source, "html")), "md": told_by_markdown(render(source, "md"))}
    for name, found in told.items():
        for stage, held in document.latency_ms.items():
            figures = [percentile(held, p) for p in ("p50", "p95", "p99", "p999", "max")]
            assert found.latency[stage][2:8] == [*figures, count(held.n)], (name, stage)
        for class_, _ in AUDIT_WORDS:
            assert found.audit[class_][1] == count(getattr(document.audit, class_)), (name, class_)
        assert list(found.sla) == [row.name for row in document.sla]
    assert told["html"] == told["md"]
    _same_in_junit(document, told["md"], render(source, "junit"))
    _same_in_text(document, told["md"], render(source, "text"))
    _same_in_csv_and_hgrm(document, render(source, "csv"), render(source, "hgrm"))


def _same_in_junit(document: RunDocument, told: Told, text: str) -> None:
    suite = Xml.fromstring(text)[0]  # noqa: S314 - our own
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert list(cases) == [*told.sla, "every event accounted for", "verdict"]
    for row in document.sla:
        _, limit, measured, _, n, verdict, _ = told.sla[row.name]
        said = cases[row.name].findtext("system-out") or ""
        assert f"measured {measured}, limit {limit}, n {n}" in said
        assert {child.tag for child in cases[row.name]} - {"system-out"} == {
            "pass": set(),
            "FAIL": {"failure"},
            "n/a": {"skipped"},
        }[verdict]
    assert cases["every event accounted for"].find("failure") is not None
    assert (suite.get("failures"), suite.get("tests")) == (
        str(sum(case.find("failure") is not None for case in cases.values())),
        str(len(cases)),
    )


def _same_in_text(document: RunDocument, told: Told, text: str) -> None:
    for stage in document.latency_ms:
        (line,) = [line for line in text.splitlines() if line.startswith(f"{stage} ")]
        p50, p95, p99, _, most, n = told.latency[stage][2:8]
        assert [cell in line.split() for cell in (p50, p95, p99, most, n)] == [True] * 5, line


def _same_in_csv_and_hgrm(document: RunDocument, text: str, hgrm: str) -> None:
    rows = list(csv.DictReader(io.StringIO(text)))
    for stage, held in document.latency_ms.items():
        of_stage = [row for row in rows if row["stage"] == stage]
        assert sum(int(row["n"]) for row in of_stage) == held.n
        assert max(float(row["max"]) for row in of_stage if row["max"]) == held.max
        block = hgrm.split(f"#[Stage {stage}:")[1].split("#[Stage ")[0]
        assert f"Total count    = {held.n - held.infinite:12d}" in block


@pytest.mark.parametrize("form", FORMATS)
def test_a_run_without_events_says_so(sources: dict[str, Source], form: str) -> None:
    text = render(sources["empty"], form)
    if form in ("text", "md", "html"):
        assert "This run has no events" in text
        assert not re.search(r"(?<![\d,.])0(\.0+)? ms", text)
    elif form == "junit":
        assert "no event of the load was due" in text
    elif form == "json":
        assert json.loads(text)["latency_ms"] == {}
    else:
        assert len(text.splitlines()) == 1


@pytest.mark.parametrize("form", FORMATS)
def test_no_control_sequence_gets_out(sources: dict[str, Source], form: str) -> None:
    text = render(sources["hostile"], form)
    assert "\x1b" not in text
    assert form == "json" or "\u202e" not in text


def test_names_are_text_in_html(sources: dict[str, Source]) -> None:
    source = sources["hostile"]
    text = to_html(page(source), {}, "")
    found = Tables()
    found.feed(text)
    assert "script" not in found.tags
    assert "ke" not in found.tags
    assert "b" not in found.tags
    assert "smo&lt;ke&gt;|`x`&amp;amp;" in text
    drawn = render(source, "html")
    assert "alert(1)</script>" not in drawn
    assert drawn.count("<script>alert") == 0


def test_names_are_text_in_markdown(sources: dict[str, Source]) -> None:
    lines = render(sources["hostile"], "md").splitlines()
    assert lines[0] == r"# End-to-End Latency Report: smo\<ke\>\|\`x\`\&amp;\*y\*"
    for at, line in enumerate(lines):
        if line.startswith("|") and set(line) <= set("|-: "):
            columns = line.count("|")
            for row in lines[at + 1 :]:
                if not row.startswith("|"):
                    break
                assert row.replace("\\|", "").count("|") == columns, row


def test_names_are_text_in_junit(sources: dict[str, Source]) -> None:
    suite = Xml.fromstring(render(sources["hostile"], "junit"))[0]  # noqa: S314 - our own
    assert suite.get("name") == "latency smo<ke>|`x`&amp;*y* tier1"
