"""What lies below a dialog, dimmed: Textual's own way takes 20 ms at every paint, since it blends each stretch anew."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.color import Color
from textual.css.styles import RulesMap
from textual.geometry import Size
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual

from console.screens.styled import StyledScreen


class Veiled(StyledScreen[ScreenResultType], ModalScreen[ScreenResultType]):
    """A dialog through whose background the screen below is seen."""

    DEFAULT_CSS = "Veiled { background: $background 60%; }"

    def render(self) -> RenderableType:
        """The screen below, dimmed."""
        stack = self.app.screen_stack
        at = stack.index(self) if self in stack else 0
        return cast("Any", _Below(stack[at - 1], self.styles.background)) if at else super().render()


class _Below(Visual):
    """Another screen's rows under a tint."""

    def __init__(self, screen: Screen[object], tint: Color) -> None:
        self._screen, self._tint = screen, tint

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        size = Size(width, self._screen.size.height if height is None else height)
        return [
            Strip([Segment(text, _dimmed(style, self._tint)) for text, style, _ in strip], strip.cell_length)
            for strip in self._screen._compositor.render_strips(size)  # noqa: SLF001 (as Textual's own does)
        ]

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:
        return self._screen.size.height


@lru_cache(4096)
def _dimmed(style: RichStyle | None, tint: Color) -> RichStyle | None:
    """`style` without links, its colours blended with `tint`."""
    if style is None:
        return None
    blended = (
        (Color.from_rich_color(color) + tint).rich_color if color is not None else None
        for color in (style.color, style.bgcolor)
    )
    return style.clear_meta_and_links() + RichStyle.from_color(*blended)
