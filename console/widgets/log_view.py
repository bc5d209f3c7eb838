"""Log lines, many of them: only what is on the screen is drawn."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console.feed.log_filter import LogFilter
from console.feed.logs import LogLine

MOST_HELD = 10_000
_NAME = 11


class LogView(ScrollView, can_focus=True):
    """Follows the end until it is scrolled up, and again from the end on. Text is drawn as it is, never as markup."""

    COMPONENT_CLASSES = {"log--service", "log--found", "log--grave"}  # noqa: RUF012 (Textual's own shape)
    DEFAULT_CSS = """
    LogView {
        border: round $panel-lighten-2; border-title-color: $foreground-muted; border-subtitle-color: $foreground-muted;
        padding: 0 1; height: 1fr;
        &:focus { border: round $primary; border-title-color: $primary; }
        & > .log--service { color: $primary; }
        & > .log--found { background: $warning-muted; color: $text-warning; }
        & > .log--grave { color: $text-error; }
    }
    """

    class Followed(Message):
        """Following began or ended."""

    def __init__(self, clock: Callable[[], float] = time.time, id: str | None = None) -> None:
        super().__init__(id=id)
        self.following = True
        self.wrap = False
        self.filter = LogFilter()
        self._clock = clock
        self._held: deque[LogLine] = deque(maxlen=MOST_HELD)
        self._rows: list[tuple[LogLine, str, bool]] = []
        """(line, the part of it in this row, whether it is the line's first)"""

    @property
    def shown(self) -> int:
        """Lines that the filter leaves."""
        return sum(first for _, _, first in self._rows)

    def add(self, lines: Iterable[LogLine]) -> None:
        """Take in lines; those held longest go."""
        fresh = list(lines)
        if not fresh:
            return
        full = len(self._held) + len(fresh) > MOST_HELD
        self._held.extend(fresh)
        if full:
            self.refilter()
            return
        now_s = self._clock()
        self._rows += [row for line in fresh if self.filter.shows(line, now_s) for row in self._split(line)]
        self._resized()

    def refilter(self) -> None:
        """Choose anew what is shown, after the filter or the width has changed."""
        now_s = self._clock()
        before = len(self._rows)
        self._rows = [row for line in self._held if self.filter.shows(line, now_s) for row in self._split(line)]
        if not self.following:
            self.scroll_to(y=self.scroll_y + min(0, len(self._rows) - before), animate=False)
        self._resized()

    def _split(self, line: LogLine) -> Iterable[tuple[LogLine, str, bool]]:
        if not self.wrap:
            return ((line, line.text, True),)
        width = max(10, self.scrollable_content_region.width - self._margin)
        parts = [line.text[at : at + width] for at in range(0, max(1, len(line.text)), width)]
        return ((line, part, not number) for number, part in enumerate(parts))

    @property
    def _margin(self) -> int:
        return 0 if self.filter.service else _NAME

    def _resized(self) -> None:
        widest = 0 if self.wrap else max((len(text) for _, text, _ in self._rows[-2000:]), default=0) + self._margin
        self.virtual_size = Size(widest, len(self._rows))
        if self.following:
            self._to_end()
        self.refresh()

    def _to_end(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False, force=True, immediate=True)

    def on_resize(self) -> None:
        if self.wrap:
            self.refilter()
        else:
            self._resized()

    def follow(self, following: bool) -> None:
        """Keep to the end, or stay where it is."""
        self._note_following(following)
        if following:
            self._to_end()

    def _note_following(self, following: bool) -> None:
        if following != self.following:
            self.following = following
            self.post_message(self.Followed())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling up ends the following, coming to the end begins it."""
        super().watch_scroll_y(old_value, new_value)
        if new_value < old_value and new_value < self.max_scroll_y:
            self._note_following(False)
        elif not self.following and new_value >= self.max_scroll_y > 0:
            self._note_following(True)

    def render_line(self, y: int) -> Strip:
        """One row."""
        left, top = self.scroll_offset
        width = self.scrollable_content_region.width
        at = top + y
        base = self.rich_style
        if at >= len(self._rows):
            return Strip.blank(width, base)
        line, text, first = self._rows[at]
        segments = self._text(line, text, base)
        if self._margin:
            name = f"{line.service[: _NAME - 1]:<{_NAME}}" if first else " " * _NAME
            segments.insert(0, Segment(name, base + self._style("service")))
        return Strip(segments).crop_extend(left, left + width, base)

    def _text(self, line: LogLine, text: str, base: Style) -> list[Segment]:
        grave = any(word in line.text for word in (" ERROR", "FATAL", "Exception", " E ", "Traceback"))
        plain = base + self._style("grave") if grave else base
        regex = None if self.filter.inverse else self.filter.regex
        if regex is None:
            return [Segment(text, plain)]
        segments, at = [], 0
        for found in regex.finditer(text):
            segments += [
                Segment(text[at : found.start()], plain),
                Segment(found[0], base + self._style("found")),
            ]
            at = found.end()
        return [*segments, Segment(text[at:], plain)]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"log--{name}", partial=True)
