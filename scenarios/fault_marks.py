"""Faults on the run's time line: when each began, whether it acted, when it was undone."""

from __future__ import annotations

from collections.abc import Iterator

from measure.records import MarkLine
from stack.faults import Fault, history
from stack.places import StackFolder


class FaultWatch:
    """Reads the stack's records of faults; tells each edge once."""

    def __init__(self, stack: StackFolder, since_us: int) -> None:
        self._stack, self._since_us = stack, since_us
        self._told: set[tuple[str, str]] = set()

    def look(self) -> list[MarkLine]:
        """The edges that came since the last call."""
        return [mark for fault in history(self._stack, self._since_us) for mark in self._edges(fault)]

    def _edges(self, fault: Fault) -> Iterator[MarkLine]:
        settled = fault.acted or fault.ended_us is not None
        if settled and self._is_new(fault, "begin"):
            text = f"{fault.kind} of {fault.service}: {fault.proof if fault.acted else 'not seen to act'}"
            yield _mark(fault, fault.began_us, "begin", text)
        if fault.ended_us is not None and self._is_new(fault, "end"):
            yield _mark(fault, fault.ended_us, "end", f"{fault.kind} of {fault.service} is over")

    def _is_new(self, fault: Fault, edge: str) -> bool:
        if (fault.id, edge) in self._told:
            return False
        self._told.add((fault.id, edge))
        return True


def _mark(fault: Fault, at_us: int, edge: str, text: str) -> MarkLine:
    return MarkLine(at_us, "fault", text, str(fault.kind), fault.service, edge, fault.acted)
