"""Foreign text (names, log lines, marks, versions) made safe to show, and escaped for each kind of report.

Nothing of it is ever read as markup: control sequences go, and what a format would take as its own is escaped.
"""

from __future__ import annotations

import re
import unicodedata

_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|\Z)"  # OSC, DCS and the like
    r"|\x1b[ -/]*[0-~]"  # two-character sequences
)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|~&!$#])")
_LIST_START = re.compile(r"^(\s*)(?:([-+])(?=\s|-|$)|(\d+)([.)])(?=\s|$)|(=)(?==*\s*$))")
_LINK = re.compile(r"(?<=:)(?=//)|(?<=\bwww)(?=\.)", re.IGNORECASE)


def plain(text: str, limit: int | None = 500) -> str:
    """`text` on one line, without control sequences, control or direction-changing characters, cut at `limit`."""
    shown = " ".join("".join(_visible(_ANSI.sub("", text))).split())
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def _visible(text: str) -> list[str]:
    return [" " if character.isspace() else character for character in text if _allowed(character)]


def _allowed(character: str) -> bool:
    if character.isspace():
        return True
    category = unicodedata.category(character)
    if category in ("Cc", "Cs", "Co", "Cn"):
        return False
    return category != "Cf" or character in "\u200c\u200d"  # joiners shape letters; the rest of Cf hides or turns text


def markdown(text: str, limit: int | None = 500) -> str:
    """`text` as Markdown that reads as that text wherever it is put: in a paragraph, an item, or a table's cell."""
    escaped = _MARKDOWN.sub(r"\\\1", plain(text, limit))
    escaped = _LINK.sub("\\\\", escaped)
    return _LIST_START.sub(_escaped_start, escaped)


def _escaped_start(found: re.Match[str]) -> str:
    space, bullet, number, stop, line = found.groups()
    if bullet or line:
        return f"{space}\\{bullet or line}"
    return f"{space}{number}\\{stop}"
