"""The life of one service under the supervisor: start or adopt, make ready, watch, start again."""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from measure.errors import LatencyError, NotReadyError
from stack.endings import KILLED, advice, how_it_ended
from stack.ground import Ground, Life, Processes
from stack.logs import last_words
from stack.places import StackFolder
from stack.service import NotYetError, Service, Step

EXIT_RESTART_ME = 75
_POLL_S = 0.1
_PROBE_PAUSE_S = 0.1
_HEALTH_PAUSE_S = 5.0
_FIRST_BACKOFF_S = 0.5
_LONGEST_BACKOFF_S = 30.0
_CALM_S = 60.0  # who lived this long starts again at the first back-off
_HASTY_S = 1.0  # who lived shorter is not started again at once, whatever it asked for


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
    container: str | None = None
    health: str = ""
    reason: str = ""
    restarts: int = 0


class DiedError(NotReadyError):
    """A service's process ended."""


class Keeper:
    """Keeps one service alive. All of it runs in one event loop; only the blocking steps go to threads."""

    def __init__(
        self, service: Service, folder: StackFolder, tell: Callable[[str], None], ground: Ground | None = None
    ) -> None:
        self.service = service
        self.standing = Standing(since_s=time.time())
        self.ready = asyncio.Event()
        self._folder = folder
        self._tell = tell
        self._ground = ground if ground is not None else Processes(folder)
        self._life: Life | None = None
        self._exit: int | None = None
        self._out_of_memory = False
        self._log_from = 0
        self._backoff_s = _FIRST_BACKOFF_S
        self._on_purpose = False
        self._held = asyncio.Event()
        self._held.set()

    async def run(self, others: Mapping[str, Keeper]) -> None:
        """Until cancelled. Who dies before it was ever ready has failed and is left; later, it is restarted."""
        was_ready = False
        while True:
            began = time.monotonic()
            try:
                await self._await_needs(others)
                began = time.monotonic()
                await self._bring_up()
                was_ready = True
                await self._watch()
            except LatencyError as wrong:
                if not was_ready and self._exit != EXIT_RESTART_ME:
                    await self._fail(str(wrong))
                    return
                self._tell(f"{self.service.name}: {wrong}")
            except Exception:  # a bug here must not leave a service that nobody watches
                await self._fail(f"{self.service.name}: the supervisor is at fault: {traceback.format_exc()}")
                return
            await self._pause_before_restart(time.monotonic() - began)

    def hold(self) -> None:
        """Keep the service down after its next death, until `let_go`: that death is a fault's, and not its own."""
        self._on_purpose = True
        self._held.clear()

    def let_go(self) -> None:
        """It may be started again."""
        self._held.set()

    async def _await_needs(self, others: Mapping[str, Keeper]) -> None:
        """Who keeps a need is looked up each time: one that is restarted has another keeper."""
        while waiting := [name for name in self.service.needs if name in others and not others[name].ready.is_set()]:
            self._stand(state=State.WAITING, health=f"waits for {', '.join(waiting)}", pid=None)
            await asyncio.sleep(_POLL_S)

    async def _bring_up(self) -> None:
        self._exit, self._out_of_memory = None, False
        self._life = await asyncio.to_thread(self._ground.find, self.service)
        if self._life is not None:
            self._log_from = 0
            if not self.service.foreign:
                self._tell(f"{self.service.name}: adopted {_name_of(self._life)}")
        else:
            self._life = await self._start()
        self._stand(state=State.STARTING, health="starting", pid=self._life.pid, container=self._life.container)
        await self._until(self.service.provision)
        await self._until(self.service.probe)
        self._stand(state=State.READY, health="ready", reason="")
        self.ready.set()

    async def _start(self) -> Life:
        self._stand(state=State.STARTING, health="preparing", pid=None)
        self._log_from = self.service.log.stat().st_size if self.service.log.exists() else 0
        starting = asyncio.ensure_future(asyncio.to_thread(self._ground.start, self.service))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            with contextlib.suppress(LatencyError, OSError):
                self._life = await starting  # it begins all the same, and is there to be ended then
            raise
        except OSError as refused:
            raise NotReadyError(f"{self.service.name} cannot be started: {refused}") from refused

    async def _wind_up(self, step: Callable[[Service], None]) -> None:
        """What ends a life, while a child of ours is reaped; after that there is none."""
        ending = asyncio.ensure_future(asyncio.to_thread(step, self.service))
        while not ending.done():
            if self._life is not None:
                self._life.ended()
            await asyncio.wait({ending}, timeout=_POLL_S)
        ending.result()
        if self._life is not None:
            self._life.ended()
        self._life = None

    async def _until(self, step: Step) -> None:
        """Repeat a step until it succeeds; DiedError at once when the process ends, NotReadyError at the deadline."""
        deadline = time.monotonic() + self.service.start_timeout_s
        while True:
            try:
                await self._attempt(step)
                return
            except NotYetError as not_yet:
                self._stand(health=str(not_yet))
                if time.monotonic() > deadline:
                    words = await asyncio.to_thread(last_words, self.service.log, self._folder, self._log_from)
                    raise NotReadyError(
                        f"{self.service.name} is not ready after {self.service.start_timeout_s:.0f} s: {not_yet}. "
                        f"Its log: {words}"
                    ) from None
            await asyncio.sleep(_PROBE_PAUSE_S)

    async def _attempt(self, step: Step) -> None:
        attempt = asyncio.ensure_future(asyncio.to_thread(step))
        try:
            while not attempt.done():
                await asyncio.wait({attempt}, timeout=_POLL_S)
                if not self._alive():
                    raise DiedError(await asyncio.to_thread(self._obituary))
            attempt.result()
        finally:  # its error is to be fetched, or asyncio complains of it
            attempt.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

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
            await self._attempt(self.service.probe)
            health = "ready"
        except NotYetError as troubled:
            health = str(troubled)
        if health != self.standing.health:
            self._tell(f"{self.service.name}: {health}")
            self._stand(health=health)

    @property
    def paused(self) -> bool:
        """Whether its life is held still."""
        return self._life is not None and self._life.paused

    def _alive(self) -> bool:
        if self._life is None:
            return False
        if self._life.ended():
            self._exit, self._out_of_memory = self._life.exit_code, self._life.out_of_memory
            return False
        return True

    def _obituary(self) -> str:
        name, how = self.service.name, how_it_ended(self._exit, self._out_of_memory)
        if self._exit in KILLED:  # it had no time to say why
            return f"{name} {how}"
        if self._life is not None:
            self._life.await_log()
        words = last_words(self.service.log, self._folder, self._log_from)
        return f"{name} {how}: {advice(words)}{words}"

    async def _pause_before_restart(self, lived_s: float) -> None:
        """Clear the remains and wait: not at all where the process asked for it, else longer each time."""
        self.ready.clear()
        if lived_s > _CALM_S or self._on_purpose:
            self._backoff_s = _FIRST_BACKOFF_S
        at_once = self._exit == EXIT_RESTART_ME and lived_s > _HASTY_S
        reason = f"{how_it_ended(self._exit, self._out_of_memory)}, " + (
            "again at once" if at_once else f"again in {self._backoff_s:.1f} s"
        )
        self._stand(state=State.RESTARTING, health=reason, pid=None, restarts=self.standing.restarts + 1)
        self._tell(f"{self.service.name}: {reason}")
        await self._wind_up(self._ground.clear)
        if not at_once:
            await asyncio.sleep(self._backoff_s)
            self._backoff_s = min(self._backoff_s * 2, _LONGEST_BACKOFF_S)
        self._on_purpose = False
        if not self._held.is_set():
            self._stand(health="kept down by a fault")
            await self._held.wait()

    async def _fail(self, reason: str) -> None:
        await self.end()
        self._stand(state=State.FAILED, health="failed", reason=reason)
        self._tell(reason)

    async def end(self) -> None:
        """Stop the process; after that nobody keeps it."""
        self.ready.clear()
        await self._wind_up(self._ground.stop)
        self._stand(state=State.STOPPED, health="", pid=None)

    def _stand(self, **changes: object) -> None:
        if changes.get("state", self.standing.state) != self.standing.state:
            changes["since_s"] = time.time()
        self.standing = replace(self.standing, **changes)  # type: ignore[arg-type]


def _name_of(life: Life) -> str:
    return f"process {life.pid}" if life.container is None else f"container {life.container[:12]}"
