"""The stamp's round trip through Kafka headers, and what is no stamp."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measure.stamp import Stamp

NUMBERS = st.integers(0, 10**18 - 1)


@given(
    st.builds(
        Stamp,
        run=st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z"),
        producer=NUMBERS,
        seq=NUMBERS,
        due_us=NUMBERS,
        sent_us=NUMBERS,
        expect_dead=st.booleans(),
    )
)
def test_a_stamp_comes_back_from_its_headers(stamp: Stamp) -> None:
    assert Stamp.read(stamp.headers()) == stamp


@pytest.mark.parametrize(
    "changed",
    [
        {"run": b""},
        {"run": b"../etc"},
        {"run": b"a" * 101},
        {"seq": b"-1"},
        {"seq": b"1.5"},
        {"due": b"9" * 19},
        {"producer": b"\xff"},
        {"seq": None},
        {"sent": "7"},
    ],
    ids=str,
)
def test_a_malformed_stamp_is_foreign(changed: dict[str, bytes | str | None]) -> None:
    headers: dict[str, bytes | str | None] = dict(Stamp("peak-1", 0, 7, 1_000, 1_001).headers())
    assert Stamp.read((headers | changed).items()) is None


def test_no_headers_are_foreign() -> None:
    assert Stamp.read(None) is None
