"""How the console is opened: in a terminal, by Textual's server, and where neither is there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from console.app import console_on
from stack.settings import Settings
from tests.measure.synthetic import make_run

PROGRAM = "from console.main import main; main()"
WEB = "textual.drivers.web_driver:WebDriver"


HEADLESS = "textual.drivers.headless_driver:HeadlessDriver"


def console(*arguments: str, program: str = PROGRAM, **variables: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_without_a_terminal_it_says_what_to_do() -> None:
    out, err = console().communicate(timeout=30)
    assert out == b""
    assert b"the console wants a terminal" in err
    assert b"latency run" in err


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ('[console]\ntheme = "no-such"\n', b"console.theme: expected one of"),
        ('[console.keys]\nbrust = "z"\n', b"console.keys.brust: there is no such action"),
    ],
)
def test_a_wrong_configuration_is_an_error_at_start(own_place: Path, configuration: str, said: bytes) -> None:
    (own_place / "latency.toml").write_text(configuration)
    process = console(TEXTUAL_DRIVER=WEB)
    _, err = process.communicate(timeout=30)
    assert said in err
    assert process.returncode == 2


def test_an_empty_machine_opens_with_the_first_minute_and_another_one_does_not(own_place: Path) -> None:
    settings = Settings.load()
    assert console_on(settings, read_only=False).first
    make_run(settings.home.runs, "peak-1")
    assert not console_on(settings, read_only=False).first


def test_read_only_is_for_the_console_alone() -> None:
    process = console("--read-only", "status")
    _, err = process.communicate(timeout=30)
    assert b"--read-only is for the console" in err
    assert process.returncode == 2


CRASHING = """
from console.screens.first import FirstScreen
FirstScreen.begin = lambda self: 1 / 0
"""
LEFT_MIDWAY = """
import threading
from console.app import ConsoleApp
def begin(self):
    def endless(narrate):
        self.call_from_thread(self.exit)
        threading.Event().wait()
    self.operate("up", endless)
ConsoleApp._begin = begin
"""


@pytest.mark.parametrize(("change", "code"), [(CRASHING, 1), (LEFT_MIDWAY, 0)], ids=["crash", "left midway"])
def test_how_it_ends(change: str, code: int) -> None:
    """A crash is told by the exit code; an operation under way holds nobody up who leaves."""
    with console(program=change + PROGRAM, TEXTUAL_DRIVER=HEADLESS) as process:
        try:
            process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == code


def test_textuals_server_can_serve_it() -> None:
    """What `textual serve` starts for each browser: the same command, spoken to over pipes."""
    with console("--read-only", TEXTUAL_DRIVER=WEB, TEXTUAL_COLOR_SYSTEM="truecolor") as process:
        assert process.stdout is not None
        seen = b""
        until = time.monotonic() + 30
        while b"READ-ONLY" not in seen:
            assert time.monotonic() < until, seen[-2000:]
            seen += process.stdout.read1(65536)  # type: ignore[attr-defined]
        process.kill()
    assert seen.startswith(b"__GANGLION__\n")
