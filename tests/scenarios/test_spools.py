"""Spools: written by a producer's ledger, followed by the run process, killed at any byte."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from measure.sequences import from_ranges
from scenarios.ledger import Ledger, ranges
from scenarios.spools import Spools, Tally


@given(st.sets(st.integers(0, 300)))
def test_ranges_hold_the_same_numbers_in_as_few_pairs_as_can_be(numbers: set[int]) -> None:
    found = ranges(numbers)
    assert from_ranges(found) == BitMap(numbers)
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(found))


def ledger(path: Path) -> Ledger:
    made = Ledger(path, cpu_s=1.0)
    for seq in range(10):
        if seq in (3, 4):
            made.given_up(seq)
        else:
            made.handed_over(seq, late_us=2_000 if seq == 5 else 10)
    for seq in (0, 1, 2, 6, 7):
        made.reported(seq, None, None)
    made.reported(8, "refused", None)
    return made


def test_what_a_ledger_spools_is_what_the_run_process_counts(tmp_path: Path) -> None:
    path = tmp_path / "0.spool"
    written = ledger(path)
    spools = Spools([path, tmp_path / "1.spool"])
    assert spools.read() == Tally()
    written.spool(1, cpu_s=1.25)
    assert spools.read() == Tally(sent=8, acked=5, failed=1, unsent=2, late=1, cpu_s=0.25)
    assert spools.acked == {0: BitMap([0, 1, 2, 6, 7]), 1: BitMap()}
    assert written.outstanding == 2
    written.reported(5, None, None)
    written.reported(9, None, None)
    written.spool(2, cpu_s=1.5)
    written.close()
    assert spools.read() == Tally(sent=8, acked=7, failed=1, unsent=2, late=1, cpu_s=0.5)


def test_a_line_that_is_half_written_waits_for_its_rest(tmp_path: Path) -> None:
    path = tmp_path / "0.spool"
    written = ledger(path)
    written.spool(1, cpu_s=1.0)
    written.close()
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        spools = Spools([path])
        assert spools.read() == Tally()
        path.write_bytes(whole)
        assert spools.read().acked == 5
