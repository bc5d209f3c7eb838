"""What an alert does: a real command, a real webhook, and failures that are told."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from measure.alerts import AlertEvent
from measure.limits import Action, AlertRule, Limit
from scenarios.alarm import Alarm


def event(edge: str, *actions: Action) -> AlertEvent:
    rule = AlertRule(name="lag", metric="lag", limit=Limit("<=", 60, "s"), actions=list(actions))
    return AlertEvent(rule, edge, 1_700_000_000_000_000, 61.5)


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    posted: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted.append({"type": self.headers["Content-Type"], **json.loads(body)})
            self.send_response(204 if self.path == "/ok" else 500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", posted
    server.shutdown()
    server.server_close()
    thread.join()


def ring(*events: AlertEvent) -> list[str]:
    trouble: list[str] = []
    alarm = Alarm("mine-1", trouble.append)
    for each in events:
        alarm.ring(each)
    alarm.close()
    return trouble


def test_a_command_gets_the_alert_on_stdin_and_in_its_environment(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    program = (
        "import os, sys, json, pathlib;"
        "pathlib.Path(sys.argv[1]).write_text(json.dumps([json.load(sys.stdin), os.environ['LATENCY_ALERT_EDGE']]))"
    )
    assert ring(event("raise", Action(command=[sys.executable, "-c", program, str(told)]))) == []
    alert, edge = json.loads(told.read_text())
    assert edge == "raise"
    assert alert == {
        "run": "mine-1",
        "alert": "lag",
        "edge": "raise",
        "at_us": 1_700_000_000_000_000,
        "value": 61.5,
        "limit": "<= 60 s",
        "text": "lag: 61.5 s, limit <= 60 s",
    }


def test_a_webhook_is_posted_to_on_the_edges_that_it_wants(hook: tuple[str, list[dict[str, Any]]]) -> None:
    address, posted = hook
    both, end = Action(webhook=f"{address}/ok"), Action(webhook=f"{address}/ok", on=("resolve",))
    assert ring(event("raise", both, end), event("resolve", both, end)) == []
    assert sorted(each["edge"] for each in posted) == ["raise", "resolve", "resolve"]
    assert {each["type"] for each in posted} == {"application/json"}


def test_an_action_that_fails_is_told_and_ends_nothing(hook: tuple[str, list[dict[str, Any]]]) -> None:
    address, _ = hook
    actions = (
        Action(webhook=f"{address}/broken"),
        Action(command=["/no/such/program"]),
        Action(command=[sys.executable, "-c", "raise SystemExit(3)"]),
        Action(command=[sys.executable, "-c", "import time; time.sleep(60)"], timeout_s=0.5),
    )
    trouble = ring(event("raise", *actions))
    assert len(trouble) == 4
    assert all(line.startswith("alert lag: its action failed: ") for line in trouble)
    assert any("500" in line for line in trouble)
    assert any("/no/such/program" in line for line in trouble)
    assert any("exit status 3" in line for line in trouble)
    assert any("timed out" in line for line in trouble)
