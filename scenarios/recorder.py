"""Where the run process writes: first the run's folder, then MongoDB behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import msgspec

from measure.folder import RunFolder, Slices
from measure.records import Amendment, BatchSample, MarkLine, Outcome, Plan, RunSample, SinkSample, SliceLine
from measure.schedule import Span
from scenarios.mirror import Mirror
from scenarios.slices import Stages
from scenarios.visible import Seen

_MIRROR_CLOSE_S = 10.0


class Recorder:
    """Open until `close`. Not for several threads."""

    def __init__(self, folder: RunFolder, mirror: Mirror, narrate: Callable[[str], None], first_second: int) -> None:
        self.folder = folder
        self._mirror, self._narrate, self._first_second = mirror, narrate, first_second
        self._open = ExitStack()
        self._marks, self._samples, self._slices = (
            self._open.enter_context(folder.writer(f"{name}.jsonl")) for name in ("marks", "samples", "slices")
        )
        self._sinks: dict[str, int] = {}
        self._batches: set[int] = set()
        self._run_fields: dict[str, Any] = {}
        self.visible: dict[str, Slices] = {}
        self.outcome = Outcome()

    def plan(self, plan: Plan) -> None:
        """What was resolved."""
        self.folder.write_plan(plan)

    def note(self, **fields: Any) -> None:
        """What became known of the run's outcome."""
        self.outcome = msgspec.structs.replace(self.outcome, **fields)
        self.folder.write_outcome(self.outcome)

    def remark(self, text: str) -> None:
        """What a reader should know, once."""
        if text not in self.outcome.remarks:
            self.note(remarks=[*self.outcome.remarks, text])

    def run(self, **fields: Any) -> None:
        """What others see of the run live."""
        self._run_fields |= fields
        self._mirror.run(self._run_fields)

    def mark(self, mark: MarkLine, tell: bool = True) -> None:
        """Something that happened."""
        self._marks.write(mark)
        self._mirror.mark(mark)
        if tell:
            self._narrate(mark.text)

    def amendment(self, at_us: int, kind: str, spans: list[Span]) -> None:
        """The schedule from `at_us` on."""
        self.folder.append(Amendment(at_us, kind, spans))

    def sample(self, sample: RunSample) -> None:
        """One second of the run."""
        self._samples.write(sample)
        self._mirror.sample(sample)

    def others(self, sinks: tuple[SinkSample, ...], batches: tuple[BatchSample, ...], before: int) -> None:
        """What sinks and job noted of the run's seconds before `before`, each once."""
        for sink in sorted(sinks, key=lambda sample: sample.second):
            if self._sinks.get(sink.sink, self._first_second - 1) < sink.second < before:
                self._sinks[sink.sink] = sink.second
                self._samples.write(sink)
        for batch in batches:
            if batch.batch_id not in self._batches and batch.second >= self._first_second:
                self._batches.add(batch.batch_id)
                self._samples.write(batch)

    def slices(self, run: str, seconds: Mapping[int, Stages]) -> None:
        """Settled due-seconds, so that a run whose process is killed has them."""
        self._slices.write_all(SliceLine.of(run, second, stages) for second, stages in sorted(seconds.items()))

    def see(self, seen: Seen) -> None:
        """What the change stream brought."""
        for (run, second), fresh in seen.items():
            held = self.visible.setdefault(run, {}).setdefault(second, {}).setdefault("visible", fresh)
            if held is not fresh:
                held.merge(fresh)
            self._mirror.visible(run, second, held)

    def close(self) -> bool:
        """Close the files; whether MongoDB has all."""
        self._open.close()
        return self._mirror.close(_MIRROR_CLOSE_S)

    def __enter__(self) -> Recorder:
        self._mirror.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
