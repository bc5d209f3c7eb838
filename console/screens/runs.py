"""Runs: the history, and what can be done with a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import DataTable, Static

from console.feed.archive import Archive, comparison_of, keep, read_archive, remove, report_of
from console.feed.replay import Replay
from console.feed.snapshot import Snapshot
from console.keys import bindings
from console.screens.base import ModeScreen
from console.screens.reading import ReadingScreen
from console.screens.replay import ReplayScreen
from console.words import milliseconds, short_count
from measure.errors import LatencyError
from measure.folder import RunFolder
from measure.history import Entry
from stack.logs import clean

_COLUMNS = ("", "run", "started (UTC)", "profile", "status", "verdict", "P50", "P95", "P99 ms", "n")
_WIDE_FROM = 110
"""Columns of the terminal from which on there is room for what the run's name says too."""
_WIDE = {"started (UTC)", "profile"}
_COLOURS = {"pass": "green", "fail": "red", "invalid": "yellow"}


class ArchiveRead(Message):
    """The history was read."""

    def __init__(self, archive: Archive) -> None:
        super().__init__()
        self.archive = archive


class Opened(Message):
    """Something was read that is now put on the screen."""

    def __init__(self, screen: Callable[[], Screen[None]]) -> None:
        super().__init__()
        self.screen = screen


