"""The dashboard as the stack starts it, and a real browser that looks at it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from playwright.sync_api import Browser, Page, sync_playwright

from stack.blueprint import Blueprint
from stack.service import NotYetError, Service
from stack.services.dashboard import dashboard
from stack.settings import Settings
from tests.dashboard.database_fixture import RealMongod, free_port

T = TypeVar("T")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
DEADLINE_MS = 60_000


def chromium() -> str | None:
    """The system's own browser."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def definition(server: RealMongod, port: int, **dashboard_settings: object) -> Service:
    settings = Settings(dashboard=dashboard_settings)
    return dashboard(Blueprint(server.named_home, server.folder, settings, {"dashboard": port}, server.access))


@contextmanager
def served(server: RealMongod, **dashboard_settings: object) -> Iterator[str]:
    """The address of pages over this database."""
    port = free_port()
    service = definition(server, port, **dashboard_settings)
    environment = {
        **os.environ,
        **service.environment,
        "LATENCY_HOME": str(server.home),
        "LATENCY_STACK_DIR": str(server.folder.root),
    }
    with (server.home / "dashboard.log").open("wb") as log:
        process = subprocess.Popen(service.command, env=environment, stdout=log, stderr=log, cwd=server.folder.root)
    try:
        wait_until(lambda: ready(service), 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ready(service: Service) -> bool:
    try:
        service.probe()
    except NotYetError:
        return False
    return True


def wait_until(holds: Callable[[], T | None], deadline_s: float, poll_s: float = 0.1) -> T:
    """The first true answer; an assertion after the deadline."""
    deadline = time.monotonic() + deadline_s
    while True:
        if answer := holds():
            return answer
        assert time.monotonic() < deadline, f"not within {deadline_s:g} s: the last answer was {answer!r}"
        time.sleep(poll_s)


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            yield started
        finally:
            started.close()


class Visitor:
    """One tab, and what its console said."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.set_default_timeout(DEADLINE_MS)
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def go(self, address: str) -> None:
        """Open the first page, and mark this very document."""
        self.page.goto(address)
        self.await_text("Data as of")
        self.page.evaluate("() => { window.stillTheSame = true }")

    def turn_to(self, title: str) -> None:
        """Another page, by the navigation."""
        self.page.get_by_role("link", name=title).click()

    def choose(self, label: str, option: str) -> None:
        """An option of a drop-down list."""
        box = self.page.get_by_role("combobox", name=label, exact=True)
        box.click()
        box.fill(option)
        self.page.get_by_role("option", name=option).first.click()

    def chosen(self, label: str) -> str:
        return self.page.get_by_role("combobox", name=label, exact=True).input_value()

    def await_text(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for()

    def metric(self, label: str) -> str:
        """The value of a tile."""
        tile = self.page.get_by_test_id("stMetric").filter(has_text=label)
        return tile.get_by_test_id("stMetricValue").inner_text().strip()

    def age_line(self) -> str:
        return self.page.get_by_text("Data as of").first.inner_text()

    @property
    def was_not_reloaded(self) -> bool:
        return bool(self.page.evaluate("() => window.stillTheSame === true"))
