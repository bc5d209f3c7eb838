"""The verdict: its order, and each reason that can make a run fail or be invalid."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pyroaring import BitMap

from measure.evidence import Evidence
from measure.figures import Clock, Generator, SlaRow, StageLatency, Status, Verdict
from measure.figures import RowVerdict as Row
from measure.load import Load
from measure.records import MarkLine, Outcome
from measure.verdict import judge_run
from tests.measure.evidence_of import START_US, evidence, load

STEADY = Clock(0.01, 0.0, 10, stepped=False)
PUNCTUAL = Generator(1, 0, 0.0, 0.1, 1.0, 0.1)
HELD = SlaRow("e2e", 1000, 20, "ms", 1000, Row.PASS, name="P95 latency", percentile=95)
BROKEN = SlaRow("e2e", 1000, 2000, "ms", 1000, Row.FAIL, name="P95 latency", percentile=95)


def judged(
    of: Evidence, *rows: SlaRow, clock: Clock = STEADY, generator: Generator = PUNCTUAL, **stages: StageLatency
) -> tuple[Verdict, list[str]]:
    return judge_run(of, clock, generator, stages, rows)


def unsent(held: Load, n: int) -> Load:
    """The same load, of whose events the first `n` were not sent."""
    whole = held.accounts[0]
    gone = BitMap(range(n))
    account = replace(whole, acked=whole.acked - gone, unsent=gone)
    sets = held.sets
    assert sets is not None
    sets.of(0).stored -= gone
    return replace(held, accounts={0: account}, slices=load((100, 10), lost=range(n)).slices)


def test_a_plain_pass_has_no_reasons() -> None:
    assert judged(evidence(load((100, 10))), HELD) == (Verdict.PASS, [])


def test_a_broken_row_fails() -> None:
    verdict, reasons = judged(evidence(load((100, 10))), HELD, BROKEN)
    assert verdict is Verdict.FAIL
    assert reasons == ["SLA P95 latency: 2,000 ms, limit < 1,000 ms"]


def test_a_row_that_does_not_apply_breaks_nothing() -> None:
    row = SlaRow("rate", 2000, None, "/s", 0, Row.NOT_APPLICABLE)
    assert judged(evidence(load((100, 10))), row)[0] is Verdict.PASS


def test_an_event_lost_fails_and_comes_before_all_that_is_invalid() -> None:
    clock = Clock(3_600_000, 0.0, 10, stepped=True)
    verdict, reasons = judged(evidence(load((100, 10), lost=[7])), BROKEN, clock=clock)
    assert verdict is Verdict.FAIL
    assert [reason.split()[0] for reason in reasons] == ["lost", "the", "SLA"]
    assert reasons[0] == "lost 1 (first 0:7)"


@pytest.mark.parametrize("what", ["duplicates", "unexpected"])
def test_a_duplicate_or_an_unexpected_event_fails(what: str) -> None:
    held = load((100, 10))
    assert held.sets is not None
    if what == "duplicates":
        held.sets.repeats = 2
    else:
        held.sets.of(0).stored.add(5_000)
    verdict, reasons = judged(evidence(held), HELD)
    assert verdict is Verdict.FAIL
    assert reasons[0].startswith(what)


def test_one_event_lost_in_the_warm_up_fails_the_run() -> None:
    verdict, reasons = judged(evidence(load((100, 10)), warmup=load((100, 10), lost=[3])), HELD)
    assert (verdict, reasons) == (Verdict.FAIL, ["warm-up: lost 1 (first 0:3)"])


def test_a_load_that_was_not_sent_is_invalid() -> None:
    assert judged(evidence(unsent(load((100, 10)), 5)), HELD)[0] is Verdict.PASS
    verdict, reasons = judged(evidence(unsent(load((100, 10)), 6)), HELD, BROKEN)
    assert verdict is Verdict.INVALID
    assert reasons[0] == "only 99.40% of the events due were sent, 99.5 % are needed"


def test_no_load_is_invalid_and_no_pass() -> None:
    assert judged(evidence(load()), HELD) == (Verdict.INVALID, ["no event of the load was due"])


def test_an_open_audit_is_invalid() -> None:
    verdict, reasons = judged(evidence(replace(load((100, 10)), sets=None)), HELD)
    assert verdict is Verdict.INVALID
    assert reasons[0].startswith("audit not closed: ")


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome(status=Status.FINISHED), "the run ended before its drain did"),
        (Outcome(status=Status.FINISHED, drained=False), "the drain timed out before every acknowledged event was"),
        (Outcome(status=Status.FINISHED, drained=True, invalid=["partition 2 halted"]), "partition 2 halted"),
    ],
)
def test_what_the_run_process_could_not_bring_to_its_end_is_invalid(outcome: Outcome, reason: str) -> None:
    verdict, reasons = judged(evidence(load((100, 10)), outcome=outcome), HELD)
    assert verdict is Verdict.INVALID
    assert reasons[0].startswith(reason)


def test_a_stepped_clock_is_invalid() -> None:
    verdict, reasons = judged(evidence(load((100, 10))), HELD, clock=Clock(12.5, 0.0, 10, stepped=True))
    assert (verdict, reasons) == (Verdict.INVALID, ["the wall clock stepped by 12.5 ms"])


@pytest.mark.parametrize(
    ("acted", "verdict"), [(True, Verdict.PASS), (False, Verdict.INVALID), (None, Verdict.INVALID)]
)
def test_a_fault_that_was_not_seen_to_act_is_invalid(acted: bool | None, verdict: Verdict) -> None:
    mark = MarkLine(START_US, "fault", "kill sink", fault="kill", service="sink", edge="begin", acted=acted)
    assert judged(evidence(load((100, 10)), marks=[mark]), HELD)[0] is verdict


def test_buckets_that_hold_more_events_than_were_stored_are_invalid() -> None:
    held = load((100, 10))
    held.slices[min(held.slices)]["e2e"].record(5_000)
    verdict, reasons = judged(evidence(held), HELD)
    assert verdict is Verdict.INVALID
    assert reasons == ["1,001 events have a latency, 1,000 should: buckets and sets disagree"]


def test_an_event_stored_without_a_latency_is_counted_and_ranks_above_all() -> None:
    held = load((100, 10), lost={3})
    assert held.sets is not None
    held.sets.of(0).stored.add(3)
    assert (held.audit.unmeasured, held.infinite()) == (1, 1)
    assert judged(evidence(held), HELD)[0] is Verdict.INVALID


def test_an_sla_that_only_the_generator_broke_is_invalid() -> None:
    late = Generator(1, 200, 0.2, 900.0, 1.0, 0.1)
    kept_from_sent = StageLatency(1000, p95=30.0)
    assert judged(evidence(load((100, 10))), BROKEN, generator=late, e2e_sent=kept_from_sent)[0] is Verdict.INVALID
    assert judged(evidence(load((100, 10))), BROKEN, generator=PUNCTUAL, e2e_sent=kept_from_sent)[0] is Verdict.FAIL
    broken_too = StageLatency(1000, p95=1500.0)
    assert judged(evidence(load((100, 10))), BROKEN, generator=late, e2e_sent=broken_too)[0] is Verdict.FAIL
