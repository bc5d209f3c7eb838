"""What lies below a dialog, dimmed: Textual's own way takes 20 ms at every paint, since it blends each stretch anew."""

from __future__ import annotations

from functools import lru_cache
from typing import Self, cast

from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.color import Color
from textual.css.styles import RulesMap
from textual.geometry import Region, Size
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual

from console.screens.styled import StyledScreen


class Veiled(StyledScreen[ScreenResultType], ModalScreen[ScreenResultType]):
    """A dialog through whose background the screen below is seen."""

    DEFAULT_CSS = "Veiled { background: $background 60%; }"

    _below: _Below | None = None
    """Kept while it is on show, for a dialog is painted more than once until it stands."""

    def render(self) -> RenderableType:
        """The screen below, dimmed."""
        stack = self.app.screen_stack
        at = stack.index(self) if self in stack else 0
        if not at:
            return super().render()
        tint = self.styles.background
        if self._below is None or self._below.tint != tint:
            self._below = _Below(stack[at - 1], tint)
        return cast("RenderableType", self._below)

    def on_screen_suspend(self) -> None:
        """The next time, it may lie on another screen."""
        self._below = None

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Regions are those in which the screen below has changed."""
        if regions:
            self._below = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


class _Below(Visual):
    """Another screen's rows under a tint."""

    def __init__(self, screen: Screen[object], tint: Color) -> None:
        self._screen, self.tint = screen, tint
        self._strips: dict[Size, list[Strip]] = {}

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        size = Size(width, self._screen.size.height if height is None else height)
        if size not in self._strips:
            self._strips = {size: self._painted(size)}
        return self._strips[size]

    def _painted(self, size: Size) -> list[Strip]:
        return [
            Strip([Segment(text, _dimmed(style, self.tint)) for text, style, _ in strip], strip.cell_length)
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
