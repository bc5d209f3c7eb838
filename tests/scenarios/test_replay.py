"""Replays: the rows of a file as events, whatever its format, and what the map itself knows to be bad."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from measure.schedule import Schedule, Span
from scenarios import catalog
from scenarios.agenda import OwnAgenda
from scenarios.draft import Draft
from scenarios.errors import ScenarioError, SourceError
from scenarios.model import ReplaySource
from scenarios.orders import Load, source_table
from scenarios.producer import agenda_of
from scenarios.replay import Replay, input_path
from scenarios.schedule import SECOND_US, Change, count_of, own_timed

DATA = Path(__file__).parent / "data"
FILE = DATA / "dirty.csv"


def source(**changes: Any) -> ReplaySource:
    found = catalog.load(str(DATA / "dirty.toml")).source
    assert isinstance(found, ReplaySource)
    return found.model_copy(update=changes)


def rows() -> list[dict[str, str]]:
    with FILE.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def values(path: Path, **changes: Any) -> list[dict[str, Any]]:
    return [json.loads(draft.value(b"e", b"never")) for draft in Replay(path, source(**changes))]


def test_rows_become_events_through_the_map() -> None:
    found = values(FILE)
    assert len(found) == len(rows()) == Replay(FILE, source()).count()
    assert found[0] == {
        "event_id": "e",
        "event_type": "purchase",
        "user_id": "ann",
        "session_id": "A1001",
        "product_id": "mug",
        "price": 4.25,
        "quantity": 2,
        "currency": "EUR",
        "event_time": "2024-03-01T10:00:05.000000Z",
    }
    assert found[2]["user_id"] == "guest:A1002"
    assert found[2]["product_id"] == "bowl, large"
    assert found[4]["event_type"] == "cancellation"
    assert found[12]["event_time"] == "yesterday"


def test_the_map_knows_which_rows_the_job_must_refuse() -> None:
    bad = {row["Order"] for row, draft in zip(rows(), Replay(FILE, source()), strict=True) if draft.expect_dead}
    assert bad == {"C1001", "A1004", "A1007", "A1008", "A1009", "A1010", "A1011", "A1013", "A1015", ""}


def test_a_price_is_sent_as_it_stands_in_the_file() -> None:
    bodies = [draft.body for draft in Replay(FILE, source())]
    assert b'"price":0.10,' in bodies[2]
    assert b'"price":12345.678901,' in bodies[15]


def test_every_format_gives_the_same_events(tmp_path: Path) -> None:
    lines = tmp_path / "a.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
    zipped = tmp_path / "a.csv.gz"
    zipped.write_bytes(gzip.compress(FILE.read_bytes()))
    table = tmp_path / "a.parquet"
    parquet.write_table(pa.Table.from_pylist(rows()), table)
    for path in (lines, zipped, table):
        assert values(path) == values(FILE), path.name
        assert Replay(path, source()).count() == len(rows())


def test_producers_share_the_rows_without_gap_or_overlap() -> None:
    shares = [list(Replay(FILE, source(), producer, 3)) for producer in range(3)]
    merged = [shares[i % 3][i // 3] for i in range(len(rows()))]
    assert merged == list(Replay(FILE, source()))


def test_a_loop_starts_again() -> None:
    looped = iter(Replay(FILE, source(loop=True)))
    found = [next(looped) for _ in range(2 * len(rows()) + 1)]
    assert found[len(rows())] == found[0] == found[-1]


@pytest.mark.parametrize(
    ("header", "said"),
    [("Order,Item\n", r"source\.columns: expected column 'Kind' in .*a\.csv, found Item, Order"), ("", "'Item'")],
)
def test_a_column_that_is_not_there_is_named(tmp_path: Path, header: str, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(header, encoding="utf-8")
    with pytest.raises(SourceError, match=said):
        list(Replay(path, source()))


def test_a_column_that_no_line_has_is_named_at_the_files_end_and_one_that_some_lack_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [{**row, "Who": "ann"} for row in rows()]
    del lines[0]["Who"]
    path.write_text("".join(json.dumps(row) + "\n" for row in lines), encoding="utf-8")
    assert Replay(path, source()).count() == len(lines)
    path.write_text(path.read_text("utf-8").replace('"Price"', '"Prise"'), encoding="utf-8")
    with pytest.raises(SourceError, match=r"source\.columns: expected column 'Price' in .*a\.jsonl, found .*Prise"):
        Replay(path, source()).count()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", b"{broken\n"),
        ("a.jsonl", b"[1]\n"),
        ("a.parquet", b"no parquet"),
        ("a.csv.gz", b"\x1f\x8bno gzip"),
        ("a.csv.gz", gzip.compress(FILE.read_bytes(), mtime=0)[:10] + b"\xff" * 100),
        ("a.csv", b"Order,Item,Kind,Pieces,Price,When,Who\n" + b"a" * 200_000),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_with_its_name(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=name.replace(".", r"\.")):
        list(Replay(path, source()))


def test_a_format_that_the_name_does_not_tell_must_be_said(tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    path.write_bytes(FILE.read_bytes())
    with pytest.raises(SourceError, match=r"source\.format: expected csv, jsonl or parquet"):
        list(Replay(path, source()))
    assert values(path, format="csv") == values(FILE)


def test_the_file_is_looked_for_beside_the_scenario_and_by_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert input_path("dirty.csv", DATA) == FILE
    monkeypatch.setenv("SHOP_FILES", str(DATA))
    assert input_path("${SHOP_FILES}/dirty.csv", None) == FILE
    monkeypatch.delenv("SHOP_FILES")
    with pytest.raises(SourceError, match=r"expected the environment variable SHOP_FILES"):
        input_path("${SHOP_FILES}/dirty.csv", None)
    with pytest.raises(SourceError, match=r"expected a file to replay, there is none at .*no\.csv"):
        input_path("no.csv", tmp_path)


def timed(tmp_path: Path) -> tuple[Path, ReplaySource]:
    path = tmp_path / "a.csv"
    times = [0, 10, 10, 1_000, 7_500, 7_400, 9_999]
    body = "".join(f"A{n},mug,sale,1,1,{1_700_000_000_000 + ms},ann\n" for n, ms in enumerate(times))
    path.write_text("Order,Item,Kind,Pieces,Price,When,Who\n" + body, encoding="utf-8")
    when = source().columns.event_time.model_copy(update={"unit": "ms"})
    columns = source().columns.model_copy(update={"event_time": when})
    return path, source(timing="own", speed=2.0, columns=columns)


def test_own_timing_keeps_each_events_distance_sped_up(tmp_path: Path) -> None:
    path, own = timed(tmp_path)
    replay = Replay(path, own)
    first_us = next(replay.own_times_us())
    spans = own_timed(replay.own_times_us(), own, Change())
    start_us = 1_800_000_000 * 1_000_000
    moved = tuple(Span(s.start_us + start_us, s.end_us + start_us, s.rate, s.phase) for s in spans)
    agenda = OwnAgenda(moved, first_us, own.speed, iter(replay))
    dues = []
    while agenda.next_us is not None:
        dues.append(agenda.next_us - start_us)
        agenda.take()
    # Never before the row above it: the file's one step back in time is not replayed.
    assert dues == [0, 5_000, 5_000, 500_000, 3_750_000, 3_750_000, 4_999_500]
    assert count_of(spans) == len(dues)
    counted = Schedule(moved).due_in_second()
    assert counted == {1_800_000_000: 4, 1_800_000_003: 2, 1_800_000_004: 1}


cuts_us = st.one_of(st.none(), st.integers(1, 12_000).map(lambda ms: ms * 1_000))


@given(st.lists(st.integers(0, 10 * SECOND_US), min_size=1, max_size=60), cuts_us, st.integers(1, 3))
def test_producers_send_what_the_spans_of_own_timing_count_wherever_they_are_cut(
    times_us: list[int], cut_us: int | None, producers: int
) -> None:
    times_us = [0, *sorted(times_us)]  # the first of them at the start of the epoch, which is a time like any other
    spans = own_timed(times_us, source(timing="own"), Change(duration_us=cut_us))
    wanted = [at_us for at_us in times_us if cut_us is None or at_us < cut_us]
    assert count_of(spans) == len(wanted)
    assert spans[-1].end_us <= (cut_us or 11 * SECOND_US)
    schedule, sent = Schedule(spans, producers), []
    for producer in range(producers):
        drafts = [Draft(None, b"", at_us=at_us) for at_us in times_us[producer::producers]]
        agenda = OwnAgenda(spans, 0, 1.0, iter(drafts))
        while agenda.next_us is not None:
            sent.append(agenda.next_us)
            agenda.take()
        assert agenda.next_seq == schedule.count_of(producer)
    assert sorted(sent) == wanted


def test_a_file_that_begins_with_the_epoch_keeps_its_own_timing(tmp_path: Path) -> None:
    own = source(timing="own", file=str(FILE))
    load = Load("r", [], str(tmp_path / "s"), source_table(own), 0, 0, 1, first_us=0)
    assert isinstance(agenda_of(load), OwnAgenda)


def test_a_time_far_from_the_first_is_refused_before_the_run() -> None:
    own = source(timing="own")
    with pytest.raises(ScenarioError, match=r"dirty\.csv: expected events due within 7 days at speed 1, found one"):
        own_timed([0, 250_000_000_000 * SECOND_US], own, Change())
    assert count_of(own_timed([0, 250_000_000_000 * SECOND_US], own, Change(duration_us=SECOND_US))) == 1


odd_cells = st.one_of(
    st.text(max_size=30),
    st.integers().map(str),
    st.decimals(allow_nan=False).map(str),
    st.datetimes().map(lambda when: when.isoformat()),
    st.sampled_from(["9" * 20, "9" * 5_000, "1661724000000", "1e300", "inf", "0001-01-01T00:00:00+14:00"]),
)


@given(st.fixed_dictionaries({name: odd_cells for name in rows()[0]}), st.sampled_from(["s", "ms", "us", None]))
def test_no_cell_however_odd_keeps_a_row_from_becoming_an_event(row: dict[str, str], unit: str | None) -> None:
    columns = source().columns
    when = columns.event_time.model_copy(update={"unit": unit})
    draft = columns.model_copy(update={"event_time": when}).drafter()(row)
    assert draft.value(b"e", b"never").startswith(b'{"event_id":"e",')


@pytest.mark.parametrize(
    ("unit", "cell"), [("s", "1661724000000"), ("ms", "-1e17"), (None, "9999-12-31T23:59:59-14:00")]
)
def test_a_time_that_no_date_can_have_is_no_time(unit: str | None, cell: str) -> None:
    when = source().columns.event_time.model_copy(update={"unit": unit})
    assert when.time_us(cell) is None
    draft = source().columns.model_copy(update={"event_time": when}).drafter()({**rows()[0], "When": cell})
    assert draft.expect_dead
    assert json.loads(draft.value(b"e", b"never"))["event_time"] == cell


def test_a_quantity_of_more_digits_than_an_int_of_json_is_sent_as_it_stands() -> None:
    draft = source().columns.drafter()({**rows()[0], "Pieces": "9" * 20})
    assert draft.expect_dead
    assert b'"quantity":99999999999999999999' in draft.body


def test_own_timing_is_scaled_and_cut_but_takes_no_rate(tmp_path: Path) -> None:
    path, own = timed(tmp_path)
    replay = Replay(path, own)
    assert count_of(own_timed(replay.own_times_us(), own, Change(duration_us=1_000_000))) == 4
    assert own_timed(replay.own_times_us(), own, Change(scale=10))[-1].end_us == 1_000_000
    with pytest.raises(ScenarioError, match="--rate"):
        own_timed(replay.own_times_us(), own, Change(rate=5))


def test_a_first_row_without_a_time_cannot_be_replayed_by_its_timing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Order,Item,Kind,Pieces,Price,When,Who\nA1,mug,sale,1,1,soon,ann\n", encoding="utf-8")
    with pytest.raises(SourceError, match="expected a time in the first row"):
        list(Replay(path, source(timing="own")).own_times_us())
