"""What all tests share: a home of their own, and one real stack for those that are marked `stack`."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from stack import lifecycle
from stack.access import Access
from stack.places import JARS_VARIABLE, Home
from stack.settings import Settings

_KEPT = {JARS_VARIABLE, "LATENCY_DATA"}


def pytest_configure() -> None:
    """A SIGTERM ends the tests as Ctrl-C does: the stack is taken down. And Ctrl-C does so where it was ignored, as in
    what a script starts in the background: what tests start would ignore it too."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that need the running stack come last, so that it does not slow down the others."""
    items.sort(key=lambda item: item.get_closest_marker("stack") is not None)


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """LATENCY_HOME of the tests. Only the jars, which are verified and large, are those of the user's own home."""
    with pytest.MonkeyPatch.context() as patch:
        jars = Home.find().jars
        for name in [name for name in os.environ if name.startswith("LATENCY_") and name not in _KEPT]:
            patch.delenv(name)
        home = tmp_path_factory.mktemp("home")
        patch.setenv("LATENCY_HOME", str(home))
        patch.setenv(JARS_VARIABLE, str(jars))
        yield home


@pytest.fixture(scope="session")
def stack_settings(own_home: Path) -> Iterator[Settings]:
    """The settings of a whole real stack that is up. Who breaks a part of it must leave it ready again."""
    settings = Settings.load()
    try:
        lifecycle.up(settings, None, None, _narrate)
        yield settings
    finally:
        lifecycle.down(settings, purge=True, narrate=_narrate)


@pytest.fixture(scope="session")
def stack_access(stack_settings: Settings) -> Access:
    """How to reach that stack."""
    return Access.load(stack_settings.folder.root)


def _narrate(text: str) -> None:
    click.echo(text, err=True)
