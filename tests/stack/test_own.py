"""A job of the user's own: the documented example as it stands, and the files that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from measure.errors import UsageError
from stack import lifecycle
from stack.access import Access
from stack.services.own import check_job
from stack.settings import Settings
from tests.stack.own_job import assert_measured, example


@pytest.fixture
def own_stack(tmp_path: Path, stack_settings: Settings) -> Iterator[Access]:
    """A second stack, with the example in it."""
    job = tmp_path / "my_job.py"
    job.write_text(example(), encoding="utf-8")
    settings = Settings.load("own", profile="own", job={"path": job})

    def narrate(text: str) -> None:
        click.echo(text, err=True)

    try:
        lifecycle.up(settings, None, None, narrate)
        yield Access.load(settings.folder.root)
    finally:
        lifecycle.down(settings, purge=True, narrate=narrate)


@pytest.mark.stack
def test_the_documented_example_runs_and_is_measured(own_stack: Access) -> None:
    assert_measured(own_stack)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [(None, "cannot be read"), ("def broken(:\n", r"does not compile: .* \(line 1\)"), ("\0", "does not compile")],
)
def test_a_file_that_cannot_run_is_refused(tmp_path: Path, source: str | None, complaint: str) -> None:
    path = tmp_path / "job.py"
    if source is not None:
        path.write_text(source, encoding="utf-8")
    with pytest.raises(UsageError, match=complaint):
        check_job(path)


def test_a_profile_without_a_job_says_what_to_write() -> None:
    with pytest.raises(UsageError, match=r'\[job\] path = "my_job.py"'):
        check_job(None)
