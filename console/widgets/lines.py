"""Putting styled text together, line by line."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

MUTED = "$foreground-muted"

Part = str | Content | tuple[str, str]


def line(*parts: Part) -> Content:
    """One line of styled parts. Texts are taken as they are, never as markup."""
    return Content.assemble(*parts)


def lines(each: Iterable[Content]) -> Content:
    """Lines one below the other."""
    return Content("\n").join(list(each))
