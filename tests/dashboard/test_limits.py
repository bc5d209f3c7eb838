"""The limits of a run, as its page shows them: what is final, and what is only so far."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.filterwarnings("default")
"""Streamlit's test harness leaves warnings of its own."""

SCRIPT = """
from types import SimpleNamespace
from dashboard.answers import Answer
from dashboard.reports import Standing
from dashboard.views import limits
from measure.figures import RowVerdict, SlaRow

row = SlaRow("e2e", 1000.0, None, "ms", 100, RowVerdict.FAIL, name="P95", percentile=95.0, reason="never arrived")
standing = Standing({final}, "tier1", (row,), (), (), ())
limits.section(SimpleNamespace(standing=lambda run: Answer(standing)), "peak-1")
"""


@pytest.mark.parametrize("final", [False, True])
def test_a_run_in_progress_says_that_its_dead_letters_still_count_as_missing(final: bool) -> None:
    page = AppTest.from_string(SCRIPT.format(final=final), default_timeout=30).run()
    assert not page.exception
    captions = " ".join(str(caption.value) for caption in page.caption)
    assert ("Dead letters" in captions) is not final
    assert ("At the end of the run." in captions) is final
