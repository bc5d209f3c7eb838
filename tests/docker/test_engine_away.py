"""The engine goes away in the middle of a run: the run is closed with that reason, and the stack comes back with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from measure.figures import Status, Verdict
from stack import lifecycle
from stack.observe import status
from stack.settings import Settings
from tests.docker.conftest import Daemon
from tests.scenarios.driving import LENIENT, begin, scenario
from tests.stack.waiting import wait_for

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

TOLD: list[str] = []


@pytest.fixture
def fragile(contained: Settings) -> Iterator[Settings]:
    settings = contained.model_copy(update={"stack": "fragile"})
    try:
        lifecycle.up(settings, None, None, TOLD.append)
        yield settings
    finally:
        lifecycle.down(settings, purge=True, narrate=TOLD.append)


def test_a_run_in_progress_is_closed_as_invalid(fragile: Settings, daemon: Daemon | None, tmp_path: Path) -> None:
    if daemon is None:
        pytest.skip("the engine is not the tests' own, so it is not theirs to stop")
    tier = tmp_path / "tier.toml"
    tier.write_text(LENIENT)
    load = scenario(tmp_path, rate=100, seconds=120)
    live = begin(fragile, "run", load, "--stack", "fragile", "--sla", str(tier), "--json")
    folder = live.in_phase("load")
    live.sent(folder, 300)
    daemon.stop()
    try:
        code, document = live.document()
    finally:
        daemon.start()
    assert (code, document.verdict, document.status) == (4, Verdict.INVALID, Status.FINISHED)
    assert document.reasons[0].startswith("the container engine went away: no container engine answers at ")
    assert document.audit.lost is None  # nobody can tell
    wait_for(lambda: status(fragile).ready, "the stack is back with its engine", 240)
