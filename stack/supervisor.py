"""The one process that stays for each stack: `python -m stack.supervisor`.

It starts the services, restarts what dies, and obeys requests over its Unix socket: one JSON line in, one out.
`{"do":"status"}`, `{"do":"restart","service":S}`, `{"do":"apply"}` (read the plan again), `{"do":"stop"}`,
`{"do":"fault",…}`; the answer has `ok` and, where it is false, `error`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from measure.errors import LatencyError, UsageError
from stack import process
from stack.access import STACK_DIR_VARIABLE
from stack.blueprint import Blueprint
from stack.files import write_whole
from stack.keeper import Keeper
from stack.places import StackFolder, runtime_folder
from stack.service import Service
from stack.services import services
from stack.supervision import SupervisorRecord

_LINE_LIMIT = 1 << 20


class Supervisor:
    """All keepers of one stack and the socket by which they are reached."""

    def __init__(self, folder: StackFolder) -> None:
        self._folder = folder
        self._keepers: dict[str, Keeper] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._changing = asyncio.Lock()
        self._ending = asyncio.Event()

    async def serve(self) -> None:
        """Until told to stop by the socket or by SIGTERM; everything is stopped on the way out."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ending.set)
        socket = runtime_folder() / f"sup-{secrets.token_hex(6)}.sock"
        server = await asyncio.start_unix_server(self._converse, socket, limit=_LINE_LIMIT)
        try:
            await self._apply()
            self._write_record(socket)
            await self._ending.wait()
        finally:
            server.close()
            await self._stop_all()
            socket.unlink(missing_ok=True)
            self._folder.supervisor.unlink(missing_ok=True)

    def _write_record(self, socket: Path) -> None:
        me = process.current_process()
        write_whole(self._folder.supervisor, msgspec.json.encode(SupervisorRecord(me.pid, me.started, str(socket))))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ValueError):
            while line := await reader.readline():
                writer.write(msgspec.json.encode(await self._answer(line)) + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = msgspec.json.decode(line, type=dict[str, Any])
            return {"ok": True, **await self._obey(request)}
        except (LatencyError, msgspec.DecodeError) as wrong:
            return {"ok": False, "error": str(wrong)}

    async def _obey(self, request: dict[str, Any]) -> dict[str, Any]:
        match request.get("do"):
            case "status":
                return self._status()
            case "restart":
                await self._restart(str(request.get("service")))
            case "apply":
                await self._apply()
            case "stop":
                self._ending.set()
            case other:
                raise UsageError(f"the supervisor does not know {other!r}")
        return {}

    def _status(self) -> dict[str, Any]:
        return {
            "services": [
                {"name": name, "ports": dict(keeper.service.ports), **asdict(keeper.standing)}
                for name, keeper in self._keepers.items()
            ]
        }

    async def _apply(self) -> None:
        """Make what runs match the plan: new ones started, changed ones restarted, those not in it stopped."""
        async with self._changing:
            wanted = {service.name: service for service in services(Blueprint.read(self._folder))}
            for name in [n for n in reversed(self._keepers) if n not in wanted]:
                await self._drop(name)
            for name, service in wanted.items():
                there = self._keepers.get(name)
                if there is None or there.service.digest != service.digest or self._tasks[name].done():
                    await self._drop(name)
                    self._take(service)
            self._keepers = {name: self._keepers[name] for name in wanted}

    def _take(self, service: Service) -> None:
        keeper = Keeper(service, self._folder, _tell)
        self._keepers[service.name] = keeper
        self._tasks[service.name] = asyncio.create_task(keeper.run(self._keepers), name=service.name)

    async def _drop(self, name: str) -> None:
        """Stop a service and forget it; the keeper is gone before its process is, or it would start it again."""
        task = self._tasks.pop(name, None)
        keeper = self._keepers.pop(name, None)
        if task is not None and keeper is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await keeper.end()

    async def _restart(self, name: str) -> None:
        async with self._changing:
            keeper = self._keepers.get(name)
            if keeper is None:
                raise UsageError(f"there is no service {name!r}; there are: {', '.join(self._keepers)}.")
            order = list(self._keepers)
            await self._drop(name)
            self._take(keeper.service)
            self._keepers = {n: self._keepers[n] for n in order}

    async def _stop_all(self) -> None:
        """Those that need others first: the sinks, the job, then Kafka and mongod together."""
        async with self._changing:
            names = list(reversed(self._keepers))
            leaves = [name for name in names if self._keepers[name].service.needs]
            await asyncio.gather(*(self._drop(name) for name in leaves))
            await asyncio.gather(*(self._drop(name) for name in names if name not in leaves))


def _tell(text: str) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    sys.stderr.write(f"{stamp} {text}\n")
    sys.stderr.flush()


def main() -> None:
    """Run the supervisor of the stack that `LATENCY_STACK_DIR` names."""
    folder = StackFolder(Path(os.environ[STACK_DIR_VARIABLE]))
    try:
        asyncio.run(Supervisor(folder).serve())
    except LatencyError as wrong:
        _tell(f"supervisor: {wrong}")
        sys.exit(wrong.exit_code)


if __name__ == "__main__":
    main()
