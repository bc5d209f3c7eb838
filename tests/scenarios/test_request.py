"""From what is asked for to a run that could begin, and everything that is refused before anything is started."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from measure.errors import UsageError
from measure.stamp import RUN_ID
from scenarios.drawing import draw, in_words
from scenarios.request import RunRequest, new_run_id, prepare
from scenarios.schedule import SECOND_US, Change, count_of
from stack.places import Home

DIRTY = str(Path(__file__).parent / "data" / "dirty.toml")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_shipped_scenario_is_judged_by_its_tier_and_watched_by_the_reports_five_alerts(home: Home) -> None:
    prepared = prepare(RunRequest("peak"), home)
    assert prepared.tier is not None
    assert prepared.tier.name == "tier1"
    assert len(prepared.alerts) == 5
    assert prepared.warm_up_rate == 2000
    assert count_of(prepared.warm_up_spans(0)) == 120_000


def test_the_users_own_alerts_and_tiers_take_the_place_of_the_shipped_ones(home: Home) -> None:
    (home.root / "sla").mkdir()
    (home.root / "sla" / "alerts.toml").write_text('[[alert]]\nmetric = "lag"\nlimit = "< 5 s"\nabort = true\n')
    (home.root / "sla" / "mine.toml").write_text('[[sla]]\nmetric = "lag"\nlimit = "< 1 s"\n')
    prepared = prepare(RunRequest("smoke", sla="mine"), home)
    assert [rule.limit.value for rule in prepared.alerts] == [5]
    assert prepared.tier is not None
    assert prepared.tier.name == "mine"


def test_changes_of_the_load_change_the_warm_up_too(home: Home) -> None:
    assert prepare(RunRequest("peak", Change(rate=50)), home).warm_up_rate == 50
    assert prepare(RunRequest("burst", Change(scale=0.1)), home).warm_up_rate == 10


def test_a_replay_has_as_many_events_as_its_file_has_rows(home: Home) -> None:
    prepared = prepare(RunRequest(DIRTY), home)
    assert prepared.rows == count_of(prepared.spans) == 18
    assert prepared.spans[-1].end_us == 3 * SECOND_US
    assert prepared.warm_up_spans(0) == ()
    assert count_of(prepare(RunRequest(DIRTY, Change(duration_us=1_000_000)), home).spans) == 6
    assert count_of(prepare(RunRequest(DIRTY, Change(duration_us=60_000_000)), home).spans) == 18


@pytest.mark.parametrize("loop", ["false", "true"])
def test_a_replay_of_lines_that_lack_a_column_is_refused_before_the_run(home: Home, tmp_path: Path, loop: str) -> None:
    scenario = Path(DIRTY).read_text().replace("dirty.csv", "dirty.jsonl")
    scenario = scenario.replace("[source]", f"[source]\nloop = {loop}")
    if loop == "true":
        scenario = scenario.replace('for = "all"', 'for = "9s"')
    (tmp_path / "mine.toml").write_text(scenario)
    (tmp_path / "dirty.jsonl").write_text('{"Order": "A1", "Item": "mug"}\n' * 3)
    with pytest.raises(UsageError, match=r"source\.columns: expected column 'Kind' in .*dirty\.jsonl"):
        prepare(RunRequest(str(tmp_path / "mine.toml")), home)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (RunRequest("nix"), "there is no scenario 'nix'"),
        (RunRequest("peak", sla="tier9"), "there is no SLA tier 'tier9'"),
        (RunRequest("burst", Change(rate=100)), "burst has 2: use --scale"),
        (RunRequest("peak", Change(rate=0.001, duration_us=1)), None),
        (RunRequest("uci"), "expected the environment variable LATENCY_DATA"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(
    home: Home, monkeypatch: pytest.MonkeyPatch, request_: RunRequest, said: str | None
) -> None:
    monkeypatch.delenv("LATENCY_DATA", raising=False)
    if said is None:
        assert count_of(prepare(request_, home).spans) == 1  # an event is due at the very start of every load
        return
    with pytest.raises(UsageError, match=re.escape(said)):
        prepare(request_, home)


def test_an_empty_file_is_no_load(home: Home, tmp_path: Path) -> None:
    (tmp_path / "dirty.csv").write_text("Order,Item,Kind,Pieces,Price,When,Who\n")
    scenario = tmp_path / "empty.toml"
    scenario.write_text(Path(DIRTY).read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(UsageError, match="empty: expected at least one event, the load has none"):
        prepare(RunRequest(str(scenario)), home)


def test_a_runs_id_says_what_and_when_and_can_travel_in_a_header() -> None:
    run = new_run_id("peak", datetime(2026, 11, 24, 3, 42, 39, tzinfo=UTC))
    assert re.fullmatch(r"peak-20261124T034239Z-[0-9a-f]{4}", run)
    assert RUN_ID.match(f"{run}.w".encode())


@pytest.mark.parametrize("name", ["steady", "peak", "burst", "smoke"])
@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_drawn_schedule_keeps_its_width_and_reaches_its_highest_rate(home: Home, name: str, width: int) -> None:
    prepared = prepare(RunRequest(name), home)
    lines = draw(prepared.spans, width)
    assert max(map(len, lines)) <= width
    narrower_than_its_bursts = name == "burst" and width < 100
    if not narrower_than_its_bursts:
        assert "█" in lines[0]
    if name == "burst" and width == 200:
        assert lines[0].count("█  ") == 19


def test_a_drawn_schedule_is_said_in_words(home: Home) -> None:
    assert in_words(prepare(RunRequest("burst"), home).spans) == "3,060,000 events in 20m"
