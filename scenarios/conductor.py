"""A run's phases, one after the other, and what is commanded meanwhile."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec

from measure.alerts import AlertEvaluator, AlertEvent
from measure.records import MarkLine, Plan
from measure.schedule import Span
from scenarios.alarm import Alarm
from scenarios.beat import Beat, due_in, e2e_of
from scenarios.control import Asked, Burst, ControlServer, Pause, Reply, Resume, Status, Stop
from scenarios.crew import Crew
from scenarios.draining import Search
from scenarios.engine_watch import EngineWatch
from scenarios.exposition import Exposition
from scenarios.fault_marks import FaultWatch
from scenarios.recorder import Recorder
from scenarios.request import Prepared
from scenarios.schedule import SECOND_US, Timeline
from scenarios.steady import unsteady

_LEAD_US = 500_000
"""A change of the schedule begins so much later, so that every producer has heard of it before."""
_WAIT_S = 0.1
_DUE_BACK_S = 75
_SEEN_AFTER_S = 0.6
"""The change stream may be so much behind what is stored."""
WARM_UP, LOAD, DRAIN, DONE = "warm-up", "load", "drain", "done"
MOST_RATE = 1_000_000.0
LONGEST_BURST_S = 3_600.0


def now_us() -> int:
    """The wall clock in µs of the epoch."""
    return time.time_ns() // 1000


@dataclass(slots=True)
class Interrupts:
    """How often the user has asked for the end by Ctrl-C: once ends the load, twice does not wait for the rest."""

    count: int = 0

    @property
    def hurry(self) -> bool:
        """Whether not even the drain is waited for."""
        return self.count > 1


@dataclass(slots=True)
class Conductor:
    """Leads a run from its warm-up to the end of its drain. `plan` has the warm-up's spans."""

    prepared: Prepared
    plan: Plan
    recorder: Recorder
    crew: Crew
    beat: Beat
    control: ControlServer
    search: Search
    faults: FaultWatch
    alarm: Alarm
    interrupts: Interrupts
    engine: EngineWatch | None = None
    exposition: Exposition | None = None
    phase: str = WARM_UP
    timeline: Timeline = field(default_factory=lambda: Timeline.of(()))
    _next_second: int = 0
    _evaluator: AlertEvaluator | None = None
    _stopped: bool = False

    def conduct(self) -> None:
        """All phases. The recorder's outcome then has what only this process knows."""
        self._next_second = now_us() // SECOND_US
        warmed_us = self._warm_up() if self.plan.warmup else now_us()
        if not self._ending:
            self._load(warmed_us)
        self._drain()
        self._enter(DONE)

    @property
    def interrupted(self) -> bool:
        """Whether it was ended by Ctrl-C."""
        return self.interrupts.count > 0

    @property
    def _ending(self) -> bool:
        return self._stopped or self.interrupted

    @property
    def _hopeless(self) -> bool:
        """Whether nothing more will come, or is waited for."""
        return self.interrupts.hurry or (self.engine is not None and self.engine.lost is not None)

    # --- phases ---

    def _warm_up(self) -> int:
        """Until the pipeline is steady, or the warm-up's longest time; µs of its end."""
        spans, folder = self.plan.warmup, self.recorder.folder
        self._enter(WARM_UP)
        for number in range(self.plan.producers):
            spool = folder.spool_path(number, warmup=True)
            self.crew.order(number, self.prepared.warm_up_load(folder.warmup_run, spans, spool, number))
        assert self.prepared.scenario.warm_up is not None  # noqa: S101
        least_us = spans[0].start_us + self.prepared.scenario.warm_up.for_us
        why: str | None = "it was ended before"
        while not self._ending and now_us() < spans[-1].end_us - _LEAD_US and self.crew.alive:
            if self._wait() and now_us() >= least_us:
                why = self._unsteady(spans)
                if why is None:
                    break
        end_us = min(now_us() + _LEAD_US, spans[-1].end_us)
        self.crew.amend(folder.warmup_run, end_us, [])
        self.recorder.note(warmup_end_us=end_us, steady=why is None, steady_reason=why)
        return end_us

    def _unsteady(self, spans: Sequence[Span]) -> str | None:
        seen = self.beat.observer.latest
        seconds = range(spans[0].start_us // SECOND_US, now_us() // SECOND_US - 1)
        samples = [sample for sample in self.beat.last if sample.phase == WARM_UP]
        return unsteady(e2e_of(seen.slices.get(self.beat.warmup_run, {})), due_in(spans, seconds), samples)

    def _load(self, after_us: int) -> None:
        """The scenario, from the next whole second on, as it is amended."""
        start_us = (max(after_us, now_us()) + _LEAD_US) // SECOND_US * SECOND_US + SECOND_US
        self.timeline = self.prepared.timeline(start_us)
        self.plan = msgspec.structs.replace(self.plan, t0_us=start_us, spans=list(self.timeline.in_force))
        self.recorder.plan(self.plan)
        folder = self.recorder.folder
        for number in range(self.plan.producers):
            spool = folder.spool_path(number)
            self.crew.order(number, self.prepared.load(folder.run, self.timeline.in_force, spool, number))
        self._evaluator = AlertEvaluator(self.prepared.alerts, start_us)
        self._enter(LOAD, start_us)
        while now_us() < self.timeline.end_us and self.crew.alive:
            self._wait()
            if self._ending:
                self._end_load("interrupted" if self.interrupted else "stop")
        self.recorder.note(ended_us=self.timeline.end_us)

    def _drain(self) -> None:
        """Until everything acknowledged is found, or the deadline."""
        began = time.monotonic()
        self._enter(DRAIN)
        deadline = began + self.prepared.scenario.drain_us / 1e6
        begun = ((self.beat.warmup_run, self.plan.warmup), (self.beat.run, self.plan.t0_us))
        loads = [run for run, there in begun if there]
        while time.monotonic() < deadline and not self._hopeless:
            through = all(self.crew.is_through(run) for run in loads)
            missing = self.search.missing if through else None
            if through:
                self.search.step()
            if missing == 0:
                self.recorder.note(drained=True, drain_s=round(time.monotonic() - began, 3))
                self._see_the_rest()
                return
            self._wait()
        self.recorder.note(drained=None if self._hopeless else False, drain_s=round(time.monotonic() - began, 3))

    def _see_the_rest(self) -> None:
        until = time.monotonic() + _SEEN_AFTER_S
        while time.monotonic() < until:
            self._wait()

    def _enter(self, phase: str, at_us: int | None = None) -> None:
        self.phase = phase
        self._mark("phase", phase, at_us)
        self._tell_others()

    # --- what goes on in every phase ---

    def _wait(self) -> bool:
        """Serve commands until a second is over, for a tenth of one at most; whether one was over."""
        left_s = (self._next_second + 1) - now_us() / 1e6
        asked = self.control.take(min(_WAIT_S, max(0.0, left_s)))
        if asked is not None:
            asked.answer(self._obey(asked))
        for death in self.crew.hear():
            if self.phase in (WARM_UP, LOAD) or self.crew.alive:
                self._mark("phase", death)
                self.recorder.remark(death)
        second = now_us() // SECOND_US - 1
        if second < self._next_second:
            return False
        self._next_second = second + 1
        self._second(second)
        return True

    def _second(self, second: int) -> None:
        middle_us = second * SECOND_US + SECOND_US // 2
        spans = self.plan.warmup if self.phase == WARM_UP else self.timeline.in_force
        rate = next((span.rate for span in spans if span.start_us <= middle_us < span.end_us), 0.0)
        self.beat.second(second, self.phase, rate)
        if self.engine is not None and self.engine.lost is not None:
            self._give_up(self.engine.lost)
        for mark in self.faults.look():
            self.recorder.mark(mark)
        for at_us, text in self.beat.checkpoints():
            self.recorder.mark(MarkLine(at_us, "checkpoint", text), tell=False)
        if self.phase == LOAD:
            self._mark_spans(second)
            self._judge(second)
        self._tell_others()
        if self.exposition is not None:
            scheduled = sum(span.due_before((second + 1) * SECOND_US) for span in self.timeline.in_force)
            self.exposition.show(self.beat, self.phase, scheduled, self._alerts())

    def _mark_spans(self, second: int) -> None:
        """The scenario's own changes of rate."""
        if self.prepared.own_timing:
            return
        for before, span in pairwise(self.timeline.base):
            begins = span.start_us // SECOND_US == second and span in self.timeline.in_force
            if begins and span.rate != before.rate:
                self._mark("phase", f"{span.rate:,.6g} events/s", span.start_us)

    def _judge(self, second: int) -> None:
        if self._evaluator is None:
            return
        due = due_in(self.timeline.in_force, range(second - _DUE_BACK_S, second + 1))
        for event in self.beat.judge(self._evaluator, now_us(), due):
            self.recorder.mark(event.mark())
            self.alarm.ring(event)
            if event.edge == "abort":
                self._abort(event)

    def _abort(self, event: AlertEvent) -> None:
        self.recorder.remark(f"ended early by the alert {event.rule.name}")
        self._stopped = True

    def _give_up(self, why: str) -> None:
        """Once: what the run stands on is gone, so it is closed as it is."""
        if why not in self.recorder.outcome.invalid:
            self.recorder.note(invalid=[*self.recorder.outcome.invalid, why])
            self._mark("phase", why)
            self._stopped = True

    def _alerts(self) -> dict[str, bool]:
        raised = {rule.name for rule in self._evaluator.raised} if self._evaluator else set()
        return {rule.name: rule.name in raised for rule in self.prepared.alerts}

    def _tell_others(self) -> None:
        self.recorder.run(phase=self.phase, ends_us=self.timeline.end_us or None, progress=self._progress())

    def _progress(self) -> float:
        """Share of the load's planned time that is over, 0 to 1."""
        start_us, end_us = self.plan.t0_us, self.timeline.end_us
        if start_us is None or end_us <= start_us:
            return 1.0 if self.phase == DONE else 0.0
        return round(min(1.0, max(0.0, (now_us() - start_us) / (end_us - start_us))), 4)

    def _mark(self, kind: str, text: str, at_us: int | None = None) -> None:
        self.recorder.mark(MarkLine(now_us() if at_us is None else at_us, kind, text))

    # --- commands ---

    def _obey(self, asked: Asked) -> Reply:
        match asked.command:
            case Status():
                return {"ok": True, **self._status()}
            case Stop():
                self._stopped = True
                return {"ok": True, **self._status()}
            case Burst(rate=rate, for_s=for_s):
                return self._refusal() or self._burst(rate, for_s)
            case Pause():
                return self._refusal() or self._pause()
            case Resume():
                return self._refusal() or self._resume()

    def _status(self) -> Reply:
        return {
            "run": self.beat.run,
            "phase": self.phase,
            "progress": self._progress(),
            "rate": self.timeline.rate_at(now_us()),
            "ends_us": self.timeline.end_us or None,
            "paused": self.timeline.paused(now_us()),
        }

    def _refusal(self) -> Reply | None:
        """Why the load cannot be changed now."""
        if self.phase != LOAD:
            return _no(f"the load can be changed while it lasts, this run is in its {self.phase}")
        if self.prepared.own_timing:
            return _no("this load has the timing of its file: it can only be stopped")
        if now_us() + _LEAD_US >= self.timeline.end_us:
            return _no("the load ends now")
        return None

    def _burst(self, rate: float, for_s: float) -> Reply:
        if not 0 < rate <= MOST_RATE:
            return _no(f"a burst has more than 0 and at most {MOST_RATE:,.0f} events/s, not {rate:g}")
        if not 0 < for_s <= LONGEST_BURST_S:
            return _no(f"a burst lasts more than 0 and at most {LONGEST_BURST_S:,.0f} s, not {for_s:g}")
        at_us = self._change_us()
        changed = self.timeline.burst(at_us, rate, round(for_s * 1e6))
        self._amend(changed, at_us, "burst", f"burst: {rate:,.6g} events/s for {for_s:g} s")
        return {"ok": True, **self._status()}

    def _pause(self) -> Reply:
        at_us = self._change_us()
        if self.timeline.paused(at_us):
            return _no("the load is paused already")
        self._amend(self.timeline.pause(at_us), at_us, "pause", "paused")
        return {"ok": True, **self._status()}

    def _resume(self) -> Reply:
        at_us = self._change_us()
        if not self.timeline.paused(at_us):
            return _no("the load is not paused")
        self._amend(self.timeline.resume(at_us), at_us, "resume", "resumed")
        return {"ok": True, **self._status()}

    def _end_load(self, kind: str) -> None:
        """Once: the load ends now, where its schedule still holds something."""
        at_us = self._change_us()
        if self.timeline.end_us > at_us:
            self._amend(self.timeline.stop(at_us), at_us, "stop", "stopped" if kind == "stop" else kind)

    def _change_us(self) -> int:
        """When a change that is asked for now is in force. A file's own timing is known by whole seconds only."""
        at_us = now_us() + _LEAD_US
        start_us = self.plan.t0_us or at_us
        if self.prepared.own_timing:
            at_us = -(-at_us // SECOND_US) * SECOND_US
        return max(at_us, start_us)

    def _amend(self, changed: Timeline, at_us: int, kind: str, text: str) -> None:
        self.timeline = changed
        following = list(changed.following(at_us))
        self.recorder.amendment(at_us, kind, following)
        self.crew.amend(self.beat.run, at_us, following)
        self._mark(kind, text, at_us)
        self._tell_others()


def _no(why: str) -> Reply:
    return {"ok": False, "error": why}
