"""What makes mongod ready in a container: the same steps, but that a refused login is borne for a while only."""

from __future__ import annotations

import time
from collections.abc import Callable

from stack.blueprint import Blueprint
from stack.services.mongod import LoginRefusedError, other_credentials, provision

_BORNE_S = 30.0  # while the image makes the first user there is none; after that ours is it, or never will be


class Provision:
    """A service's `provision`. NotReadyError where the volume's users stay others than ours."""

    def __init__(
        self,
        blueprint: Blueprint,
        step: Callable[[Blueprint], None] = provision,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._blueprint = blueprint
        self._step = step
        self._clock = clock
        self._refused_s: float | None = None

    def __call__(self) -> None:
        since_s, self._refused_s = self._refused_s, None
        try:
            self._step(self._blueprint)
        except LoginRefusedError:
            now_s = self._clock()
            since_s = now_s if since_s is None else since_s
            if now_s - since_s > _BORNE_S:
                raise other_credentials(self._blueprint) from None
            self._refused_s = since_s
            raise
