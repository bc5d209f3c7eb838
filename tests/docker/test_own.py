"""A job of the user's own in containers: the documented example as it stands, at Spark's master."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from docker import DockerClient

from stack import lifecycle
from stack.access import Access
from stack.credentials import secret_values
from stack.docker.clearing import containers
from stack.settings import Settings
from tests.stack.own_job import assert_measured, example

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

ENDED = 128 + signal.SIGTERM
TOLD: list[str] = []


def test_the_documented_example_runs_and_is_measured(contained: Settings, client: DockerClient, tmp_path: Path) -> None:
    path = tmp_path / "my_job.py"
    path.write_text(example(), encoding="utf-8")
    job = contained.job.model_copy(update={"path": path})
    services = ("kafka", "mongod", "spark", "reader")
    settings = contained.model_copy(update={"stack": "own", "profile": "own", "job": job, "services": services})
    try:
        lifecycle.up(settings, None, None, TOLD.append)
        assert_measured(Access.load(settings.folder.root))
        driver = containers(client, "own")["spark"]
        told = json.dumps(client.api.inspect_container(driver.id))
        assert not any(secret in told for secret in secret_values(settings.folder))
        lifecycle.halt(settings, "spark")
        driver.reload()
        assert driver.attrs["State"]["ExitCode"] == ENDED  # and not killed after its time was over
    finally:
        lifecycle.down(settings, purge=True, narrate=TOLD.append)
