"""The life of one service under the supervisor: start or adopt, make ready, watch, start again."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from measure.errors import LatencyError
from stack import process
from stack.logs import last_lines
from stack.places import StackFolder
from stack.service import NotYetError, Service, Step

EXIT_RESTART_ME = 75
_POLL_S = 0.1
_PROBE_PAUSE_S = 0.1
_HEALTH_PAUSE_S = 5.0
_FIRST_BACKOFF_S = 0.5
_LONGEST_BACKOFF_S = 30.0
_CALM_S = 60.0  # who lived this long starts again at the first back-off


class State(StrEnum):
    """Where a service stands."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a keeper tells of its service. `since_s` is seconds of the epoch."""

    state: State = State.WAITING
    since_s: float = 0.0
    pid: int | None = None
    health: str = ""
    reason: str = ""
    restarts: int = 0


class DiedError(LatencyError):
    """The process ended while it was being made ready."""


class Keeper:
    """Keeps one service alive. All of it runs in one event loop; only the blocking steps go to threads."""

    def __init__(self, service: Service, folder: StackFolder, tell: Callable[[str], None]) -> None:
        self.service = service
        self.standing = Standing()
        self.ready = asyncio.Event()
        self._folder = folder
        self._tell = tell
        self._child: subprocess.Popen[bytes] | None = None
        self._record: process.ProcessRecord | None = None
        self._exit: int | None = None

    async def run(self, others: Mapping[str, Keeper]) -> None:
        """Until cancelled. A service that never was ready and dies is failed and left; one that was is restarted."""
        backoff_s = _FIRST_BACKOFF_S
        was_ready = False
        while True:
            try:
                await self._await_needs(others)
                await self._bring_up()
                was_ready, began = True, time.monotonic()
                await self._watch()
                if time.monotonic() - began > _CALM_S:
                    backoff_s = _FIRST_BACKOFF_S
            except LatencyError as wrong:
                if not was_ready and self._exit != EXIT_RESTART_ME:
                    await self._fail(str(wrong))
                    return
                self._tell(f"{self.service.name}: {wrong}")
            backoff_s = await self._pause_before_restart(backoff_s)

    async def _await_needs(self, others: Mapping[str, Keeper]) -> None:
        waiting = [name for name in self.service.needs if name in others and not others[name].ready.is_set()]
        if waiting:
            self._stand(state=State.WAITING, health=f"waits for {', '.join(waiting)}", pid=None)
        for name in waiting:
            await others[name].ready.wait()

    async def _bring_up(self) -> None:
        self._exit = None
        adopted = process.find(self._folder, self.service.name)
        if adopted is not None and adopted.digest == self.service.digest:
            self._child, self._record = None, adopted
            self._tell(f"{self.service.name}: adopted process {adopted.pid}")
        else:
            await self._clear()
            self._stand(state=State.STARTING, health="preparing", pid=None)
            await asyncio.to_thread(self.service.prepare)
            self._child = process.start(self.service, self._folder)
            self._record = process.read_record(self._folder.pid(self.service.name))
        assert self._record is not None  # noqa: S101
        self._stand(state=State.STARTING, health="starting", pid=self._record.pid)
        await self._until(self.service.provision)
        await self._until(self.service.probe)
        self._stand(state=State.READY, health="ready")
        self.ready.set()

    async def _clear(self) -> None:
        """End what a former supervisor left: another definition's process, or processes without a record."""
        await asyncio.to_thread(
            process.stop, self._folder, self.service.name, self.service.stop_signal, self.service.stop_timeout_s
        )

    async def _until(self, step: Step) -> None:
        """Repeat a step until it succeeds; DiedError at once when the process ends, LatencyError at the deadline."""
        deadline = time.monotonic() + self.service.start_timeout_s
        while True:
            attempt = asyncio.create_task(asyncio.to_thread(step))
            try:
                while not attempt.done():
                    await asyncio.wait({attempt}, timeout=_POLL_S)
                    if not self._alive():
                        raise DiedError(await asyncio.to_thread(self._obituary))
                attempt.result()
                return
            except NotYetError as not_yet:
                self._stand(health=str(not_yet))
                if time.monotonic() > deadline:
                    raise LatencyError(
                        f"{self.service.name} is not ready after {self.service.start_timeout_s:.0f} s: {not_yet}. "
                        f"Last lines of {self.service.log}:\n{last_lines(self.service.log, self._folder)}"
                    ) from None
            finally:
                attempt.cancel()
            await asyncio.sleep(_PROBE_PAUSE_S)

    async def _watch(self) -> None:
        """Until the process ends; meanwhile its health is asked for now and then."""
        next_check = time.monotonic() + _HEALTH_PAUSE_S
        while self._alive():
            await asyncio.sleep(_POLL_S)
            if time.monotonic() >= next_check:
                await self._check_health()
                next_check = time.monotonic() + _HEALTH_PAUSE_S
        raise DiedError(await asyncio.to_thread(self._obituary))

    async def _check_health(self) -> None:
        try:
            await asyncio.to_thread(self.service.probe)
            health = "ready"
        except NotYetError as troubled:
            health = str(troubled)
        if health != self.standing.health:
            self._stand(health=health)

    def _alive(self) -> bool:
        if self._child is not None:
            self._exit = self._child.poll()
            return self._exit is None
        return self._record is not None and self._record.alive()

    def _obituary(self) -> str:
        return (
            f"{self.service.name} {_how(self._exit)}. Last lines of {self.service.log}:\n"
            f"{last_lines(self.service.log, self._folder)}"
        )

    async def _pause_before_restart(self, backoff_s: float) -> float:
        """Clear the remains, wait, and say how long to wait next time."""
        self.ready.clear()
        at_once = self._exit == EXIT_RESTART_ME
        reason = f"{_how(self._exit)}, " + ("again at once" if at_once else f"again in {backoff_s:.1f} s")
        self._stand(state=State.RESTARTING, health=reason, pid=None, restarts=self.standing.restarts + 1)
        self._tell(f"{self.service.name}: {reason}")
        await asyncio.to_thread(process.kill_rest, self._folder, self.service.name)
        self._folder.pid(self.service.name).unlink(missing_ok=True)
        if at_once:
            return backoff_s
        await asyncio.sleep(backoff_s)
        return min(backoff_s * 2, _LONGEST_BACKOFF_S)

    async def _fail(self, reason: str) -> None:
        await self.end()
        self._stand(state=State.FAILED, health="failed", reason=reason, pid=None)
        self._tell(reason)

    async def end(self) -> None:
        """Stop the process cleanly, then hard. Nothing there is fine."""
        self.ready.clear()
        ending = asyncio.to_thread(
            process.stop, self._folder, self.service.name, self.service.stop_signal, self.service.stop_timeout_s
        )
        waiting = asyncio.ensure_future(ending)
        while not waiting.done():
            if self._child is not None:
                self._child.poll()  # reap it, or it would look alive
            await asyncio.wait({waiting}, timeout=_POLL_S)
        with contextlib.suppress(OSError):
            waiting.result()
        self._child = self._record = None
        self._stand(state=State.STOPPED, health="", pid=None)

    def _stand(self, **changes: object) -> None:
        moved = changes.get("state", self.standing.state) != self.standing.state
        self.standing = replace(self.standing, **changes, **({"since_s": time.time()} if moved else {}))  # type: ignore[arg-type]


def _how(code: int | None) -> str:
    if code is None:
        return "ended"
    if code < 0:
        return f"was ended by signal {-code}"
    if code == 132:
        return "ended with code 132 (illegal instruction: this processor lacks AVX)"
    return f"ended with code {code}"
