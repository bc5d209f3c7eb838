from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from stack import claims
from stack.blueprint import Plan
from stack.choice import choose_ports, preferred_ports
from stack.files import write_whole
from stack.places import Home, StackFolder
from stack.settings import Settings


@pytest.fixture
def short_folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield folder


@pytest.fixture
def settings(home: Home, short_folder: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings whose preferred ports are free now, and claimed by nobody."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", short_folder)
    for number, listener in enumerate(preferred_ports(Settings.load())):
        section, name = {
            "mongo": ("MONGO", "PORT"),
            "spark.ui": ("SPARK", "UI_PORT"),
            "dashboard": ("DASHBOARD", "PORT"),
            "kafka.host": ("KAFKA", "PORT"),
        }.get(listener, ("KAFKA", listener.removeprefix("kafka.").upper() + "_PORT"))
        monkeypatch.setenv(f"LATENCY_{section}__{name}", str(33400 + number))
    return Settings.load()


def test_free_preferred_ports_are_taken_in_silence(settings: Settings) -> None:
    told: list[str] = []
    assert choose_ports(settings, {}, told.append) == preferred_ports(settings)
    assert told == []


def test_for_a_taken_one_another_is_chosen_and_the_holder_told(settings: Settings) -> None:
    told: list[str] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.mongo.port))
        taken.listen(1)
        chosen = choose_ports(settings, {}, told.append)
    assert chosen["mongo"] != settings.mongo.port
    (line,) = told
    assert f"port {settings.mongo.port} (mongo) is held by " in line
    assert f"(process {os.getpid()}): taking {chosen['mongo']}" in line


def test_a_stack_gets_the_port_again_that_it_had(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.mongo.port))
        taken.listen(1)
        assert choose_ports(settings, {"mongo": 33499}, lambda _: None)["mongo"] == 33499


def test_two_homes_that_start_at_once_choose_apart(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = choose_ports(settings, {}, lambda _: None)
    monkeypatch.setenv("LATENCY_HOME", str(tmp_path / "other"))
    second = choose_ports(Settings.load(), {}, lambda _: None)
    assert not set(first.values()) & set(second.values())


def test_what_a_stack_chose_long_ago_is_free_if_nobody_listens(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_ports(settings, {}, lambda _: None)
    monkeypatch.setattr(claims, "_UNWRITTEN_S", 0.0)
    monkeypatch.setenv("LATENCY_HOME", str(tmp_path / "other"))
    assert choose_ports(Settings.load(), {}, lambda _: None) == preferred_ports(settings)


def test_ports_of_another_stack_that_is_up_are_left_to_it(settings: Settings) -> None:
    other = StackFolder(settings.home.stack("other"))
    other.make()
    Plan(settings.model_dump(mode="json"), preferred_ports(settings)).write(other)
    assert choose_ports(settings, {}, lambda _: None) == preferred_ports(settings)  # it is down
    write_whole(other.endpoints, msgspec.json.encode({}))
    told: list[str] = []
    chosen = choose_ports(settings, {}, told.append)
    assert not set(chosen.values()) & set(preferred_ports(settings).values())
    assert all("is held by stack other" in line for line in told)
