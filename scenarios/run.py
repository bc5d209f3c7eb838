"""The run process: everything of one run from the request to the judged document."""

from __future__ import annotations

import contextlib
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import FrameType

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from measure.errors import NotReadyError, UsageError
from measure.figures import Environment, RunDocument, Status
from measure.folder import RunFolder
from measure.metrics import MetricsServer
from measure.records import Plan, Process
from measure.report.source import settle
from measure.store import Document, Store
from scenarios import harvest
from scenarios.alarm import Alarm
from scenarios.beat import KEPT_S, Beat, GeneratorUsage
from scenarios.conductor import DONE, Conductor, Interrupts, now_us
from scenarios.control import ControlServer, control_server
from scenarios.crew import Crew
from scenarios.draining import Acked, Search
from scenarios.engine_watch import EngineWatch
from scenarios.environment import environment
from scenarios.errors import RunRefusedError
from scenarios.exposition import Exposition
from scenarios.fault_marks import FaultWatch
from scenarios.mirror import Mirror
from scenarios.observer import Observer
from scenarios.occupancy import Occupancy
from scenarios.recorder import Recorder
from scenarios.request import Prepared, RunRequest, new_run_id, prepare
from scenarios.schedule import SECOND_US
from scenarios.spools import Spools
from scenarios.visible import VisibleWatcher
from stack import lifecycle
from stack.access import Access, Role
from stack.observe import runtime_of
from stack.process import current_process
from stack.resources import ResourceSampler
from stack.runtimes import engine_of, missing_engine
from stack.settings import Settings

Narrate = Callable[[str], None]

_READY_S = 45.0
_HARVEST_S = 30.0


def execute(request: RunRequest, settings: Settings, narrate: Narrate) -> RunDocument:
    """Drive one run and judge it. A stack that is down is brought up first, and taken down again unless `keep`.

    UsageError for a wrong request, RunRefusedError where the stack has a run, NotReadyError where it is not ready.
    A first SIGINT or SIGTERM ends the load and closes the run properly: its document has status `interrupted`.
    """
    prepared = prepare(request, settings.home)
    out = _writable(request.out)
    run = request.run or new_run_id(prepared.scenario.name)
    path = settings.home.runs / run
    interrupts = Interrupts()
    with Occupancy.take(settings.folder, run, path), _listening(interrupts), _stack(settings, request, narrate) as own:
        document = _Run(prepared, own, RunFolder.create(settings.home.runs, run), interrupts, narrate).drive()
    if out is not None:
        shutil.copytree(path, out / run)
        narrate(f"copied to {out / run}")
    return document


def _writable(out: Path | None) -> Path | None:
    if out is None:
        return None
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / ".latency").touch()
        (out / ".latency").unlink()
    except OSError as refused:
        raise UsageError(f"--out {out}: expected a folder that can be written to: {refused.strerror}.") from None
    return out


