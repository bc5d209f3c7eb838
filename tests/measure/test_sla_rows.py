"""SLA rows: what is judged, over what, and when a row is not applicable rather than kept."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from measure.evidence import Evidence
from measure.figures import RecoverySummary, RowVerdict, SlaRow
from measure.limits import SlaRule
from measure.sla_rows import judge
from tests.measure.evidence_of import evidence, load, rule

NOTHING = RecoverySummary(0, 0, None, None)


def row(rule_: SlaRule, of: Evidence, recovered: RecoverySummary = NOTHING) -> SlaRow:
    (only,) = judge([rule_], of, recovered)
    return only


def test_a_row_has_limit_measured_margin_and_n() -> None:
    found = row(rule("e2e", "< 80 ms", 95), evidence(load((100, 10), latency_ms=20)))
    assert (found.verdict, found.limit, found.unit, found.n) == (RowVerdict.PASS, 80, "ms", 1000)
    assert found.measured == pytest.approx(20, rel=0.001)
    assert found.margin == pytest.approx(0.75, abs=0.001)


def test_the_measured_value_is_in_the_unit_of_the_limit() -> None:
    found = row(rule("e2e", "< 0.01 s", 95), evidence(load((100, 10), latency_ms=20)))
    assert (found.verdict, found.unit) == (RowVerdict.FAIL, "s")
    assert found.measured == pytest.approx(0.02, rel=0.01)
    assert found.margin == pytest.approx(-1, abs=0.01)


def test_events_that_never_arrived_fail_a_latency_row() -> None:
    found = row(rule("e2e", "< 80 ms", 95), evidence(load((100, 10), lost=range(60))))
    assert (found.verdict, found.measured) == (RowVerdict.FAIL, None)
    assert "never arrived" in (found.reason or "")


def test_a_stage_that_was_not_measured_is_not_applicable() -> None:
    found = row(rule("shown", "< 80 ms", 95), evidence(load((100, 10))))
    assert (found.verdict, found.measured, found.reason) == (RowVerdict.NOT_APPLICABLE, None, "not measured")


def test_too_few_events_for_a_percentile_are_not_applicable() -> None:
    found = row(rule("e2e", "< 80 ms", 99), evidence(load((10, 10))))
    assert found.verdict is RowVerdict.NOT_APPLICABLE
    assert "needs 1,000 events" in (found.reason or "")


def test_a_rate_below_the_limit_by_schedule_is_not_applicable() -> None:
    found = row(rule("rate", ">= 2000 /s"), evidence(load((500, 10))))
    assert (found.verdict, found.reason) == (RowVerdict.NOT_APPLICABLE, "the schedule wanted 500/s only")


@pytest.mark.parametrize(("late", "verdict"), [(0, RowVerdict.PASS), (5, RowVerdict.PASS), (6, RowVerdict.FAIL)])
def test_a_rate_is_kept_if_995_of_1000_are_stored_in_time(late: int, verdict: RowVerdict) -> None:
    found = row(rule("rate", ">= 100 /s"), evidence(load((100, 10), lost=range(late))))
    assert found.verdict is verdict


@pytest.mark.parametrize(
    ("lost", "verdict"),
    [
        (range(200, 500), RowVerdict.PASS),
        (range(200, 600), RowVerdict.FAIL),
        ([second * 100 + 1 for second in range(2, 6)], RowVerdict.FAIL),
        ([], RowVerdict.PASS),
    ],
    ids=["three seconds without", "four seconds without", "four seconds with one lost", "none lost"],
)
def test_a_rate_with_a_time_fails_only_if_too_little_of_what_was_due_came_for_that_long(
    lost: Iterable[int], verdict: RowVerdict
) -> None:
    found = row(rule("rate", ">= 100 /s", for_s=4), evidence(load((100, 10), lost=lost)))
    assert found.verdict is verdict


def test_a_rate_with_a_time_is_judged_by_what_was_due_each_second() -> None:
    """Of 100.5 a second, every other has 100."""
    assert row(rule("rate", ">= 100.5 /s", for_s=1), evidence(load((100.5, 10)))).verdict is RowVerdict.PASS
    below = row(rule("rate", ">= 2000 /s", for_s=5), evidence(load((500, 10))))
    assert (below.verdict, below.reason) == (RowVerdict.NOT_APPLICABLE, "the schedule wanted 500/s only")


def test_a_row_during_bursts_looks_at_these_alone() -> None:
    held = load((1000, 10), (10, 10), latency_ms=lambda second: 300 if second < 10 else 20)
    found = row(rule("e2e", "< 100 ms", 95, during="burst"), evidence(held))
    assert (found.verdict, found.n) == (RowVerdict.FAIL, 10_000)
    assert (
        row(rule("e2e", "< 100 ms", 95, during="burst"), evidence(load((10, 10)))).reason == "the schedule had no burst"
    )


def test_a_row_with_a_time_fails_only_if_broken_for_that_long() -> None:
    def slow_for(seconds: int) -> Evidence:
        return evidence(load((100, 20), latency_ms=lambda second: 200 if 5 <= second < 5 + seconds else 20))

    wanted = rule("e2e", "< 100 ms", 95, for_s=5)
    assert row(wanted, slow_for(4)).verdict is RowVerdict.PASS
    broken = row(wanted, slow_for(5))
    assert broken.verdict is RowVerdict.FAIL
    assert broken.measured == pytest.approx(200, rel=0.001)


def test_a_recovery_that_never_came_fails_and_none_to_come_is_not_applicable() -> None:
    wanted = rule("recovery", "< 60 s")
    of = evidence(load((100, 10)))
    assert row(wanted, of, RecoverySummary(3, 3, 2.0, 9.0)).measured == 9
    assert row(wanted, of, RecoverySummary(3, 2, 2.0, None)).verdict is RowVerdict.FAIL
    assert row(wanted, of).verdict is RowVerdict.NOT_APPLICABLE


def test_an_error_rate_of_an_open_audit_is_not_judged() -> None:
    from dataclasses import replace

    held = load((100, 10))
    found = row(rule("error_rate", "< 1 %"), evidence(replace(held, sets=None)))
    assert (found.verdict, found.reason) == (RowVerdict.NOT_APPLICABLE, "the audit is open")
    assert row(rule("error_rate", "< 1 %"), evidence(load((100, 10), lost=range(20)))).measured == 2
