"""Scenarios: what there is, what each would do, and changes to it before it is launched."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label, OptionList, Select, Static
from textual.widgets.option_list import Option

from console.feed.scenario_shelf import Preview, Shelf, Shelved, drawing, own_path, preview, read_shelf, save, text_of
from console.keys import bindings
from console.operations import Launch
from console.screens.base import ModeScreen
from console.screens.edit_scenario import EditScenarioScreen
from console.widgets.lines import MUTED, line, lines
from measure.errors import LatencyError, UsageError


class ShelfRead(Message):
    """The scenarios were read."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self.shelf = shelf


class Previewed(Message):
    """It is known what a launch would do."""

    def __init__(self, launch: Launch, found: Preview) -> None:
        super().__init__()
        self.launch, self.found = launch, found


class ScenariosScreen(ModeScreen):
    """A list, the drawn schedule, and the fields that change it."""

    SCOPE = "scenarios"
    BINDINGS: ClassVar[list[BindingType]] = bindings("scenarios")
    CSS_PATH = "scenarios.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._shelf = Shelf()
        self._preview = Preview()
        self._filled = False

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="scenarios"):
            yield OptionList(id="list")
            with VerticalScroll(id="what", can_focus=False):
                yield Static(id="about", markup=False)
                with Horizontal(classes="fields"):
                    yield Vertical(Label("events/s"), Input(placeholder="its own", id="rate", compact=True))
                    yield Vertical(Label("times"), Input(placeholder="1", id="scale", compact=True))
                    yield Vertical(Label("duration"), Input(placeholder="its own", id="duration", compact=True))
                with Horizontal(classes="fields"):
                    yield Vertical(Label("SLA"), Select[str]([], prompt="its own", id="sla", compact=True))
                    yield Vertical(Label("profile"), Select[str]([], prompt="the stack's", id="profile", compact=True))
                yield Static(id="problem", markup=False)
                yield Static(id="schedule", markup=False)

    def begin(self) -> None:
        self.query_one("#list", OptionList).border_title = "Scenarios"
        self.query_one("#what").border_title = "What it will do"
        self.query_one("#list").focus()
        self._read()

    @work(thread=True, exclusive=True, group="shelf", exit_on_error=False)
    def _read(self) -> None:
        self.post_message(ShelfRead(read_shelf(self.console.settings.home)))

    def on_shelf_read(self, message: ShelfRead) -> None:
        self._shelf = message.shelf
        listed = self.query_one("#list", OptionList)
        at = listed.highlighted or 0
        listed.clear_options()
        listed.add_options([Option(_entry(each)) for each in self._shelf.scenarios])
        listed.highlighted = min(at, len(self._shelf.scenarios) - 1)
        if not self._filled:
            self._filled = True
            self.query_one("#sla", Select).set_options([(Text(name), name) for name in self._shelf.tiers])
            self.query_one("#profile", Select).set_options([(name, name) for name in self._shelf.profiles])

    @property
    def _chosen(self) -> Shelved | None:
        at = self.query_one("#list", OptionList).highlighted
        return self._shelf.scenarios[at] if at is not None and at < len(self._shelf.scenarios) else None

    @on(OptionList.OptionHighlighted, "#list")
    @on(Input.Changed)
    @on(Select.Changed)
    def _look(self) -> None:
        """Work out anew what a launch would do."""
        chosen = self._chosen
        if chosen is None:
            return
        self.query_one("#about", Static).update(
            lines([line((chosen.title, "bold")), line((chosen.problem or chosen.about, MUTED))])
        )
        try:
            self._prepare(self._launch(chosen))
        except UsageError as wrong:
            self._tell(Preview(problem=str(wrong)))

    @work(thread=True, exclusive=True, group="preview", exit_on_error=False)
    def _prepare(self, launch: Launch) -> None:
        self.post_message(Previewed(launch, preview(launch, self.console.settings.home)))

    def on_previewed(self, message: Previewed) -> None:
        chosen = self._chosen
        if chosen is not None and chosen.reference == message.launch.scenario:
            self._tell(message.found)

    def on_resize(self) -> None:
        self._tell(self._preview)

    def _tell(self, found: Preview) -> None:
        self._preview = found
        schedule = self.query_one("#schedule", Static)
        width = max(30, schedule.size.width)
        drawn = [line((row, "$primary")) for row in drawing(found, width)]
        facts = f"{found.words} · judged by {found.tier}" if found.words else ""
        if found.warm_up:
            facts += f" · warm-up {found.warm_up}"
        schedule.update(lines([*drawn, line(facts)]) if found.spans else "")
        self.query_one("#problem", Static).update(found.problem or "")

    def _launch(self, chosen: Shelved) -> Launch:
        """What stands in the fields; UsageError for a number that is none."""
        return Launch(
            chosen.reference,
            rate=self._number("rate"),
            scale=self._number("scale"),
            duration=self.query_one("#duration", Input).value.strip() or None,
            profile=self._selected("profile"),
            sla=self._selected("sla"),
        )

    def _number(self, field: str) -> float | None:
        text = self.query_one(f"#{field}", Input).value.strip().replace(",", "")
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            raise UsageError(f"{field}: expected a number, found {text!r}") from None
        if not 0 < number <= 1_000_000:
            raise UsageError(f"{field}: expected more than 0 and up to 1,000,000, found {text}")
        return number

    def _selected(self, field: str) -> str | None:
        value = self.query_one(f"#{field}", Select).value
        return value if isinstance(value, str) else None

    @on(OptionList.OptionSelected, "#list")
    def action_launch_chosen(self) -> None:
        """Launch it as it stands."""
        chosen = self._chosen
        if chosen is None or self.console.refused():
            return
        try:
            launch = self._launch(chosen)
        except UsageError as wrong:
            self.notify(str(wrong), severity="error", markup=False)
            return
        if self._preview.problem:
            self.notify(self._preview.problem, severity="error", markup=False)
            return
        self.console.launch(launch)
        self.console.action_go("live")

    @work
    async def action_copy(self) -> None:
        """Edit a copy, and keep it among the user's own."""
        chosen = self._chosen
        if chosen is None or self.console.refused():
            return
        own = chosen.reference.endswith(".toml")
        try:
            text = text_of(chosen)
        except (LatencyError, OSError) as broken:
            self.notify(str(broken), severity="error", markup=False)
            return
        name = chosen.name if own else f"my-{chosen.name}"
        edited = await self._edit(name, text, chosen)
        if edited is None:
            return
        try:
            path = save(edited[1], edited[0], self.console.settings.home)
        except (LatencyError, OSError) as wrong:
            self.notify(str(wrong), title="not saved", severity="error", markup=False)
            return
        self.notify(str(path), title="saved", markup=False)
        self._read()

    async def _edit(self, name: str, text: str, chosen: Shelved) -> tuple[str, str] | None:
        """Name and text as edited; edited further where another scenario has that name and is to stay."""
        while edited := await self.console.ask(EditScenarioScreen(name, text)):
            name, text = edited
            path = own_path(self.console.settings.home, name)
            if str(path) == chosen.reference or not path.exists():
                return name, text
            if await self.console.confirm(f"Replace {name}?", f"{path} is there already.", "Replace"):
                return name, text
        return None


def _entry(shelved: Shelved) -> Content:
    sign = ("✗ ", "$text-error") if shelved.problem else ("  ", "")
    own = (" (own)", MUTED) if shelved.reference.endswith(".toml") else ("", "")
    return Content.assemble(sign, (shelved.name, "bold"), own, "\n  ", (shelved.title or "cannot be read", MUTED))
