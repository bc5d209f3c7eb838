"""Real stacks of mongod alone, which are quick to start: what holds for one service's process holds for the others."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from measure.errors import NotReadyError, UsageError
from stack import lifecycle, process
from stack.access import Access, Role
from stack.places import Home, StackFolder
from stack.settings import Settings
from stack.state import ServiceState
from stack.supervision import ask, find_supervisor
from tests.stack.waiting import wait_for

LATENCY = Path(sys.executable).with_name("latency")
LoadSettings = Callable[..., Settings]


@pytest.fixture
def load(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoadSettings]:
    """Settings of stacks of mongod alone; every stack of this home is taken down at the end."""
    monkeypatch.setenv("LATENCY_SERVICES", '["mongod"]')
    yield Settings.load
    for root in home.stacks.glob("*"):
        lifecycle.down(Settings.load(root.name), purge=False, narrate=lambda _: None)


def up(settings: Settings) -> ServiceState:
    (service,) = lifecycle.up(settings, None, None, lambda _: None).services
    return service


def look(settings: Settings) -> ServiceState:
    (service,) = lifecycle.status(settings).services
    return service


def processes(folder: StackFolder) -> list[object]:
    return [*process.members(folder, "mongod"), *([find_supervisor(folder)] if find_supervisor(folder) else [])]


def kill_supervisor(folder: StackFolder) -> int:
    supervisor = find_supervisor(folder)
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    wait_for(lambda: not supervisor.alive(), "its end")
    return supervisor.pid


def test_up_twice_changes_nothing_and_down_leaves_nothing(load: LoadSettings) -> None:
    settings = load()
    first = up(settings)
    assert first.state == "ready"
    again = up(settings)
    assert (again.pid, again.restarts) == (first.pid, 0)
    lifecycle.down(settings, purge=False, narrate=lambda _: None)
    assert processes(settings.folder) == []
    state = lifecycle.status(settings)
    assert [service.state for service in state.services] == ["stopped"]
    assert state.endpoints is None
    assert not state.up
    with pytest.raises(NotReadyError, match="latency up"):
        Access.load(settings.folder.root)
    lifecycle.down(settings, purge=False, narrate=lambda _: None)  # and once more is fine


def test_a_stack_whose_supervisor_was_killed_is_adopted(load: LoadSettings) -> None:
    settings = load()
    before = up(settings)
    former = kill_supervisor(settings.folder)
    left = look(settings)
    assert (left.state, left.pid) == ("unsupervised", before.pid)
    assert up(settings).pid == before.pid
    supervisor = find_supervisor(settings.folder)
    assert supervisor is not None
    assert supervisor.pid != former
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)  # and it is kept alive again
    wait_for(lambda: look(settings).pid not in (None, before.pid), "a new mongod")
    wait_for(lambda: look(settings).state == "ready", "it is ready")


def test_down_ends_what_a_killed_supervisor_left(load: LoadSettings) -> None:
    settings = load()
    up(settings)
    kill_supervisor(settings.folder)
    lifecycle.down(settings, purge=False, narrate=lambda _: None)
    assert processes(settings.folder) == []


def test_a_supervisor_killed_with_its_service_leaves_a_stack_that_comes_up(load: LoadSettings) -> None:
    settings = load()
    before = up(settings)
    kill_supervisor(settings.folder)
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    after = up(settings)
    assert after.state == "ready"
    assert after.pid != before.pid


def test_data_outlives_down_and_not_purge_which_keeps_the_runs(load: LoadSettings, home: Home) -> None:
    settings = load()
    up(settings)
    with MongoClient[dict[str, object]](Access.load(settings.folder.root).mongo_uri(Role.RUN)) as client:
        client["latency"]["runs"].insert_one({"_id": "kept"})
    lifecycle.down(settings, purge=False, narrate=lambda _: None)
    up(settings)
    with MongoClient[dict[str, object]](Access.load(settings.folder.root).mongo_uri(Role.RUN)) as client:
        assert client["latency"]["runs"].find_one({"_id": "kept"}) is not None
    (home.runs / "steady-1").mkdir(parents=True)
    lifecycle.down(settings, purge=True, narrate=lambda _: None)
    assert not settings.folder.root.exists()
    assert (home.runs / "steady-1").is_dir()


def test_two_stacks_stand_side_by_side(load: LoadSettings) -> None:
    one, two = load("one"), load("two")
    first, second = up(one), up(two)
    assert first.ports["mongo"] != second.ports["mongo"]
    assert Access.load(one.folder.root).credentials.mongo != Access.load(two.folder.root).credentials.mongo
    lifecycle.down(one, purge=True, narrate=lambda _: None)
    assert look(two).state == "ready"
    assert look(two).pid == second.pid


def test_only_who_has_a_password_comes_in(load: LoadSettings) -> None:
    settings = load()
    up(settings)
    access = Access.load(settings.folder.root)
    host = access.endpoints.mongo
    with (
        MongoClient[dict[str, object]](f"mongodb://{host}/?directConnection=true") as stranger,
        pytest.raises(OperationFailure, match=r"requires authentication|not authorized"),
    ):
        stranger["latency"]["windows"].find_one()
    with (
        MongoClient[dict[str, object]](f"mongodb://run:guess@{host}/latency?directConnection=true") as guesser,
        pytest.raises(OperationFailure, match="Authentication failed"),
    ):
        guesser["latency"]["windows"].find_one()


def test_each_part_may_do_only_what_it_must(load: LoadSettings) -> None:
    settings = load()
    up(settings)
    access = Access.load(settings.folder.root)
    with MongoClient[dict[str, object]](access.mongo_uri(Role.DASHBOARD)) as dashboard:
        dashboard["latency"]["windows"].find_one()
        dashboard["latency"]["slices"].insert_one({"_id": "shown"})
        for forbidden in ("windows", "runs"):
            with pytest.raises(OperationFailure, match="not authorized"):
                dashboard["latency"][forbidden].insert_one({"_id": "x"})
    with (
        MongoClient[dict[str, object]](access.mongo_uri(Role.SINK)) as sink,
        pytest.raises(OperationFailure, match="not authorized"),
    ):
        sink["admin"]["system.users"].find_one()


def test_a_service_that_dies_at_its_start_is_named_with_its_last_words(load: LoadSettings) -> None:
    settings = load()
    data = settings.folder.data("mongod") / "data"
    settings.folder.make()
    data.mkdir(parents=True)
    (data / "storage.bson").write_bytes(b"\xff" * 64)
    with pytest.raises(NotReadyError) as refused:
        up(settings)
    first_line, *rest = str(refused.value).splitlines()
    assert first_line.startswith("mongod ")
    assert "Unable to read the storage engine metadata file" in first_line
    assert str(settings.folder.log("mongod")) in rest[0]
    assert processes(settings.folder) == []
    assert not settings.folder.endpoints.exists()


def test_data_of_other_credentials_is_told_from_a_broken_database(load: LoadSettings) -> None:
    settings = load()
    up(settings)
    lifecycle.down(settings, purge=False, narrate=lambda _: None)
    settings.folder.credentials.unlink()
    with pytest.raises(NotReadyError, match=r"other credentials .* `latency down --purge`"):
        up(settings)
    assert processes(settings.folder) == []


def test_a_changed_setting_restarts_the_service(load: LoadSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load()
    before = up(settings)
    monkeypatch.setenv("LATENCY_MONGO__CACHE_MB", "300")
    after = up(load())
    assert after.state == "ready"
    assert after.pid != before.pid


def test_restart_waits_until_it_is_ready_again(load: LoadSettings) -> None:
    settings = load()
    before = up(settings)
    (after,) = lifecycle.restart(settings, "mongod", lambda _: None).services
    assert after.state == "ready"
    assert after.pid != before.pid
    with pytest.raises(UsageError, match=r"no service 'mongo'; there are: mongod\."):
        lifecycle.restart(settings, "mongo", lambda _: None)


def test_restart_does_not_wait_for_what_is_stopped_on_purpose(
    load: LoadSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATENCY_SERVICES", '["mongod", "dashboard"]')
    settings = load()
    lifecycle.up(settings, None, None, lambda _: None)
    lifecycle.halt(settings, "dashboard")
    after = {each.name: each.state for each in lifecycle.restart(settings, "mongod", lambda _: None).services}
    assert after == {"mongod": "ready", "dashboard": "stopped"}


def test_a_second_up_at_the_same_time_is_refused(load: LoadSettings) -> None:
    settings = load()
    with lifecycle._changing(settings.folder), pytest.raises(NotReadyError, match="at work on stack default"):  # noqa: SLF001
        up(settings)


def test_a_stack_that_is_down_says_so(load: LoadSettings) -> None:
    with pytest.raises(NotReadyError, match="`latency up`"):
        ask(load().folder, {"do": "status"})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_up_leaves_nothing(load: LoadSettings, number: signal.Signals) -> None:
    folder = load().folder
    command = subprocess.Popen([LATENCY, "up"], stderr=subprocess.PIPE, text=True)
    assert command.stderr is not None
    with command.stderr:
        wait_for(lambda: processes(folder), "its first process")
        command.send_signal(number)
        assert command.wait(30) == 130, command.stderr.read()
    assert processes(folder) == []
    assert not folder.endpoints.exists()


def test_an_up_whose_terminal_is_closed_leaves_nothing(load: LoadSettings) -> None:
    folder = load().folder
    screen, terminal = os.openpty()
    try:
        command = subprocess.Popen(
            ["setsid", "--ctty", LATENCY, "up"], stdin=terminal, stdout=terminal, stderr=terminal
        )
        os.close(terminal)
        wait_for(lambda: processes(folder), "its first process")
    finally:
        os.close(screen)
    assert command.wait(60) != 0
    assert processes(folder) == []
    assert not folder.endpoints.exists()


def latency(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LATENCY, *arguments], capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("variable", "value", "code", "told"),
    [
        ("LATENCY_JAVA", "/nowhere", 5, "Java 17 or later is needed; found: none in /nowhere"),
        ("LATENCY_MONGO__BINARY", "/nowhere/mongod", 5, "/nowhere/mongod: does not start: No such file"),
        ("LATENCY_SERVICES", '["mongo"]', 2, "'mongo' does not exist; there are: kafka, mongod"),
        ("LATENCY_PROFILE", "quantum", 2, "profile 'quantum' does not exist; there are: realtime"),
        ("LATENCY_KAFKA__HEAP_MB", "1", 2, "kafka.heap_mb"),
    ],
)
def test_what_cannot_work_is_told_before_anything_starts(
    home: Home, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, code: int, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    done = latency("up")
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
    assert done.stderr.count("latency: ") == 1
    assert "Traceback" not in done.stderr
    assert not (home.stacks / "default" / "pids").exists()


def test_a_full_disk_is_told_before_anything_starts(tmp_path: Path) -> None:
    if shutil.which("unshare") is None or os.geteuid() != 0:
        pytest.skip("a small file system can only be mounted by root with unshare(1)")
    script = f"mount -t tmpfs -o size=8m none {tmp_path} && LATENCY_HOME={tmp_path}/home exec {LATENCY} up"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 5, done.stderr
    assert "only 8 MB are free" in done.stderr
    assert "free some space" in done.stderr


def test_a_hanging_supervisor_does_not_hang_status(load: LoadSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load()
    up(settings)
    supervisor = find_supervisor(settings.folder)
    assert supervisor is not None
    monkeypatch.setattr("stack.observe._ANSWER_S", 0.3)
    os.kill(supervisor.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(NotReadyError, match="does not answer"):
            lifecycle.status(settings)
        assert time.monotonic() - began < 5
    finally:
        os.kill(supervisor.pid, signal.SIGCONT)
