from __future__ import annotations

import os
import socket

import msgspec
import pytest

from stack.blueprint import Plan
from stack.choice import choose_ports, preferred_ports
from stack.files import write_whole
from stack.places import Home, StackFolder
from stack.settings import Settings


@pytest.fixture
def settings(home: Home, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings whose preferred ports are free now."""
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
