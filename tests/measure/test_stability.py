"""The slope of P95 over a run, with its interval."""

from __future__ import annotations

import pytest

from measure.stability import stability
from tests.measure.evidence_of import evidence, load


def test_a_steady_rise_is_found_and_its_interval_leaves_zero() -> None:
    found = stability(evidence(load((100, 240), latency_ms=lambda second: 20 + second / 6)))
    assert found.slope_ms_per_min == pytest.approx(10, rel=0.05)
    assert found.low is not None
    assert found.low > 0


def test_one_bad_slice_moves_nothing() -> None:
    found = stability(evidence(load((100, 240), latency_ms=lambda second: 900 if 100 <= second < 120 else 20)))
    assert found.slope_ms_per_min == 0


def test_a_short_run_is_not_judged_rather_than_called_stable() -> None:
    found = stability(evidence(load((100, 3))))
    assert (found.slope_ms_per_min, found.low) == (None, None)
    assert "5 slices" in (found.reason or "")


def test_no_load_has_no_slope() -> None:
    assert stability(evidence(load())).slope_ms_per_min is None
