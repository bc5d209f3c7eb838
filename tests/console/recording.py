"""Operations that a console is tested with."""

from __future__ import annotations

from console.operations import Burst, Launch, Operations
from stack.settings import Settings


class Recording(Operations):
    """Notes what it is asked for instead of doing it: what the operations do is tested in test_operations."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.asked: list[object] = []

    def up(self, narrate: object, runtime: str | None = None, profile: str | None = None) -> str:
        self.asked.append(("up", runtime, profile))
        return "done"

    def down(self, narrate: object, purge: bool = False) -> str:
        self.asked.append(("down", purge))
        return "done"

    def launch(self, launch: Launch, narrate: object) -> str:
        self.asked.append(launch)
        return "done"

    def burst(self, burst: Burst) -> str:
        self.asked.append(burst)
        return "done"

    def pause_or_resume(self) -> str:
        self.asked.append("pause")
        return "done"

    def stop(self) -> str:
        self.asked.append("stop")
        return "done"

    def restart(self, service: str, narrate: object) -> str:
        self.asked.append(("restart", service))
        return "done"

    def recreate(self, service: str, narrate: object) -> str:
        self.asked.append(("recreate", service))
        return "done"

    def halt(self, service: str) -> str:
        self.asked.append(("halt", service))
        return "done"

    def scale(self, what: str, number: int, narrate: object) -> str:
        self.asked.append(("scale", what, number))
        return "done"

    def fault(self, kind: str, service: str, for_s: float | None) -> str:
        self.asked.append((kind, service, for_s))
        return "done"
