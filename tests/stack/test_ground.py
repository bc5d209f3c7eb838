"""Ports before a start: who lives is named, who is ending is waited for."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from measure.errors import NotReadyError
from stack.ground import require_ports
from stack.service import Service

LARGE_LISTENER = """
import socket, sys
held = bytearray(1_500_000_000)
held[::4096] = b"x" * len(held[::4096])
line = socket.create_server(("127.0.0.1", 0))
print(line.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def listener() -> Iterator[subprocess.Popen[str]]:
    """A process that takes a while to die: it has much memory to give back before it closes its port."""
    with subprocess.Popen(
        [sys.executable, "-c", LARGE_LISTENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        yield started
        started.kill()


def on(port: int) -> Service:
    return Service("spark", ("true",), {}, {"ui": port}, Path("spark.log"), lambda: None)


def test_who_is_ending_is_waited_for(listener: subprocess.Popen[str]) -> None:
    assert listener.stdout is not None
    port = int(listener.stdout.readline())
    listener.kill()
    require_ports(on(port))
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_who_lives_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(NotReadyError, match=rf"spark: its port {port} \(ui\) is held by .*{os.getpid()}"):
            require_ports(on(port))
