"""The one process that stays for each stack: `python -m stack.supervisor`.

It starts the services, restarts what dies, and obeys requests over its Unix socket: one JSON line in, one out.

    {"do": "status"}                       {"do": "stop"}
    {"do": "restart", "service": S, "anew": false}             {"do": "halt", "service": S}
    {"do": "apply"}     follow the plan, which has changed
    {"do": "fault", "kind": "kill|pause", "service": S, "for_s": 10}        {"do": "undo"}

The answer has `ok` and, where that is false, `error`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import signal
import sys
import time
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import msgspec

from measure.decoding import decode
from measure.errors import LatencyError, NotReadyError, UsageError
from stack import faults, process
from stack.access import STACK_DIR_VARIABLE
from stack.blueprint import Blueprint
from stack.files import write_whole
from stack.keeper import Keeper
from stack.logs import cut_short
from stack.places import StackFolder, runtime_folder
from stack.resources import ResourceSampler, Usage
from stack.runtimes import Grounds
from stack.service import Service
from stack.services import services
from stack.supervision import SupervisorRecord

_LINE_LIMIT = 1 << 20
_SAMPLE_S = 2.0
_TIDY_S = 30.0


class Supervisor:
    """All keepers of one stack and the socket by which they are reached."""

    def __init__(self, folder: StackFolder) -> None:
        self._folder = folder
        self._grounds = Grounds(folder)
        self._keepers: dict[str, Keeper] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()
        self._ending = asyncio.Event()
        self._undoing: asyncio.Task[None] | None = None
        self._usage: dict[str, Usage] = {}

    async def serve(self) -> None:
        """Until told to stop by the socket or by SIGTERM; everything is stopped on the way out."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ending.set)
        self._sweep()
        socket = runtime_folder() / f"sup-{secrets.token_hex(6)}.sock"
        server = await asyncio.start_unix_server(self._converse, socket, limit=_LINE_LIMIT)
        try:
            await self._apply()
            self._write_record(socket)
            self._chore(self._sample())
            self._chore(self._tidy())
            await self._ending.wait()
        finally:
            server.close()
            await self._stop_all()
            socket.unlink(missing_ok=True)
            self._folder.supervisor.unlink(missing_ok=True)

    def _sweep(self) -> None:
        left = faults.sweep(self._folder)
        if left is not None:
            _tell(f"undid the {left.kind} of {left.service} that a crash had left in force")

    def _write_record(self, socket: Path) -> None:
        me = process.current_process()
        write_whole(self._folder.supervisor, msgspec.json.encode(SupervisorRecord(me.pid, me.birth, str(socket))))

    def _chore(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        chore = asyncio.create_task(work)
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)
        return chore

    async def _sample(self) -> None:
        with contextlib.closing(ResourceSampler(self._folder)) as sampler:
            while True:
                self._usage = await asyncio.to_thread(sampler.sample)
                await asyncio.sleep(_SAMPLE_S)

    async def _tidy(self) -> None:
        while True:
            for log in self._folder.logs.glob("*.log"):
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(cut_short, log)
            await asyncio.sleep(_TIDY_S)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ValueError):
            while line := await reader.readline():
                writer.write(msgspec.json.encode(await self._answer(line)) + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = decode(line, dict[str, Any])
            return {"ok": True, **await self._obey(request)}
        except (LatencyError, msgspec.DecodeError, OSError) as wrong:
            return {"ok": False, "error": str(wrong), "code": getattr(wrong, "exit_code", 2)}

    async def _obey(self, request: dict[str, Any]) -> dict[str, Any]:
        match request.get("do"):
            case "status":
                return self._status()
            case "restart":
                await self._restart(str(request.get("service")), bool(request.get("anew")))
            case "halt":
                await self._halt(str(request.get("service")))
            case "apply":
                await self._apply()
            case "fault":
                return {"fault": await self._fault(request)}
            case "undo":
                await self._undo_now()
            case "stop":
                self._ending.set()
            case other:
                raise UsageError(f"the supervisor does not know {other!r}.")
        return {}

    def _status(self) -> dict[str, Any]:
        return {"services": [self._told(keeper) for keeper in self._keepers.values()]}

    def _told(self, keeper: Keeper) -> dict[str, Any]:
        """A keeper's standing, with what it cannot see itself: that a signal has stopped the process, and its usage."""
        name = keeper.service.name
        usage = self._usage.get(name)
        service = keeper.service
        told: dict[str, Any] = {"name": name, "foreign": service.foreign, "ports": dict(service.ports)}
        told |= asdict(keeper.standing)
        told |= {"cpu": usage.cpu_cores if usage else None, "memory_bytes": usage.rss_bytes if usage else None}
        if usage:
            told |= {"rx_bytes_s": usage.rx_bytes_s, "tx_bytes_s": usage.tx_bytes_s}
        if keeper.paused:
            told |= {"state": "paused", "health": "held still"}
        return told

    async def _apply(self) -> None:
        """Make what runs match the plan: new ones started, changed ones restarted, those not in it stopped."""
        async with self._changing:
            wanted = await asyncio.to_thread(self._wanted)
            for name in [name for name in reversed(self._keepers) if name not in wanted]:
                service = self._keepers[name].service
                await self._drop(name)
                await asyncio.to_thread(self._grounds.of(service).discard, service)
            for name, service in wanted.items():
                there = self._keepers.get(name)
                if there is None or there.service.digest != service.digest or self._tasks[name].done():
                    await self._drop(name)
                    self._take(service)
            self._put_in_order(list(wanted))

    def _wanted(self) -> dict[str, Service]:
        return {service.name: service for service in services(Blueprint.read(self._folder))}

    def _take(self, service: Service) -> None:
        keeper = Keeper(service, self._folder, _tell, self._grounds.of(service))
        self._keepers[service.name] = keeper
        self._tasks[service.name] = asyncio.create_task(keeper.run(self._keepers), name=service.name)

    def _put_in_order(self, names: list[str]) -> None:
        """In place: the keepers hold this very dictionary."""
        for name in names:
            self._keepers[name] = self._keepers.pop(name)

    async def _drop(self, name: str) -> None:
        """Stop a service and forget it; nobody keeps it while its process ends, or it would be started again."""
        task, keeper = self._tasks.pop(name, None), self._keepers.pop(name, None)
        if task is not None and keeper is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await keeper.end()

    def _keeper(self, name: str) -> Keeper:
        if name not in self._keepers:
            raise UsageError(f"there is no service {name!r}; there are: {', '.join(self._keepers)}.")
        return self._keepers[name]

    def _own(self, name: str, what: str) -> Keeper:
        """The keeper of a service that is ours to do something to."""
        keeper = self._keeper(name)
        if keeper.service.foreign:
            raise UsageError(f"{name} is not this stack's own: [external] names it, so `{what}` it where it runs.")
        return keeper

    async def _halt(self, name: str) -> None:
        """Stop a service and go on telling of it; it stays down until it is restarted, or until the next `up`."""
        async with self._changing:
            keeper = self._own(name, "stop")
            self._tasks[name].cancel()
            await asyncio.gather(self._tasks[name], return_exceptions=True)
            await keeper.end()

    async def _restart(self, name: str, anew: bool) -> None:
        async with self._changing:
            service, order = self._own(name, "restart").service, list(self._keepers)
            try:
                await self._drop(name)
                if anew:
                    await asyncio.to_thread(self._grounds.of(service).discard, service)
            finally:  # an engine may be away: the service is ours to keep all the same
                self._take(service)
                self._put_in_order(order)

    async def _fault(self, request: dict[str, Any]) -> faults.Fault:
        """Do a fault; it is undone here when its time is over, whoever asked for it."""
        fault = faults.new_fault(str(request.get("kind")), str(request.get("service")), request.get("for_s"))
        async with self._changing:
            keeper = self._own(fault.service, fault.kind)
            there = faults.read_journal(self._folder)
            if there is not None:
                raise UsageError(f"a {there.kind} of {there.service} is in force: one fault at a time.")
            if keeper.standing.pid is None:
                raise NotReadyError(f"{fault.service} is {keeper.standing.state}: there is nothing to {fault.kind}.")
            if fault.kind is faults.Kind.KILL:
                keeper.hold()
            try:
                fault = await asyncio.to_thread(faults.do, self._folder, fault)
            except BaseException:
                keeper.let_go()
                raise
            _tell(f"fault {fault.id}: {fault.kind} of {fault.service} for {fault.for_s:g} s, {fault.proof}")
            self._undoing = self._chore(self._undo_later(fault))
        return fault

    async def _undo_later(self, fault: faults.Fault) -> None:
        await asyncio.sleep(fault.for_s)
        await self._undo(fault)

    async def _undo(self, fault: faults.Fault) -> None:
        try:
            await asyncio.to_thread(faults.undo, self._folder, fault)
        finally:
            if fault.service in self._keepers:
                self._keepers[fault.service].let_go()
        _tell(f"fault {fault.id}: undone")

    async def _undo_now(self) -> None:
        if self._undoing is not None:
            self._undoing.cancel()
            await asyncio.gather(self._undoing, return_exceptions=True)
        current = faults.read_journal(self._folder)
        if current is not None:
            await self._undo(current)

    async def _stop_all(self) -> None:
        """Those that need others first: the sinks and the job, then Kafka and mongod together."""
        await self._undo_now()
        async with self._changing:
            for chore in list(self._chores):
                chore.cancel()
            names = list(self._keepers)
            leaves = [name for name in names if self._keepers[name].service.needs]
            await asyncio.gather(*(self._drop(name) for name in leaves))
            await asyncio.gather(*(self._drop(name) for name in names if name not in leaves))


def _tell(text: str) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    sys.stderr.write(f"{stamp} {text}\n")
    sys.stderr.flush()


def _be_the_only_one(folder: StackFolder) -> TextIO:
    """The lock that a stack's supervisor holds all its life."""
    lock = (folder.root / "supervisor.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotReadyError(f"stack {folder.name} has a supervisor already.") from None
    return lock


def main() -> None:
    """Run the supervisor of the stack that `LATENCY_STACK_DIR` names."""
    folder = StackFolder(Path(os.environ[STACK_DIR_VARIABLE]))
    try:
        with _be_the_only_one(folder):
            asyncio.run(Supervisor(folder).serve())
    except LatencyError as wrong:
        _tell(f"supervisor: {wrong}")
        sys.exit(wrong.exit_code)


if __name__ == "__main__":
    main()
