"""What an alert does besides being told: it runs a command, or posts to a webhook."""

from __future__ import annotations

import os
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable

import msgspec

from measure.alerts import AlertEvent
from measure.limits import Action

_JOIN_S = 15.0


class Alarm:
    """Does the actions, each in a thread of its own, so that a slow one holds nothing up."""

    def __init__(self, run: str, trouble: Callable[[str], None]) -> None:
        self._run, self._trouble = run, trouble
        self._threads: list[threading.Thread] = []

    def ring(self, event: AlertEvent) -> None:
        """Begin what the rule of this event asks for."""
        for action in event.rule.actions:
            if event.edge in action.on:
                thread = threading.Thread(target=self._do, args=(action, event), name="alarm", daemon=True)
                self._threads.append(thread)
                thread.start()

    def close(self) -> None:
        """Wait for what is under way."""
        for thread in self._threads:
            thread.join(_JOIN_S)

    def _do(self, action: Action, event: AlertEvent) -> None:
        told = msgspec.json.encode(
            {
                "run": self._run,
                "alert": event.rule.name,
                "edge": event.edge,
                "at_us": event.at_us,
                "value": event.value,
                "limit": str(event.rule.limit),
                "text": event.text,
            }
        )
        try:
            if action.command:
                _run(action.command, action.timeout_s, told, event, self._run)
            elif action.webhook:
                _post(action.webhook, action.timeout_s, told)
        except (OSError, subprocess.SubprocessError, urllib.error.URLError, ValueError) as failed:
            self._trouble(f"alert {event.rule.name}: its action failed: {failed}")


def _run(command: list[str], timeout_s: float, told: bytes, event: AlertEvent, run: str) -> None:
    """The alert comes as JSON on stdin, and its main facts in the environment."""
    facts = {"LATENCY_RUN": run, "LATENCY_ALERT": event.rule.name, "LATENCY_ALERT_EDGE": event.edge}
    subprocess.run(  # noqa: S603 - the user's own command, from the user's own file, without a shell
        command, input=told, env={**os.environ, **facts}, timeout=timeout_s, check=True, stdout=subprocess.DEVNULL
    )


def _post(webhook: str, timeout_s: float, told: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(webhook, told, headers, method="POST")  # noqa: S310 - http(s), checked at load
    with urllib.request.urlopen(request, timeout=timeout_s):  # noqa: S310
        pass
