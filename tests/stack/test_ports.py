from __future__ import annotations

import os
import random
import socket

import pytest

from measure.errors import NotReadyError
from stack import ports
from stack.ports import find_free, holder, is_free


@pytest.fixture
def listener() -> socket.socket:
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen(1)
    return taken


def test_a_taken_port_is_not_free_and_its_holder_is_named(listener: socket.socket) -> None:
    with listener:
        port = listener.getsockname()[1]
        assert not is_free(port)
        assert holder(port).pid == os.getpid()
        assert f"process {os.getpid()}" in str(holder(port))
    assert is_free(port)


def test_a_free_port_is_found_beside_those_that_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_FREE_RANGE", range(23450, 23453))
    assert find_free({23450, 23452}, random.SystemRandom()) == 23451
    with pytest.raises(NotReadyError, match="no free port between 23450 and 23453"):
        find_free({23450, 23451, 23452}, random.SystemRandom())
