"""Log files as foreign text: their ends, followed or not, without control sequences and secrets."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from measure.decoding import decode
from stack.credentials import secret_values
from stack.places import StackFolder

LONGEST_LINE = 2000
LARGEST_LOG_BYTES = 64 * 1024 * 1024
_KEPT_BYTES = 1024 * 1024
_READ_BYTES = 256 * 1024
_FOLLOW_S = 0.2

_CONTROL_SEQUENCE = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles, links, the clipboard
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, movement
    r"|\x1b[ -/]*[0-~]?"  # the rest
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_URI_SECRET = re.compile(r"(://[^\s:/@]*:)[^\s/@]+@")
_FATAL = re.compile(r"^\S+ F \w+: |No space left on device")
"""Of mongod, and of a full disk: the first one says why, those after it only that it ends."""
_TELLING = (
    re.compile(r"^Caused by: "),
    re.compile(r"^\S+ E \w+: |\b(?:FATAL|ERROR)\b"),
    re.compile(r"error|exception|fatal|cannot|failed|refused|denied|no space", re.IGNORECASE),
)
"""What explains an end, the best first; the last line of the first kind that is there."""
_STACK_FRAME = re.compile(r"\s+at \S+\(|\s+\.\.\. \d+ more|\s+File \"")


def clean(text: str, secrets: Iterable[str] = ()) -> str:
    """One line of foreign text made safe to show: control sequences and secrets out, cut at 2,000 characters."""
    plain = _CONTROL.sub("", _CONTROL_SEQUENCE.sub("", text.rstrip("\r\n"))).replace("\t", "    ")
    plain = _URI_SECRET.sub(r"\1***@", plain)
    for secret in secrets:
        plain = plain.replace(secret, "***")
    plain = _readable(plain)
    return plain if len(plain) <= LONGEST_LINE else plain[:LONGEST_LINE] + " …"


def _readable(line: str) -> str:
    """A line of mongod, which logs JSON, as others log: time, level, component, message, details."""
    if not line.startswith('{"t":{"$date"'):
        return line
    try:
        said = decode(line, dict[str, Any])
        details = said.get("attr")
        more = " " + msgspec.json.encode(details).decode() if details else ""
        return f"{said['t']['$date']} {said['s']} {said['c']}: {' '.join(said['msg'].split())}{more}"
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        return line


def tail(log: Path, folder: StackFolder, lines: int, since_byte: int = 0) -> list[str]:
    """The last lines of a log, made safe, from `since_byte` on; none where there is no log."""
    return _lines_before(log, folder, lines, since_byte, _size(log))


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _lines_before(log: Path, folder: StackFolder, lines: int, since_byte: int, end: int) -> list[str]:
    if not lines or not end:
        return []
    if since_byte > end:  # it was cut short meanwhile
        since_byte = 0
    start = max(since_byte, end - _READ_BYTES)
    with log.open("rb") as file:
        file.seek(start)
        raw = file.read(end - start).decode("utf-8", "replace").splitlines()
    secrets = secret_values(folder)
    return [clean(line, secrets) for line in raw[-lines:]]


def last_words(log: Path, folder: StackFolder, since_byte: int = 0) -> str:
    """Why a process ended, as its log tells: the most telling line, then the last ones, indented."""
    found = [line for line in tail(log, folder, 200, since_byte) if line.strip()]
    if not found:
        return f"it logged nothing ({log})"
    plain = [line for line in found if not _STACK_FRAME.match(line)]
    telling = _telling(plain or found)
    context = "\n".join(f"    {line[:300]}" for line in found[-8:])
    return f"{telling.strip()[:400]}\n  last lines of {log}:\n{context}"


def _telling(lines: list[str]) -> str:
    fatal = next((line for line in lines if _FATAL.search(line)), None)
    return fatal or next((line for kind in _TELLING for line in reversed(lines) if kind.search(line)), lines[-1])


def follow(log: Path, folder: StackFolder, lines: int, going: Callable[[], bool]) -> Iterator[str]:
    """The last lines and then each new one while `going`, over restarts and over the log being cut short."""
    position = _size(log)
    yield from _lines_before(log, folder, lines, 0, position)
    secrets = secret_values(folder)
    part = b""
    while going():
        size = _size(log)
        if size < position:
            position, part = 0, b""
        if size == position:
            time.sleep(_FOLLOW_S)
            continue
        with log.open("rb") as file:
            file.seek(position)
            fresh = file.read(_READ_BYTES)
        position += len(fresh)
        *whole, part = (part + fresh).split(b"\n")
        part = part[-_READ_BYTES:]
        yield from (clean(line.decode("utf-8", "replace"), secrets) for line in whole)


def cut_short(log: Path) -> None:
    """Where a log has grown too large, keep its end beside it and begin anew. Its writer appends, so may go on."""
    if not log.exists() or log.stat().st_size <= LARGEST_LOG_BYTES:
        return
    with log.open("rb") as file:
        file.seek(-_KEPT_BYTES, 2)
        log.with_suffix(".log.1").write_bytes(file.read())
    with log.open("r+b") as file:
        file.truncate(0)
