"""A pid's processes are told apart, whatever the clock does."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from measure.birth import birth


def test_each_process_has_a_mark_of_its_own() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        mark = birth(child.pid)
        assert mark == birth(child.pid) != birth(os.getpid())
        child.kill()
    with pytest.raises(psutil.NoSuchProcess):
        birth(child.pid)


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere the start time does not move with the clock")
def test_a_clock_that_is_set_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    mark = birth(os.getpid())
    monkeypatch.setattr(psutil, "boot_time", lambda: 0.0)
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: 0.0)
    assert birth(os.getpid()) == mark
