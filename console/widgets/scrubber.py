"""A time line that can be moved along, with the run's marks on it."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from console.feed.views import MarkView
from console.widgets.events import STYLES
from console.widgets.lines import MUTED, Part, line, lines
from console.words import clock, cut


class Scrubber(Widget):
    """Two rows: the line with the marks, and what happened last."""

    DEFAULT_CSS = """
    Scrubber { height: 4; border: round $primary; border-title-color: $primary; padding: 0 1; }
    """

    class Moved(Message):
        """Somebody pointed at a moment."""

        def __init__(self, at_s: float) -> None:
            super().__init__()
            self.at_s = at_s

    def __init__(self) -> None:
        super().__init__(id="scrubber")
        self.border_title = "Replay"
        self._at_s, self._length_s, self._playing, self._speed = 0.0, 1.0, False, 1
        self._marks: tuple[MarkView, ...] = ()

    def show(self, at_s: float, length_s: float, playing: bool, speed: int, marks: tuple[MarkView, ...]) -> None:
        """Where the replay stands."""
        self._at_s, self._length_s, self._playing, self._speed, self._marks = at_s, length_s, playing, speed, marks
        self.refresh()

    def render(self) -> Content:
        """The line and what happened last."""
        sign = "▶" if self._playing else "‖"
        head = f"{sign} {clock(self._at_s)} / {clock(self._length_s)} ×{self._speed} "
        room = max(4, self.size.width - len(head))
        return lines([line((head, "bold"), *self._line(room)), self._last()])

    def _line(self, room: int) -> list[Part]:
        place = round(self._at_s / self._length_s * (room - 1))
        signs = [("━", "$primary") if at <= place else ("─", MUTED) for at in range(room)]
        for mark in self._marks:
            if 0 <= mark.at_s <= self._length_s and mark.kind != "checkpoint":
                signs[round(mark.at_s / self._length_s * (room - 1))] = ("┃", STYLES.get(mark.kind, "$accent"))
        signs[place] = ("●", "bold $accent")
        return list(signs)

    def _last(self) -> Content:
        passed = [mark for mark in self._marks if mark.at_s <= self._at_s]
        if not passed:
            return line(("space plays, arrows move, home and end, escape leaves", MUTED))
        said = f"{clock(max(0.0, passed[-1].at_s))} {passed[-1].text}"
        return line((cut(said, self.size.width), STYLES.get(passed[-1].kind, MUTED)))

    def on_click(self, event: events.Click) -> None:
        """Go to where the line was pointed at."""
        head = len(f"▶ {clock(self._at_s)} / {clock(self._length_s)} ×{self._speed} ")
        room = max(4, self.size.width - head)
        inside = event.get_content_offset(self)
        if inside is not None and inside.x >= head:
            self.post_message(self.Moved((inside.x - head) / max(1, room - 1) * self._length_s))
