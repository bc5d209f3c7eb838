"""Log files as foreign text: their ends, followed or not, without control sequences and secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from stack.credentials import secret_values
from stack.places import StackFolder

LONGEST_LINE = 2000

_CONTROL_SEQUENCE = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles, links, the clipboard
    r"|\x1b[P^_X][^\x1b]*(?:\x1b\\)?"  # DCS, PM, APC, SOS
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, movement
    r"|\x1b[@-Z\\-_ -/0-~]?"  # the rest
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_URI_SECRET = re.compile(r"(://[^\s:/@]*:)[^\s/@]+@")


def clean(text: str, secrets: Iterable[str] = ()) -> str:
    """One line of foreign text made safe to show: control sequences and secrets out, cut at 2,000 characters."""
    plain = _CONTROL.sub("", _CONTROL_SEQUENCE.sub("", text.rstrip("\r\n"))).replace("\t", "    ")
    plain = _URI_SECRET.sub(r"\1***@", plain)
    for secret in secrets:
        plain = plain.replace(secret, "***")
    return plain if len(plain) <= LONGEST_LINE else plain[:LONGEST_LINE] + " …"


def tail(log: Path, folder: StackFolder, lines: int, read_bytes: int = 256 * 1024) -> list[str]:
    """The last lines of a log, made safe; none where there is no log."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - read_bytes))
            raw = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []
    secrets = secret_values(folder)
    return [clean(line, secrets) for line in raw[-lines:]]


def last_lines(log: Path, folder: StackFolder, lines: int = 12) -> str:
    """The last lines, indented, for an error message."""
    found = [line for line in tail(log, folder, lines) if line.strip()]
    return "\n".join(f"    {line[:300]}" for line in found) or "    (the log is empty)"
