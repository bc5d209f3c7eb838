"""Log lines, many of them: only what is on the screen is drawn."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import NamedTuple

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


class _Row(NamedTuple):
    """What stands in one row: all of a line, or a part of it."""

    number: int
    """Of the line, in the order in which they came."""
    line: LogLine
    text: str
    first: bool


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
        self._came = 0
        """Lines that were ever taken in: each has its number."""
        self._rows: list[_Row] = []

    @property
    def shown(self) -> int:
        """Lines that the filter leaves."""
        return sum(row.first for row in self._rows)

    def add(self, lines: Iterable[LogLine]) -> None:
        """Take in lines; those held longest go, and where it does not follow, what is on the screen stays there."""
        fresh = list(lines)[-MOST_HELD:]
        if not fresh:
            return
        self._held.extend(fresh)
        self._rows += self._rows_of(fresh, self._came)
        self._came += len(fresh)
        gone = bisect_left(self._rows, self._oldest, key=attrgetter("number"))
        del self._rows[:gone]
        if gone and not self.following:
            self.scroll_to(y=self.scroll_y - gone, animate=False, force=True)
        self._resized()

    @property
    def _oldest(self) -> int:
        return self._came - len(self._held)

    def refilter(self) -> None:
        """Choose anew what is shown, after the filter or the width has changed."""
        before = len(self._rows)
        self._rows = self._rows_of(self._held, self._oldest)
        if not self.following:
            self.scroll_to(y=self.scroll_y + min(0, len(self._rows) - before), animate=False)
        self._resized()

    def _rows_of(self, lines: Iterable[LogLine], first: int) -> list[_Row]:
        """The rows of those that are shown; `first` is the number of the first one."""
        now_s = self._clock()
        return [
            row
            for number, line in enumerate(lines, first)
            if self.filter.shows(line, now_s)
            for row in self._split(number, line)
        ]

    def _split(self, number: int, line: LogLine) -> Iterable[_Row]:
        if not self.wrap:
            return (_Row(number, line, line.text, True),)
        width = max(10, self.scrollable_content_region.width - self._margin)
        parts = [line.text[at : at + width] for at in range(0, max(1, len(line.text)), width)]
        return (_Row(number, line, part, not at) for at, part in enumerate(parts))

    @property
    def _margin(self) -> int:
        return 0 if self.filter.service else _NAME

    def _resized(self) -> None:
        widest = 0 if self.wrap else max((len(row.text) for row in self._rows[-2000:]), default=0) + self._margin
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
        _, line, text, first = self._rows[at]
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
