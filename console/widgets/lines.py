"""Putting styled text together, line by line."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

from textual.content import Content

MUTED = "$foreground-muted"

Part = str | Content | tuple[str, str]


def line(*parts: Part) -> Content:
    """One line of styled parts. Texts are taken as they are, never as markup."""
    return Content.assemble(*parts)


def hanging(head: Content, text: str, width: int, style: str = "") -> Content:
    """`head`, and beside it `text`, whose further lines begin where its first does. `width` columns in all."""
    room = max(16, width - head.cell_length)
    first, *others = wrap(text, room) or [""]
    indent = " " * head.cell_length
    return lines([line(head, (first, style)), *(line(indent, (other, style)) for other in others)])


def lines(each: Iterable[Content]) -> Content:
    """Lines one below the other."""
    return Content("\n").join(list(each))
