from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest

from measure.birth import birth
from measure.errors import NotReadyError
from stack import process
from stack.files import write_whole
from stack.places import StackFolder
from stack.process import ProcessRecord
from tests.stack.conftest import Launch, MakeService
from tests.stack.waiting import wait_for

SLEEP = "import time; print('up', flush=True); time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
PARENT = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); time.sleep(600)"


def logged(log: Path) -> bool:
    return log.exists() and "up" in log.read_text()


def test_a_service_is_found_again_by_its_record(folder: StackFolder, make_service: MakeService, launch: Launch) -> None:
    service = make_service(SLEEP)
    child = launch(service)
    found = process.find(folder, "one")
    assert found is not None
    assert (found.pid, found.digest) == (child.pid, service.digest)
    assert os.getsid(child.pid) == child.pid  # a Ctrl-C in the terminal does not reach it


def test_another_process_that_got_the_same_pid_is_not_the_service(folder: StackFolder) -> None:
    me = psutil.Process()
    stale = ProcessRecord(me.pid, "another", "one")
    write_whole(folder.pid("one"), msgspec.json.encode(stale))
    assert not stale.alive()
    assert process.find(folder, "one") is None
    assert not folder.pid("one").exists()
    process.stop(folder, "one", signal.SIGTERM, 1)  # and it is not killed


def test_a_damaged_record_is_no_record(folder: StackFolder) -> None:
    folder.pid("one").write_bytes(b'{"pid": ')
    assert process.read_record(folder.pid("one")) is None
    assert process.find(folder, "one") is None


def test_stop_takes_everything_that_the_service_started(
    folder: StackFolder, make_service: MakeService, launch: Launch
) -> None:
    service = make_service(PARENT)
    child = launch(service)
    wait_for(lambda: logged(service.log), "the grandchild")
    left = process.members(folder, "one")
    assert len(left) == 2
    process.stop(folder, "one", signal.SIGTERM, 5)
    child.wait(5)
    assert not psutil.wait_procs(left, timeout=5)[1]
    assert not folder.pid("one").exists()


@pytest.mark.parametrize("paused", [False, True])
def test_one_that_does_not_listen_is_killed(
    folder: StackFolder, make_service: MakeService, launch: Launch, paused: bool
) -> None:
    service = make_service(DEAF)
    child = launch(service)
    wait_for(lambda: logged(service.log), "its start")
    if paused:
        child.send_signal(signal.SIGSTOP)
    process.stop(folder, "one", signal.SIGTERM, 0.3)
    assert child.wait(5) == -signal.SIGKILL


def test_a_paused_one_is_stopped_cleanly(folder: StackFolder, make_service: MakeService, launch: Launch) -> None:
    service = make_service(SLEEP)
    child = launch(service)
    wait_for(lambda: logged(service.log), "its start")
    child.send_signal(signal.SIGSTOP)
    record = process.read_record(folder.pid("one"))
    assert record is not None
    wait_for(lambda: process.is_paused(record), "the pause")
    process.stop(folder, "one", signal.SIGTERM, 5)
    assert child.wait(5) == -signal.SIGTERM


def test_services_of_another_stack_are_not_touched(
    folder: StackFolder, make_service: MakeService, launch: Launch
) -> None:
    other = StackFolder(folder.root.with_name("other"))
    other.make()
    service = make_service(SLEEP)
    ours, theirs = launch(service), launch(service, other)
    try:
        process.stop(folder, "one", signal.SIGTERM, 5)
        ours.wait(5)
        assert theirs.poll() is None
    finally:
        process.kill_rest(other, "one")
        theirs.wait(5)


def test_what_would_put_another_spark_under_a_job_is_not_inherited(
    folder: StackFolder, make_service: MakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_HOME", "/elsewhere")
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Xmx1m")
    given = process.service_environment(make_service(SLEEP), folder)
    assert "SPARK_HOME" not in given
    assert "JAVA_TOOL_OPTIONS" not in given
    assert given["PYSPARK_PYTHON"] == sys.executable
    assert given["LATENCY_STACK_DIR"] == str(folder.root)


def test_a_program_that_cannot_be_run_is_named(folder: StackFolder, make_service: MakeService, launch: Launch) -> None:
    service = make_service(SLEEP, command=("/nowhere/mongod",))
    with pytest.raises(NotReadyError, match="cannot run /nowhere/mongod: No such file"):
        launch(service)


def test_start_times_tell_two_processes_apart() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        record = ProcessRecord(child.pid, birth(child.pid))
        assert record.alive()
    finally:
        child.kill()
    wait_for(lambda: not record.alive(), "a corpse does not count as alive", 5)
    child.wait()