class RunsScreen(ModeScreen):
    """One row a run, newest first."""

    SCOPE = "runs"
    BINDINGS: ClassVar[list[BindingType]] = bindings("runs")
    DEFAULT_CSS = """
    RunsScreen {
        & DataTable {
            height: 1fr; border: round $panel-lighten-2; background: $background;
            border-title-color: $foreground-muted; border-subtitle-color: $foreground-muted;
            &:focus { border: round $primary; border-title-color: $primary; }
        }
        & #none { height: auto; color: $foreground-muted; padding: 0 2; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._archive = Archive()
        self._marked: list[str] = []
        self._shown: tuple[str, ...] = ()
        self._told: tuple[str | None, ...] | None = None
        """Run, status and verdict of the snapshot that was drawn last; None while another screen is on show."""

    def compose_body(self) -> ComposeResult:
        yield Static("", id="none", markup=False)
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)

    def begin(self) -> None:
        table = self.query_one(DataTable)
        table.border_title = "Runs"
        table.focus()

    def on_resize(self) -> None:
        if self._fitting() != self._shown:
            self._fill()

    def _fitting(self) -> tuple[str, ...]:
        """The columns that there is room for."""
        wide = self.size.width >= _WIDE_FROM
        return tuple(title for title in _COLUMNS if wide or title not in _WIDE)

    def come_on_show(self) -> None:
        self._read()

    def on_screen_suspend(self) -> None:
        """It is read anyway when it comes on show again."""
        self._told = None

    def show(self, snapshot: Snapshot) -> None:
        """Another run, or another state of it, makes the list an old one."""
        super().show(snapshot)
        progress = snapshot.progress.value
        told = (progress.run, progress.status, progress.verdict) if progress else ()
        if self._told not in (None, told):
            self._read()
        self._told = told if self.is_current else None

    @work(thread=True, exclusive=True, group="archive", exit_on_error=False)
    def _read(self) -> None:
        self.post_message(ArchiveRead(read_archive(self.console.settings.home)))

    def on_archive_read(self, message: ArchiveRead) -> None:
        if message.archive == self._archive and self._shown:
            return  # a full table takes 100 ms to draw, which the next key would wait for
        self._archive = message.archive
        known = {entry.id for entry in self._archive.entries}
        self._marked = [run for run in self._marked if run in known]
        self._fill()

    def _fill(self) -> None:
        table = self.query_one(DataTable)
        at, chosen = table.cursor_row, self._chosen
        self._shown = self._fitting()
        table.clear(columns=True)
        table.add_columns(*self._shown)
        for entry in self._archive.entries:
            cells = dict(zip(_COLUMNS, self._cells(entry), strict=True))
            table.add_row(*(cells[title] for title in self._shown), key=entry.id)
        runs = [entry.id for entry in self._archive.entries]
        table.move_cursor(row=runs.index(chosen) if chosen in runs else min(at, max(0, len(runs) - 1)))
        said = "" if self._archive.entries else "no run yet: r launches one"
        problems = [f"left out: {clean(text)}" for text in self._archive.damaged]
        self.query_one("#none", Static).update("\n".join([*([said] if said else []), *problems]))
        self.query_one("#none", Static).display = bool(said or problems)
        marked = f"{len(self._marked)} marked to compare · " if self._marked else ""
        table.border_subtitle = f"{marked}{len(self._archive.entries)} runs"

    def _cells(self, entry: Entry) -> list[Text]:
        e2e = entry.latency_ms.get("e2e")
        verdict = entry.verdict.value if entry.verdict else "–"
        sign = "◆" if entry.id in self._marked else "★" if entry.kept else ""
        values = [milliseconds(getattr(e2e, name) if e2e else None) for name in ("p50", "p95", "p99")]
        return [
            Text(sign, "bold"),
            Text(clean(entry.id)),
            Text((entry.started or "–")[:19].replace("T", " "), "dim"),
            Text(clean(entry.profile)),
            Text(entry.status.value, "bold cyan" if entry.status.value == "running" else ""),
            Text(verdict, f"bold {_COLOURS.get(verdict, '')}".strip()),
            *(Text(value, justify="right") for value in values),
            Text(short_count(e2e.n if e2e else None), justify="right"),
        ]

    @property
    def _chosen(self) -> str | None:
        """The run in the row of the cursor, whatever was read meanwhile."""
        table = self.query_one(DataTable)
        return table.ordered_rows[table.cursor_row].key.value if table.row_count else None

    # --- what can be done ---

    @on(DataTable.RowSelected)
    def action_open_run(self) -> None:
        """Read its summary."""
        run = self._chosen
        if run is not None:
            home = self.console.settings.home
            self._open(lambda: self._page(run, report_of(home, run)))

    def action_mark(self) -> None:
        """Mark it to be compared."""
        run = self._chosen
        if run is not None:
            self._marked = (
                [other for other in self._marked if other != run] if run in self._marked else [*self._marked, run]
            )
            self._fill()

    def action_compare(self) -> None:
        """The marked runs side by side."""
        runs, home = list(self._marked), self.console.settings.home
        if len(runs) < 2:
            self.notify("mark two runs or more first (space)", severity="warning")
            return
        self._open(lambda: self._page("Comparison", comparison_of(home, runs)))

    def action_replay(self) -> None:
        """See it again, moment by moment."""
        run, home = self._chosen, self.console.settings.home
        if run is not None:
            self._open(lambda: self._replay(Replay(RunFolder.find(home.runs, run))))

    @staticmethod
    def _page(title: str, text: str) -> Callable[[], Screen[None]]:
        return lambda: ReadingScreen(title, text)

    @staticmethod
    def _replay(replay: Replay) -> Callable[[], Screen[None]]:
        return lambda: ReplayScreen(replay)

    @work(thread=True, exclusive=True, group="open", exit_on_error=False)
    def _open(self, read: Callable[[], Callable[[], Screen[None]]]) -> None:
        try:
            self.post_message(Opened(read()))
        except (LatencyError, OSError) as wrong:
            self.app.call_from_thread(self.notify, str(wrong), severity="error", markup=False)

    def on_opened(self, message: Opened) -> None:
        self.app.push_screen(message.screen())

    def action_export_run(self) -> None:
        """Write its report to a file."""
        if self._chosen is not None:
            self.console.export(self._chosen)

    def action_keep(self) -> None:
        """Exempt it from clearing up, or no longer."""
        run = self._chosen
        if run is not None and not self.console.refused():
            self._do(lambda: self._kept(run))

    @work
    async def action_delete(self) -> None:
        """Delete it for good."""
        run = self._chosen
        if run is None or self.console.refused():
            return
        about = f"{run} and every figure of it are removed for good."
        if await self.console.confirm("Delete the run?", about, "Delete"):
            self._do(lambda: self._deleted(run))

    def _kept(self, run: str) -> str:
        return f"{run} is {'kept' if keep(self.console.settings.home, run) else 'no longer kept'}"

    def _deleted(self, run: str) -> str:
        remove(self.console.settings.home, run)
        return f"{run} is deleted"

    def _do(self, change: Callable[[], str]) -> None:
        """Change a run, which others may have changed meanwhile; say what came of it, and read anew."""
        try:
            self.notify(change(), markup=False)
        except (LatencyError, OSError) as refused:
            self.notify(str(refused), severity="error", markup=False)
        self._read()
