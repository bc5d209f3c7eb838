from __future__ import annotations

import pytest

from stack.service import NotYetError
from tests.dashboard.database_fixture import RealMongod, free_port
from tests.dashboard.serving import definition


def options(server: RealMongod, **settings: object) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for argument in definition(server, free_port(), **settings).command[3:]:
        key, _, value = argument.removeprefix("--").partition("=")
        found.setdefault(key, []).append(value)
    return found


def test_it_listens_on_loopback_with_every_protection_on(server: RealMongod) -> None:
    given = options(server)
    assert given["server.address"] == ["127.0.0.1"]
    assert given["server.enableCORS"] == given["server.enableXsrfProtection"] == ["true"]
    assert given["server.allowedHosts"] == ["localhost", "127.0.0.1"]
    assert given["browser.gatherUsageStats"] == ["false"]
    assert given["client.showErrorDetails"] == ["none"]


def test_further_names_are_allowed_and_everywhere_is_no_name(server: RealMongod) -> None:
    given = options(server, address="0.0.0.0", hosts=("shop.example",))  # noqa: S104 - not bound here
    assert given["server.allowedHosts"] == ["localhost", "127.0.0.1", "shop.example"]


def test_no_secret_stands_in_its_command_or_environment(server: RealMongod) -> None:
    service = definition(server, free_port())
    told = " ".join([*service.command, *service.environment.values()])
    assert not [user for user, password in server.access.credentials.mongo.items() if password in told]


def test_it_is_not_ready_before_it_answers(server: RealMongod) -> None:
    with pytest.raises(NotYetError, match="no answer from"):
        definition(server, free_port()).probe()
