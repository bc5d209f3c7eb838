"""Faults as marks on a run's time line, whoever injected them."""

from __future__ import annotations

from collections.abc import Iterator

from measure.records import MarkLine
from stack.faults import Fault, history
from stack.places import StackFolder


class FaultMarks:
    """Asked now and then, tells each edge of each fault once: its signal, and its undoing."""

    def __init__(self, folder: StackFolder, since_us: int) -> None:
        self._folder = folder
        self._since_us = since_us
        self._told: set[tuple[str, str]] = set()

    def fresh(self) -> list[MarkLine]:
        """The marks that are new since the last call, oldest first. Reads two small files."""
        edges = [edge for fault in history(self._folder, self._since_us) for edge in _edges(fault)]
        new = [(key, mark) for key, mark in edges if key not in self._told]
        self._told.update(key for key, _ in new)
        return sorted((mark for _, mark in new), key=lambda mark: mark.at_us)


def _edges(fault: Fault) -> Iterator[tuple[tuple[str, str], MarkLine]]:
    if not fault.acted and fault.ended_us is None:  # noted, and not yet done
        return
    yield (fault.id, "begin"), _mark(fault, "begin", fault.began_us, f"{fault.kind} {fault.service}: {fault.proof}")
    if fault.ended_us is not None:
        yield (fault.id, "end"), _mark(fault, "end", fault.ended_us, f"{fault.kind} {fault.service}: undone")


def _mark(fault: Fault, edge: str, at_us: int, text: str) -> MarkLine:
    return MarkLine(at_us, "fault", text, fault=str(fault.kind), service=fault.service, edge=edge, acted=fault.acted)
