"""Foreign text made safe to show: product names, reasons, dead letters, run names.

Nothing here trusts its input. Control characters, terminal sequences and characters that reorder text are taken out,
long text is cut, and `literal` also hides every sign that Markdown could read.
"""

from __future__ import annotations

import re
import unicodedata

SHORT = 120
"""Characters of a name that are shown."""

_SEQUENCES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.|[\x9b\x9d][^\x07]{0,64}")
_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def plain(text: object, limit: int = SHORT) -> str:
    """`text` on one line, without control or reordering characters, of at most `limit` characters."""
    shown = str(text)[: limit * 8]
    shown = " ".join(_visible(_SEQUENCES.sub("", shown), " ").split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def literal(text: object, limit: int = SHORT) -> str:
    """`plain` text as Markdown that shows just these characters."""
    return _MARKDOWN.sub(r"\\\1", plain(text, limit))


def block(raw: bytes | str, limit: int = 16_384) -> str:
    """Bytes of any kind as text of several lines; what is not UTF-8 is written as `\\xNN`."""
    text = raw if isinstance(raw, str) else raw[: limit * 4].decode("utf-8", "backslashreplace")
    shown = _visible(_SEQUENCES.sub("", text[: limit * 2]), "�", keep="\n\t")
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _visible(text: str, stand_in: str, keep: str = "") -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if character in keep or unicodedata.category(character) not in _HIDDEN else stand_in
        for character in text
    )
