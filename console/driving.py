"""The actions that drive the stack and the load: they ask where something could be lost, then operate."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import work
from textual.app import App
from textual.screen import Screen

from console.operations import Burst, Launch, Narrate, Operations
from console.screens.choose import Choice, ChooseScreen
from console.screens.confirm import ConfirmScreen, TypedConfirmScreen
from measure.errors import LatencyError
from stack.profiles import PROFILES
from stack.settings import DOCKER, RUNTIMES

if TYPE_CHECKING:
    from console.feed.snapshot import Snapshot
    from stack.settings import Settings

MOST_OF_A_KIND = 9
PAUSE_FOR = "10s"
RUNTIME_WORDS = {
    "local": "processes on this machine",
    "docker": "containers",
    "external": "clusters that already run, as latency.toml names them",
}
PROFILE_WORDS = {
    "realtime": "Real-Time Mode, a sink behind it",
    "microbatch": "micro-batches, tuned",
    "reference": "as the reference report has it",
    "own": "a job of your own",
}
FORMS = {
    "json": "the document latency-run/1, every figure",
    "md": "Markdown, the whole report",
    "html": "one file with charts, needs no network",
    "text": "the summary",
    "junit": "for a CI server",
    "hgrm": "HdrHistogram percentiles",
    "csv": "each second's figures",
}
"""Format of a report → what it is."""


class Driving(App[int]):
    """What the app does at the keys of the groups Load and Stack."""

    settings: Settings
    snapshot: Snapshot
    read_only: bool
    operations: Operations
    _kept_question: ConfirmScreen | None = None
    """Made, and asking nothing now."""

    def operate(self, title: str, operation: Callable[[Narrate], str]) -> None:
        """Run `operation` off the UI's thread, and say how it ended."""
        raise NotImplementedError

    def refused(self) -> bool:
        """Whether nothing may be changed; says so. The operations refuse once more by themselves."""
        if self.read_only:
            self.notify("read-only: open the console without --read-only to change something", severity="warning")
        return self.read_only

    async def ask(self, screen: Screen[Any]) -> Any:
        """The answer to a dialog. From a worker only."""
        return await self.push_screen_wait(screen)

    async def confirm(self, title: str, about: str, verb: str) -> bool:
        """Whether the operator wants it. From a worker only."""
        kept, self._kept_question = self._kept_question, None
        if kept is None:
            return bool(await self.ask(ConfirmScreen(title, about, verb)))
        kept.put(title, about, verb)
        try:
            return bool(await self.ask(kept))
        finally:
            self._kept_question = kept

    @work
    async def keep_question(self) -> None:
        """Make the dialog that asks, before somebody waits for it."""
        made = ConfirmScreen("?", "?", "?")
        self.install_screen(made, "question")
        await self._get_screen(made)[1]
        self._kept_question = made

    # --- load ---

    def action_launch(self, scenario: str) -> None:
        """Start a run of `scenario`."""
        self.launch(Launch(scenario))

    @work
    async def launch(self, launch: Launch) -> None:
        """Start a run; a stack that is down comes up first, and one with another job changes over if that is wanted."""
        if not self.refused() and await self._may_switch(launch.profile):
            self.operate(f"run {launch.scenario}", lambda narrate: self.operations.launch(launch, narrate))

    @work
    async def action_choose_scenario(self) -> None:
        """Choose a scenario, and launch it."""
        if self.refused():
            return
        choices = [Choice(name, name, about) for name, about in self.operations.scenario_titles()]
        chosen = await self.ask(ChooseScreen("Run a scenario", "More of each, and changes to them: key 4.", choices))
        if chosen:
            self.action_launch(chosen)

    def action_burst_now(self) -> None:
        """The burst that the configuration has."""
        self._burst(Burst(self.settings.console.burst_rate, self.settings.console.burst_for))

    @work
    async def action_burst(self) -> None:
        """A burst of another rate and length."""
        from console.screens.burst import BurstScreen

        if self.refused():
            return
        usual = Burst(self.settings.console.burst_rate, self.settings.console.burst_for)
        burst = await self.ask(BurstScreen(usual))
        if burst is not None:
            self._burst(burst)

    def _burst(self, burst: Burst) -> None:
        if not self.refused():
            self.operate("burst", lambda _: self.operations.burst(burst))

    def action_pause(self) -> None:
        """Pause the load, or go on with it."""
        if not self.refused():
            self.operate("load", lambda _: self.operations.pause_or_resume())

    @work
    async def action_stop(self) -> None:
        """End the load."""
        if self.refused():
            return
        progress = self.snapshot.progress.value
        if progress is None or not progress.running:
            self.notify("no run is in progress", severity="warning")
            return
        about = f"{progress.run} ends now instead of in {progress.left_s:.0f} s, and is judged by what there is."
        if await self.confirm("Stop the run?", about, "Stop"):
            self.operate("stop", lambda _: self.operations.stop())

    # --- stack ---

    def action_up(self) -> None:
        """Start the stack."""
        if not self.refused():
            self.operate("up", self.operations.up)

    @work
    async def action_up_as(self) -> None:
        """Start the stack in another runtime, or with another profile."""
        if self.refused():
            return
        runtimes = [Choice(name, name, RUNTIME_WORDS.get(name, "")) for name in RUNTIMES]
        runtime = await self.ask(ChooseScreen("What shall the services run in?", "", runtimes))
        if runtime is None:
            return
        profiles = [Choice(name, name, PROFILE_WORDS.get(name, "")) for name in PROFILES]
        profile = await self.ask(ChooseScreen("Which Spark job?", f"Runtime {runtime}.", profiles))
        if profile is not None and await self._may_switch(profile):
            self.operate("up", lambda narrate: self.operations.up(narrate, runtime, profile))

    async def _may_switch(self, profile: str | None) -> bool:
        """Whether the stack may change over to `profile`: asked where another job runs now."""
        stack = self.snapshot.stack.value
        if stack is None or not stack.up or profile in (None, stack.profile):
            return True
        about = (
            f"Job {stack.profile} ends cleanly, then {profile} starts. Topics, database and runs stay.{self._warning()}"
        )
        return await self.confirm(f"Switch to profile {profile}?", about, "Switch")

    @work
    async def action_down(self) -> None:
        """Stop the stack."""
        if self.refused():
            return
        about = f"All services of stack {self.settings.stack} end. Their data stay.{self._warning()}"
        if await self.confirm("Take the stack down?", about, "Down"):
            self.operate("down", self.operations.down)

    @work
    async def action_purge(self) -> None:
        """Stop the stack and remove its data."""
        if self.refused():
            return
        name = self.settings.stack
        about = (
            f"Ends stack {name} and removes its topics, database, logs and credentials for good. Runs stay."
            f"{self._warning()}"
        )
        if await self.ask(TypedConfirmScreen("Purge the stack?", about, "Purge", name)):
            self.operate("purge", lambda narrate: self.operations.down(narrate, purge=True))

    def _warning(self) -> str:
        progress = self.snapshot.progress.value
        return f"\n\n{progress.run} is in progress and will miss it." if progress and progress.running else ""

    @work
    async def action_restart(self) -> None:
        """Restart a service."""
        if self.refused():
            return
        service = await self._choose_service("Restart a service")
        about = f"{service} ends and is started again. What is under way waits."
        if service and await self.confirm(f"Restart {service}?", about, "Restart"):
            self.operate(f"restart {service}", lambda narrate: self.operations.restart(service, narrate))

    @work
    async def action_one_service(self) -> None:
        """Start, stop or recreate one service."""
        if self.refused():
            return
        service = await self._choose_service("Which service?", stopped=True)
        if not service:
            return
        doings = [
            Choice("start", "start", "or restart it where it runs"),
            Choice("stop", "stop", "it stays down until it is started, or until the next `up`"),
            Choice("recreate", "recreate", "its container is made anew; its data stay"),
        ]
        doing = await self.ask(ChooseScreen(f"What with {service}?", "", doings))
        about = "The run in progress will feel it."
        if doing and await self.confirm(f"{doing.capitalize()} {service}?", about, doing.capitalize()):
            self.operate(f"{doing} {service}", lambda narrate: self._do(doing, service, narrate))

    def _do(self, doing: str, service: str, narrate: Narrate) -> str:
        match doing:
            case "stop":
                return self.operations.halt(service)
            case "recreate":
                return self.operations.recreate(service, narrate)
        return self.operations.restart(service, narrate)

    @work
    async def action_scale(self) -> None:
        """Another number of sinks or of Spark's workers."""
        if self.refused():
            return
        stack = self.snapshot.stack.value
        kinds = [Choice("sinks", "sinks", "each takes a share of the partitions")]
        if stack is not None and stack.runtime == DOCKER:
            kinds.append(Choice("workers", "workers", "Spark's, each in a container; the job is restarted"))
        what = await self.ask(ChooseScreen("Scale what?", "", kinds))
        numbers = [Choice(str(number), str(number)) for number in range(1, MOST_OF_A_KIND + 1)]
        number = what and await self.ask(ChooseScreen(f"How many {what}?", "", numbers))
        if number:
            self.operate(f"scale {what}", lambda narrate: self.operations.scale(what, int(number), narrate))

    @work
    async def action_fault(self) -> None:
        """Kill or pause a service."""
        if self.refused():
            return
        service = await self._choose_service("Break a service on purpose")
        if not service:
            return
        kinds = [
            Choice("kill", "kill", "SIGKILL; the supervisor starts it again"),
            Choice("pause", "pause", "SIGSTOP; goes on by itself after a while"),
        ]
        kind = await self.ask(ChooseScreen(f"Which fault for {service}?", "It is marked on the time line.", kinds))
        if kind:
            await self._break(kind, service)

    async def _break(self, kind: str, service: str) -> None:
        from console.screens.fault import FaultScreen

        about = "The run in progress will feel it. It is undone by itself after this time."
        usual, otherwise = (PAUSE_FOR, PAUSE_FOR) if kind == "pause" else ("", "started again at once")
        verb = kind.capitalize()
        lasting = await self.ask(FaultScreen(f"{verb} {service}?", about, verb, usual, otherwise))
        if lasting is not None:
            self.operate(f"{kind} {service}", lambda _: self.operations.fault(kind, service, lasting.for_s))

    async def _choose_service(self, title: str, stopped: bool = False) -> str | None:
        """One of those that run; with `stopped`, of the others too."""
        stack = self.snapshot.stack.value
        running = [line for line in stack.services if line.pid or stopped] if stack is not None else []
        if not running:
            self.notify("no service runs: start the stack first", severity="warning")
            return None
        choices = [Choice(line.name, line.name, line.state) for line in running]
        chosen: str | None = await self.ask(ChooseScreen(title, "", choices))
        return chosen

    # --- taking away ---

    def action_export(self) -> None:
        """Write the report of the run on show to a file."""
        from measure.folder import WARMUP_SUFFIX

        progress = self.snapshot.progress.value
        if progress is None:
            self.notify("no run to export yet", severity="warning")
            return
        self.export(progress.run.removesuffix(WARMUP_SUFFIX))

    @work
    async def export(self, run: str) -> None:
        """Write the report of `run`, in a format that is asked for; in a browser it is downloaded."""
        from console.feed.archive import export  # slow to import, and not needed for the first paint

        choices = [Choice(form, form, about) for form, about in FORMS.items()]
        form = await self.ask(ChooseScreen("Export the report", run, choices))
        if form is None:
            return
        home = self.settings.home
        if self.is_web:
            self._deliver(run, form)
        else:
            self.operate("export", lambda _: f"wrote {export(home, run, form, Path.cwd())}")

    @work(thread=True, exit_on_error=False)
    def _deliver(self, run: str, form: str) -> None:
        from console.feed.archive import file_name, rendered

        try:
            content = rendered(self.settings.home, run, form)
        except LatencyError as wrong:
            self.call_from_thread(self.notify, str(wrong), severity="error", markup=False)
            return
        self.call_from_thread(self.deliver_text, io.StringIO(content), save_filename=file_name(run, form))

    def action_open(self, what: str) -> None:
        """Open the dashboard or Spark's pages in a browser; the address is shown, to copy."""
        stack = self.snapshot.stack.value
        address = getattr(stack, what, None)
        if address is None:
            self.notify(f"{what.replace('_', ' ')}: not there; is the stack up?", severity="warning")
            return
        self.copy_to_clipboard(address)
        self.open_url(address)
        self.notify(f"{address} (copied)", title=what.replace("_", " "), markup=False, timeout=10)
