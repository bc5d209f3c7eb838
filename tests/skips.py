"""Under CI a test that is skipped has failed: there, everything that a test needs is installed first.

The one exception is the marker `real_data`, whose files are not part of the project.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

EXCEPTION = "real_data"


def on_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    expected_to_fail = hasattr(report, "wasxfail")
    if report.skipped and on_ci() and not expected_to_fail and not item.get_closest_marker(EXCEPTION):
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped and on_ci():
        _fail(report)
    return report


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    told = report.longrepr
    reason = told[2] if isinstance(told, tuple) else told
    report.outcome = "failed"
    report.longrepr = f"{reason}\nUnder CI a skip is a failure: install what the test needs in .ci/run."
