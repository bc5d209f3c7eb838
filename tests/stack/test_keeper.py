from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from stack import process
from stack.keeper import Keeper, State
from stack.places import StackFolder
from stack.service import NotYetError, Service
from tests.stack.conftest import Launch, MakeService

READY = "import time; print('up', flush=True); time.sleep(600)"
DIES = "import sys; print('config read'); print('ERROR: no such thing'); sys.exit(3)"


@contextlib.asynccontextmanager
async def kept(*services: Service, folder: StackFolder) -> AsyncIterator[tuple[dict[str, Keeper], list[str]]]:
    """The services with a keeper each, and what the keepers tell."""
    told: list[str] = []
    keepers = {service.name: Keeper(service, folder, told.append) for service in services}
    tasks = [asyncio.create_task(keeper.run(keepers)) for keeper in keepers.values()]
    try:
        yield keepers, told
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(keeper.end() for keeper in keepers.values()))


async def reach(what: Callable[[], object], deadline_s: float = 15) -> None:
    async with asyncio.timeout(deadline_s):
        while not what():  # noqa: ASYNC110 (polls what has no event)
            await asyncio.sleep(0.02)


async def test_a_service_is_ready_when_its_probe_says_so(folder: StackFolder, make_service: MakeService) -> None:
    answers = iter([NotYetError("first"), NotYetError("second"), None])

    def probe() -> None:
        if answer := next(answers, None):
            raise answer

    async with kept(make_service(READY, probe=probe), folder=folder) as (keepers, _):
        seen = set()
        await reach(lambda: seen.add(keepers["one"].standing.health) or keepers["one"].ready.is_set())
        assert {"first", "second", "ready"} <= seen
        assert keepers["one"].standing.state is State.READY


async def test_one_that_dies_at_its_start_has_failed_and_says_why(
    folder: StackFolder, make_service: MakeService
) -> None:
    def never() -> None:
        raise NotYetError("no answer")

    async with kept(make_service(DIES, probe=never), folder=folder) as (keepers, _):
        await reach(lambda: keepers["one"].standing.state is State.FAILED)
        reason = keepers["one"].standing.reason
        assert reason.startswith("one ended with code 3: ERROR: no such thing")
        assert "    config read" in reason
        assert keepers["one"].standing.restarts == 0


async def test_one_that_is_not_ready_in_time_has_failed_and_is_ended(
    folder: StackFolder, make_service: MakeService
) -> None:
    def never() -> None:
        raise NotYetError("still loading")

    service = make_service(READY, probe=never, start_timeout_s=0.5)
    async with kept(service, folder=folder) as (keepers, _):
        await reach(lambda: keepers["one"].standing.state is State.FAILED)
        assert "one is not ready after 0 s: still loading. Its log: up" in keepers["one"].standing.reason
        assert not process.members(folder, "one")


async def test_a_killed_one_comes_back_after_a_pause(folder: StackFolder, make_service: MakeService) -> None:
    async with kept(make_service(READY), folder=folder) as (keepers, told):
        await reach(keepers["one"].ready.is_set)
        first = keepers["one"].standing.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await reach(lambda: keepers["one"].standing.restarts == 1 and keepers["one"].ready.is_set())
        assert keepers["one"].standing.pid != first
        assert any("was killed" in line and "again in 0.5 s" in line for line in told)


async def test_each_further_death_is_waited_for_longer(folder: StackFolder, make_service: MakeService) -> None:
    async with kept(make_service("import time; time.sleep(0.3)"), folder=folder) as (keepers, told):
        await reach(lambda: keepers["one"].standing.restarts >= 3)
    pauses = [line.rsplit("again in ", 1)[1] for line in told if "again in " in line]
    assert pauses[:3] == ["0.5 s", "1.0 s", "2.0 s"]


async def test_who_asks_for_a_restart_gets_it_at_once(folder: StackFolder, make_service: MakeService) -> None:
    async with kept(make_service("import sys, time; time.sleep(1.5); sys.exit(75)"), folder=folder) as (keepers, told):
        await reach(lambda: keepers["one"].standing.restarts == 2)
    assert told.count("one: ended with code 75, again at once") == 2


async def test_who_asks_for_it_all_the_time_is_slowed_down(folder: StackFolder, make_service: MakeService) -> None:
    async with kept(make_service("import sys; sys.exit(75)"), folder=folder) as (keepers, told):
        await reach(lambda: keepers["one"].standing.restarts == 2)
    assert "one: ended with code 75, again in 0.5 s" in told


