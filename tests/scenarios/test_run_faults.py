"""What breaks under a run: it goes on, tells it, and still knows what became of every event."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from measure.figures import Verdict
from measure.records import RunSample
from stack import faults, lifecycle
from stack.settings import Settings
from tests.scenarios.driving import Live, scenario
from tests.stack.waiting import wait_for

pytestmark = pytest.mark.stack
Begin = Callable[..., Live]


def ready(settings: Settings) -> None:
    wait_for(lambda: lifecycle.status(settings).ready, "a stack that is ready again", 120)


@pytest.mark.parametrize(
    ("kind", "service", "for_s"), [("pause", "mongod", 4.0), ("kill", "mongod", 0.0), ("kill", "sink", 0.0)]
)
def test_a_run_survives(
    tmp_path: Path, begin: Begin, lenient: str, stack_settings: Settings, kind: str, service: str, for_s: float
) -> None:
    live = begin("run", scenario(tmp_path, rate=150, seconds=14), "--sla", lenient, "--json")
    folder = live.in_phase("load")
    live.sent(folder, 300)
    done = faults.inject(stack_settings, kind, service, for_s)
    assert done.acted
    code, document = live.document()
    ready(stack_settings)
    assert (code, document.verdict) == (0, Verdict.PASS), document.reasons
    audit = document.audit
    assert audit.closed
    assert audit.stored == audit.scheduled == 14 * 150
    begun, over = [mark for mark in folder.marks() if mark.kind == "fault"]
    assert (begun.fault, begun.service, begun.edge, begun.acted) == (kind, service, "begin", True)
    assert (over.edge, over.at_us) == ("end", done.ended_us)
    (recovery,) = document.recovery
    assert f"{kind} {service}" in recovery.cause
    seconds = [sample.second for sample in folder.samples() if isinstance(sample, RunSample)]
    assert all(later - earlier == 1 for earlier, later in pairwise(seconds))  # MongoDB's absence makes no second late
