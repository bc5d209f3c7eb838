"""Faults as marks: each edge once, and one that did not act is said to have not."""

from __future__ import annotations

from pathlib import Path

import msgspec

from scenarios.fault_marks import FaultWatch
from stack.faults import Fault, Kind, undo, write_journal
from stack.places import StackFolder


def fault(**changes: object) -> Fault:
    made = Fault("f1", Kind.KILL, "spark", 0.0, 1_000_000, [7], True, "processes 7: gone")
    return msgspec.structs.replace(made, **changes)


def test_each_edge_is_told_once_when_it_is_certain(tmp_path: Path) -> None:
    stack = StackFolder(tmp_path)
    watch = FaultWatch(stack, since_us=0)
    assert watch.look() == []
    write_journal(stack, fault(acted=False, proof=""))
    assert watch.look() == []
    write_journal(stack, fault())
    (begun,) = watch.look()
    assert (begun.edge, begun.at_us, begun.fault, begun.service, begun.acted) == (
        "begin",
        1_000_000,
        "kill",
        "spark",
        True,
    )
    assert watch.look() == []
    undo(stack, fault())
    (over,) = watch.look()
    assert (over.edge, over.fault) == ("end", "kill")
    assert over.at_us > begun.at_us
    assert watch.look() == []


def test_one_that_did_not_act_is_a_mark_that_says_so(tmp_path: Path) -> None:
    stack = StackFolder(tmp_path)
    undo(stack, fault(acted=False, proof=""))
    begun, over = FaultWatch(stack, since_us=0).look()
    assert (begun.acted, begun.text) == (False, "kill of spark: not seen to act")
    assert over.edge == "end"


def test_faults_that_were_over_before_the_run_are_not_of_it(tmp_path: Path) -> None:
    stack = StackFolder(tmp_path)
    ended = undo(stack, fault())
    assert ended.ended_us is not None
    assert FaultWatch(stack, since_us=ended.ended_us + 1).look() == []
