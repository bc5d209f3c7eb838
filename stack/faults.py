"""Faults on purpose: done to every process of a service, proved, noted, undone.

A fault in force stands in the stack's `faults.json` before it is done and until it is undone, so that whoever comes
after a crash can undo it (`sweep`). Each one that is over, or that was done, is a line in `faults.jsonl`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import msgspec

from measure.decoding import convert, decode
from measure.errors import InvalidError, LatencyError, UsageError
from stack import process
from stack.files import write_whole
from stack.interruption import uninterrupted
from stack.places import StackFolder
from stack.settings import Settings
from stack.supervision import ask
from stack.victims import Victim, victims

_PROOF_S = 15.0
_POLL_S = 0.02
_PATIENCE_S = 15.0


class Kind(StrEnum):
    """What can be done to a local process."""

    KILL = "kill"
    PAUSE = "pause"


DEFAULT_FOR_S = {Kind.KILL: 0.0, Kind.PAUSE: 10.0}
"""Seconds that a fault lasts where nothing is said. A killed service is kept down that long."""
LONGEST_S = 3600.0


class Fault(msgspec.Struct, frozen=True):
    """One fault. Times are µs of the epoch."""

    id: str
    kind: Kind
    service: str
    for_s: float
    began_us: int
    """The signal."""
    pids: list[int] = []
    """The processes that it reached."""
    acted: bool = False
    proof: str = ""
    """What was seen that shows that it acted."""
    ended_us: int | None = None
    """The undoing; for a kill the end of the time for which the service is kept down. None: in force."""


def new_fault(kind: str, service: str, for_s: float | None) -> Fault:
    """A fault to be done now. UsageError for a kind or a time that cannot be."""
    if kind not in list(Kind):
        raise UsageError(f"fault {kind!r} does not exist; there are: {', '.join(Kind)}.")
    lasting = DEFAULT_FOR_S[Kind(kind)] if for_s is None else for_s
    if not 0 <= lasting <= LONGEST_S or (kind == Kind.PAUSE and lasting == 0):
        raise UsageError(f"a {kind} of {lasting:g} s: expected up to {LONGEST_S:.0f} s, and for a pause more than 0.")
    return Fault(secrets.token_hex(4), Kind(kind), service, lasting, now_us())


def now_us() -> int:
    """µs of the epoch."""
    return time.time_ns() // 1000


def do(folder: StackFolder, fault: Fault) -> Fault:
    """Do it to all processes of the service and prove it. InvalidError where it did not act (it is undone then)."""
    targets = victims(folder, fault.service)
    fault = msgspec.structs.replace(fault, pids=[target.pid for target in targets])
    write_journal(folder, fault)
    began_us = now_us()
    if fault.kind is Kind.KILL:
        for target in targets:
            target.kill()
        acted = bool(targets) and _await(lambda: all(target.is_gone() for target in targets))
    else:
        acted = _await(lambda: all([_hold(target) for target in targets])) and any(t.is_paused() for t in targets)
    pids = ", ".join(map(str, fault.pids)) or "none"
    what = "gone" if fault.kind is Kind.KILL else "stopped"
    fault = msgspec.structs.replace(fault, acted=acted, began_us=began_us, proof=f"processes {pids}: {what}")
    if not acted:
        undo(folder, fault)
        refusals = "".join(f"; {target.refusal}" for target in targets if target.refusal)
        raise InvalidError(f"the {fault.kind} of {fault.service} did not act: processes found: {pids}{refusals}.")
    write_journal(folder, fault)
    return fault


def undo(folder: StackFolder, fault: Fault) -> Fault:
    """Let the processes go on, take the fault out of the journal, and note it in the history. May be repeated."""
    if fault.kind is Kind.PAUSE:
        release(folder, fault)
    fault = msgspec.structs.replace(fault, ended_us=now_us())
    with process.open_log(_history(folder)) as file:
        process.append(file, msgspec.json.encode(fault) + b"\n")
    folder.faults.unlink(missing_ok=True)  # last: who waits for this looks into the history then
    return fault


def release(folder: StackFolder, fault: Fault) -> None:
    """Let what there is of the service now go on."""
    there = victims(folder, fault.service)
    _await(lambda: all([_let_go(one) for one in there]))


def sweep(folder: StackFolder) -> Fault | None:
    """Undo the fault that a crash left in force; the fault, if there was one."""
    left = read_journal(folder)
    return undo(folder, left) if left is not None else None


def read_journal(folder: StackFolder) -> Fault | None:
    """The fault in force, if one is."""
    try:
        return decode(folder.faults.read_bytes(), Fault)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError:
        folder.faults.unlink(missing_ok=True)
        return None


def write_journal(folder: StackFolder, fault: Fault) -> None:
    """Note the fault in force."""
    write_whole(folder.faults, msgspec.json.encode(fault))


def history(folder: StackFolder, since_us: int = 0) -> list[Fault]:
    """The faults that were over at or after `since_us`, oldest first, and the one in force."""
    try:
        lines = _history(folder).read_bytes().splitlines()
    except FileNotFoundError:
        lines = []
    over = [fault for line in lines if (fault := _read(line)) is not None]
    current = read_journal(folder)
    return [f for f in over if (f.ended_us or 0) >= since_us] + ([current] if current else [])


def _read(line: bytes) -> Fault | None:
    """None of a line that a full disk or a loss of power cut short, with whatever was appended to it."""
    try:
        return decode(line, Fault)
    except msgspec.DecodeError:
        return None


def _history(folder: StackFolder) -> Path:
    return folder.faults.with_suffix(".jsonl")


def _hold(target: Victim) -> bool:
    """Pause it, and whether it is, or has ended by itself meanwhile. (Asked for again and again: an engine may fail to
    freeze a busy container.)"""
    if not target.is_paused():
        target.pause()
    return target.is_paused() or target.is_gone()


def _let_go(target: Victim) -> bool:
    """Let it go on, and whether it does."""
    target.resume()
    return not target.is_paused()


def _await(seen: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _PROOF_S
    while not seen():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def begin(settings: Settings, kind: str, service: str, for_s: float | None) -> Fault:
    """Have the supervisor do a fault; it is proved when this returns, and the supervisor undoes it in time."""
    answer = ask(settings.folder, {"do": "fault", "kind": kind, "service": service, "for_s": for_s})
    return convert(answer["fault"], Fault)


def end(settings: Settings) -> None:
    """Undo the fault in force now. Works without a supervisor too, and where there is none to undo."""
    try:
        ask(settings.folder, {"do": "undo"})
    except LatencyError:
        sweep(settings.folder)


def inject(
    settings: Settings, kind: str, service: str, for_s: float | None, narrate: Callable[[str], None] = lambda _: None
) -> Fault:
    """A whole fault: done, proved, lasting, undone; also when interrupted. The finished fault, with `ended_us`."""
    fault: Fault | None = None
    try:
        with uninterrupted():  # who leaves before the answer would leave a fault that nobody undoes
            fault = begin(settings, kind, service, for_s)
        narrate(f"{fault.kind} of {fault.service}: {fault.proof}")
        deadline = time.monotonic() + fault.for_s + _PATIENCE_S
        while _is_in_force(settings.folder, fault) and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        if fault is not None and _is_in_force(settings.folder, fault):
            end(settings)
    done = [one for one in history(settings.folder, fault.began_us) if one.id == fault.id]
    return done[-1] if done else fault


def _is_in_force(folder: StackFolder, fault: Fault) -> bool:
    current = read_journal(folder)
    return current is not None and current.id == fault.id
