"""First uses of a type by many threads at once: what msgspec alone does not survive."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from measure.decoding import convert, decode

RACE = """
import sys, threading, msgspec
from measure.decoding import convert, decode

FIELDS = [(f"field{n}", int | None, None) for n in range(30)]

def race(kind):
    together = threading.Barrier(4)
    def first_use(n):
        together.wait()
        if n % 2:
            decode(b'{"inner": {"field1": 1}}', kind)
        else:
            convert({"inner": {"field1": 1}}, kind)
    threads = [threading.Thread(target=first_use, args=(n,)) for n in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()

sys.setswitchinterval(1e-6)
for n in range(150):
    inner = msgspec.defstruct(f"Inner{n}", FIELDS)
    race(msgspec.defstruct(f"Outer{n}", [("inner", inner), *FIELDS]))
"""


class Pair(msgspec.Struct):
    """Two numbers."""

    left: int
    right: int = 2


def test_threads_may_meet_at_a_types_first_use() -> None:
    ended = subprocess.run([sys.executable, "-X", "faulthandler", "-c", RACE], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_what_is_read_is_of_the_type_asked_for() -> None:
    assert decode(b'{"left": 1}', Pair) == Pair(1)
    assert convert({"left": 1, "right": 3}, Pair) == Pair(1, 3)
    assert convert({"left": "1"}, Pair, strict=False) == Pair(1)
    assert decode(b"[1, 2]", list[int]) == [1, 2]


def test_what_is_not_of_the_type_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(b'{"left": "1"}', Pair)
    with pytest.raises(msgspec.ValidationError):
        convert({"left": "1"}, Pair)
    with pytest.raises(msgspec.DecodeError):
        decode(b"{", Pair)
