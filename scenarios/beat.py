"""What the run process does once a second: take a sample, write it, judge the alerts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import psutil

from measure import clock
from measure.alerts import AlertEvaluator, AlertEvent, AlertSample
from measure.histogram import Histogram
from measure.percentiles import merged_stages
from measure.records import LagSample, RunSample, Usage
from measure.schedule import Span
from scenarios.observer import Observation, Observer
from scenarios.recorder import Recorder
from scenarios.slices import Stages
from scenarios.spools import Spools, Tally
from scenarios.visible import VisibleWatcher
from stack.resources import ResourceSampler

KEPT_S = 90
"""How long the observer keeps a due-second in view."""
_SETTLED_S = 6
"""A due-second older than this is written into the folder as it then is, and again when more of it arrives."""
_FOLDED_S = KEPT_S - 10
"""A due-second older than this is added to those that are no longer in view."""
_FRESH_US = 2_500_000


class Crewed(Protocol):
    """Whose processes are the generator."""

    @property
    def processes(self) -> list[psutil.Process]: ...


@dataclass(slots=True)
class GeneratorUsage:
    """The producers as one service among the others."""

    crew: Crewed
    _cpu_s: dict[int, float] = field(default_factory=dict)
    _read_s: float = 0.0

    def sample(self) -> Usage | None:
        """CPU since the last call, and memory; None where no producer is left, or this is the first call."""
        cpu_s, rss, seen = {}, 0, time.monotonic()
        for process in self.crew.processes:
            try:
                times = process.cpu_times()
                cpu_s[process.pid], rss = times.user + times.system, rss + process.memory_info().rss
            except psutil.Error:
                continue
        used = sum(now - self._cpu_s[pid] for pid, now in cpu_s.items() if pid in self._cpu_s)
        elapsed, first = seen - self._read_s, not self._read_s
        self._cpu_s, self._read_s = cpu_s, seen
        return Usage(cpu=round(used / elapsed, 4), rss_bytes=rss) if cpu_s and not first else None


def due_in(spans: Sequence[Span], seconds: range) -> dict[int, int]:
    """Second of the epoch → events due in it, for those of `seconds` that have some."""
    near = [span for span in spans if span.end_us > seconds.start * 1_000_000 and span.start_us < seconds.stop * 10**6]
    due = {
        second: sum(span.due_before((second + 1) * 1_000_000) - span.due_before(second * 1_000_000) for span in near)
        for second in seconds
    }
    return {second: n for second, n in due.items() if n}


@dataclass(slots=True)
class Beat:
    """The parts that a second needs. `spools` are those of the warm-up and of the load."""

    run: str
    warmup_run: str
    recorder: Recorder
    observer: Observer
    visible: VisibleWatcher
    resources: ResourceSampler
    generator: GeneratorUsage
    spools: Mapping[str, Spools]
    _before: Tally = field(default_factory=Tally)
    _stored: int = 0
    _written: dict[str, dict[int, int]] = field(default_factory=dict)
    """Run id → due-second in view → events of it that are in the folder."""
    _checkpoints: set[int] = field(default_factory=set)
    last: list[RunSample] = field(default_factory=list)
    """The samples of the last minutes."""
    folded: Stages = field(default_factory=dict)
    """All of the load's due-seconds up to `folded_to` together."""
    folded_to: int = 0

    def second(self, second: int, phase: str, target_rate: float) -> RunSample:
        """The sample of the second that has just ended, written."""
        seen = self.observer.latest
        tally = sum((spools.read() for spools in self.spools.values()), Tally())
        step, self._before = tally.since(self._before), tally
        stored = sum(seen.stored.values())
        fresh_stored, self._stored = stored - self._stored, stored
        sample = RunSample(
            run=self.run,
            second=second,
            target_rate=target_rate,
            sent=step.sent,
            acked=step.acked,
            stored=max(0, fresh_stored),
            late=step.late,
            unsent=step.unsent,
            failed=step.failed,
            lag=self._lag(seen),
            services=self._usages(),
            phase=phase,
            clock_us=clock.read_clock_us(),
        )
        self.recorder.sample(sample)
        self.recorder.see(self.visible.take())
        self.recorder.others(seen.sinks, seen.batches, second - 1)
        for run in (self.warmup_run, self.run):
            self._write_settled(run, seen.slices.get(run, {}), second - _SETTLED_S)
        self._fold(seen.slices.get(self.run, {}), second - _FOLDED_S)
        self.last = [*self.last[-120:], sample]
        return sample

    def checkpoints(self) -> list[tuple[int, str]]:
        """The checkpoint boundaries that came since the last call."""
        fresh = [found for found in self.observer.latest.checkpoints if found[0] not in self._checkpoints]
        self._checkpoints |= {at_us for at_us, _ in fresh}
        return fresh

    def judge(self, evaluator: AlertEvaluator, now_us: int, due: Mapping[int, int]) -> list[AlertEvent]:
        """What the alerts have to say now."""
        seen = self.observer.latest
        return evaluator.step(
            now_us,
            AlertSample(
                slices=seen.slices.get(self.run, {}),
                due={second: max(0, n - seen.dead.get(second, 0)) for second, n in due.items()},
                run=self.last[-1] if self.last else None,
                sinks=seen.sinks,
                batches=seen.batches,
            ),
        )

    def _lag(self, seen: Observation) -> LagSample | None:
        return seen.lag if time.time_ns() // 1000 - seen.at_us < _FRESH_US else None

    def _usages(self) -> dict[str, Usage]:
        services = {
            name: Usage(
                round(used.cpu_cores, 4),
                used.rss_bytes,
                used.read_bytes_s,
                used.write_bytes_s,
                used.rx_bytes_s,
                used.tx_bytes_s,
            )
            for name, used in self.resources.sample().items()
        }
        generator = self.generator.sample()
        return services | ({"generator": generator} if generator else {})

    def _write_settled(self, run: str, held: Mapping[int, Stages], upto: int) -> None:
        counts = {second: _arrived(stages) for second, stages in held.items() if second <= upto}
        before = self._written.get(run, {})
        self._written[run] = counts
        grown = {second: held[second] for second, n in counts.items() if n > before.get(second, -1)}
        if grown:
            self.recorder.slices(run, grown)

    def _fold(self, held: Mapping[int, Stages], upto: int) -> None:
        leaving = {second: stages for second, stages in held.items() if self.folded_to < second <= upto}
        if leaving:
            self.folded = merged_stages((self.folded, *leaving.values()))
            self.folded_to = max(leaving)


def _arrived(stages: Stages) -> int:
    return stages["e2e"].n if "e2e" in stages else 0


def e2e_of(slices: Mapping[int, Stages]) -> dict[int, Histogram]:
    """Due-second → e2e histogram."""
    return {second: stages["e2e"] for second, stages in slices.items() if "e2e" in stages}