async def test_one_waits_for_what_it_needs(folder: StackFolder, make_service: MakeService) -> None:
    open_gate = asyncio.Event()

    def gate() -> None:
        if not open_gate.is_set():
            raise NotYetError("closed")

    needed = make_service(READY, name="needed", probe=gate)
    needs = make_service(READY, name="needs", needs=("needed",))
    async with kept(needed, needs, folder=folder) as (keepers, _):
        await reach(lambda: keepers["needed"].standing.health == "closed")
        assert keepers["needs"].standing.state is State.WAITING
        assert keepers["needs"].standing.health == "waits for needed"
        open_gate.set()
        await reach(keepers["needs"].ready.is_set)


async def test_one_sees_that_what_it_needs_has_another_keeper(folder: StackFolder, make_service: MakeService) -> None:
    """As when somebody restarts it."""

    def closed() -> None:
        raise NotYetError("closed")

    needed = make_service(READY, name="needed", probe=closed)
    needs = make_service(READY, name="needs", needs=("needed",))
    async with kept(needed, needs, folder=folder) as (keepers, told):
        await reach(lambda: keepers["needs"].standing.state is State.WAITING)
        former, keepers["needed"] = keepers["needed"], Keeper(needed, folder, told.append)
        keepers["needed"].ready.set()
        await reach(keepers["needs"].ready.is_set)
        await former.end()


async def test_a_process_of_the_same_definition_is_adopted(
    folder: StackFolder, make_service: MakeService, launch: Launch
) -> None:
    service = make_service(READY)
    left = launch(service)
    async with kept(service, folder=folder) as (keepers, told):
        await reach(keepers["one"].ready.is_set)
        assert keepers["one"].standing.pid == left.pid
        assert told == [f"one: adopted process {left.pid}"]
        left.kill()
        left.wait()
        await reach(lambda: keepers["one"].standing.restarts == 1 and keepers["one"].ready.is_set())


async def test_one_of_another_definition_is_replaced(
    folder: StackFolder, make_service: MakeService, launch: Launch
) -> None:
    service = make_service(READY)
    left = launch(replace(service, settings={"partitions": 4}))
    async with kept(service, folder=folder) as (keepers, _):
        await reach(lambda: left.poll() is not None)
        await reach(keepers["one"].ready.is_set)
        assert keepers["one"].standing.pid != left.pid


async def test_remains_without_a_record_are_cleared(
    folder: StackFolder, make_service: MakeService, launch: Launch
) -> None:
    service = make_service(READY)
    left = launch(service)
    folder.pid("one").unlink()
    async with kept(service, folder=folder) as (keepers, _):
        await reach(keepers["one"].ready.is_set)
        assert left.wait() == -signal.SIGKILL


async def test_a_held_one_stays_down_until_it_is_let_go(folder: StackFolder, make_service: MakeService) -> None:
    async with kept(make_service(READY), folder=folder) as (keepers, _):
        keeper = keepers["one"]
        await reach(keeper.ready.is_set)
        keeper.hold()
        assert keeper.standing.pid is not None
        os.kill(keeper.standing.pid, signal.SIGKILL)
        await reach(lambda: keeper.standing.health == "kept down by a fault")
        assert not process.members(folder, "one")
        keeper.let_go()
        await reach(keeper.ready.is_set)


async def test_a_taken_port_is_named_with_its_holder(folder: StackFolder, make_service: MakeService) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        async with kept(make_service(READY, ports={"main": port}), folder=folder) as (keepers, _):
            await reach(lambda: keepers["one"].standing.state is State.FAILED)
            reason = keepers["one"].standing.reason
    assert f"its port {port} (main) is held by " in reason
    assert f"(process {os.getpid()})" in reason


async def test_no_space_is_told_in_one_line(folder: StackFolder, make_service: MakeService) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device", "/stack/kafka/server.properties")

    async with kept(make_service(READY, prepare=full), folder=folder) as (keepers, _):
        await reach(lambda: keepers["one"].standing.state is State.FAILED)
        assert "cannot be started: [Errno 28] No space left on device" in keepers["one"].standing.reason


@pytest.mark.parametrize("when", ["starting", "ready"])
async def test_ending_leaves_no_process(folder: StackFolder, make_service: MakeService, when: str) -> None:
    def probe() -> None:
        if when == "starting":
            raise NotYetError("not yet")

    async with kept(make_service(READY, probe=probe), folder=folder) as (keepers, _):
        await reach(lambda: keepers["one"].standing.pid is not None and process.members(folder, "one"))
    assert not process.members(folder, "one")
    assert not folder.pid("one").exists()