@contextlib.contextmanager
def _listening(interrupts: Interrupts) -> Iterator[None]:
    """SIGINT and SIGTERM end the run instead of the process."""

    def note(_number: int, _frame: FrameType | None) -> None:
        interrupts.count += 1

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _stack(settings: Settings, request: RunRequest, narrate: Narrate) -> Iterator[Settings]:
    """A stack that is up, of the right profile; what was brought up here is taken down again."""
    state = lifecycle.status(settings)
    if state.up and request.profile not in (None, state.profile):
        raise RunRefusedError(
            f"--profile {request.profile}: stack {state.name} runs {state.profile}. Take it down first "
            "(`latency down`), or use another stack with --stack."
        )
    if state.ready:
        yield settings.model_copy(update={"profile": state.profile})
        return
    with _interruptible():
        up = lifecycle.up(settings, request.profile or (state.profile if state.up else None), None, narrate)
    try:
        yield settings.model_copy(update={"profile": up.profile})
    finally:
        if not (state.up or request.keep):
            narrate("taking the stack down again")
            try:
                lifecycle.down(settings, False, narrate)
            except NotReadyError as left:  # the run is closed and judged all the same
                narrate(f"the stack could not be taken down: {left}")


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """While the stack starts there is no run to close: Ctrl-C ends it at once, as `latency up` does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGTERM: signal.signal(signal.SIGTERM, signal.default_int_handler),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Run:
    """One run on a stack that is up."""

    def __init__(
        self, prepared: Prepared, settings: Settings, folder: RunFolder, interrupts: Interrupts, narrate: Narrate
    ) -> None:
        self._prepared, self._settings, self._folder = prepared, settings, folder
        self._interrupts, self._narrate = interrupts, narrate
        self._access = Access.load(settings.folder.root)
        self._producers = prepared.scenario.producers
        self._began_us = now_us()

    def drive(self) -> RunDocument:
        """From the first producer to the verdict."""
        with ExitStack() as open_:
            control = open_.enter_context(control_server())
            this = current_process()
            self._folder.write_process(Process(this.pid, str(control.path), this.birth))
            self._plan = self._planned(0)
            self._folder.write_plan(self._plan)
            mirror = Mirror(self._access, self._folder.run)
            recorder = open_.enter_context(Recorder(self._folder, mirror, self._narrate, self._began_us // SECOND_US))
            recorder.note()
            self._announce(recorder)
            self._narrate(f"run {self._folder.run}")
            try:
                self._conduct(open_, recorder, control)
            except BaseException:
                recorder.note(status=Status.INTERRUPTED)
                recorder.run(status=Status.INTERRUPTED.value, phase="done")
                raise
            return self._judge(recorder)

    def _conduct(self, open_: ExitStack, recorder: Recorder, control: ControlServer) -> None:
        runs = (self._folder.run, self._folder.warmup_run)
        crew = Crew(self._producers, self._settings.folder.root, self._folder.path / "producers")
        open_.callback(crew.close)
        observer = Observer(self._access, runs, KEPT_S)
        visible = VisibleWatcher(self._access, runs)
        for watcher in (observer, visible):
            watcher.start()
            open_.callback(watcher.close)
        spools = {
            run: Spools([self._folder.spool_path(number, run == runs[1]) for number in range(self._producers)])
            for run in runs
        }
        search = Search(self._access, lambda: _acked(spools))
        open_.callback(search.close)
        alarm = Alarm(self._folder.run, self._narrate)
        open_.callback(alarm.close)
        contained, host = engine_of(self._settings.folder)
        engine = EngineWatch(lambda: missing_engine(host)) if contained else None
        if engine is not None:
            open_.callback(engine.close)
        crew.await_ready(_READY_S)
        resources = open_.enter_context(contextlib.closing(ResourceSampler(self._settings)))
        resources.sample()  # rates count from here
        self._plan = self._planned(now_us() // SECOND_US * SECOND_US + SECOND_US)
        recorder.plan(self._plan)
        conductor = Conductor(
            prepared=self._prepared,
            plan=self._plan,
            recorder=recorder,
            crew=crew,
            beat=Beat(*runs, recorder, observer, visible, resources, GeneratorUsage(crew), spools),
            control=control,
            search=search,
            faults=FaultWatch(self._settings.folder, self._began_us),
            alarm=alarm,
            interrupts=self._interrupts,
            engine=engine,
            exposition=self._exposition(open_),
        )
        conductor.conduct()
        crew.close()

    def _exposition(self, open_: ExitStack) -> Exposition | None:
        port = self._prepared.request.metrics_port
        if port is None:
            return None
        server = open_.enter_context(MetricsServer(port))
        self._narrate(f"metrics at http://127.0.0.1:{server.port}/metrics")
        return Exposition(server, self._prepared.scenario.name, self._settings.profile)

    def _planned(self, start_us: int) -> Plan:
        """The plan with a warm-up that begins at `start_us`; the load's spans count from 0 until it is known."""
        prepared = self._prepared
        return Plan(
            run=self._folder.run,
            scenario=prepared.scenario.name,
            profile=self._settings.profile,
            runtime=runtime_of(self._settings),
            stack=self._settings.stack,
            producers=self._producers,
            spans=list(prepared.spans),
            warmup=list(prepared.warm_up_spans(start_us)) if start_us else [],
            seed=prepared.seed,
            sla=prepared.tier,
            alerts=list(prepared.alerts),
            environment=self._environment,
            created_us=self._began_us,
        )

    @cached_property
    def _environment(self) -> Environment:
        return environment(self._settings, self._access)

    def _announce(self, recorder: Recorder) -> None:
        recorder.run(
            status=Status.RUNNING.value,
            scenario=self._prepared.scenario.name,
            profile=self._settings.profile,
            runtime=runtime_of(self._settings),
            stack=self._settings.stack,
            started_us=self._began_us,
            verdict=None,
            seed=self._prepared.seed,
            sla=self._prepared.tier.name if self._prepared.tier else None,
        )

    def _judge(self, recorder: Recorder) -> RunDocument:
        """Bring everything into the folder, and make the document of it."""
        self._harvest(recorder)
        status = Status.INTERRUPTED if self._interrupts.count else Status.FINISHED
        recorder.note(status=status)
        document = settle(self._folder)
        verdict = document.verdict.value if document.verdict else None
        recorder.run(status=status.value, phase=DONE, progress=1.0, verdict=verdict, ended_us=now_us())
        if not recorder.close():
            self._narrate("MongoDB does not have all of this run's live figures; its folder does")
        return document

    def _harvest(self, recorder: Recorder) -> None:
        until = time.monotonic() + _HARVEST_S
        while True:
            try:
                with MongoClient[Document](self._access.mongo_uri(Role.RUN), timeoutMS=60_000, tz_aware=True) as client:
                    self._bring(client[self._access.names.database], recorder)
                return
            except PyMongoError as away:
                if time.monotonic() > until or self._interrupts.hurry or recorder.outcome.invalid:
                    recorder.remark(f"what was stored could not be read out of MongoDB: {type(away).__name__}")
                    return
                time.sleep(0.5)

    def _bring(self, database: Store, recorder: Recorder) -> None:
        first, last = self._began_us // SECOND_US, now_us() // SECOND_US
        harvest.bring_sequences(database, self._folder, bool(self._plan.warmup))
        harvest.bring_slices(database, self._folder, recorder.visible)
        harvest.bring_samples(database, self._folder, first, last)
        harvest.bring_marks(database, self._folder)
        load_s = (self._folder.plan().t0_us or self._began_us) // SECOND_US
        recorder.note(unattributed=harvest.unattributed(database, load_s, last))


def _acked(spools: Mapping[str, Spools]) -> Acked:
    for each in spools.values():
        each.read()
    return {run: each.acked for run, each in spools.items()}
