"""The external runtime where everything is encrypted, and both sides show certificates and know a password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from scenarios.request import RunRequest
from scenarios.run import execute
from scenarios.schedule import Change
from stack import lifecycle
from stack.external_doctor import examine_external
from stack.finding import Finding, Verdict
from stack.places import Home
from stack.ports import HOST
from stack.settings import ExternalSettings, Settings
from tests.stack.tls import USER, TlsClusters

pytestmark = pytest.mark.stack

NARRATED: list[str] = []
EVENTS = 5_000


@pytest.fixture(scope="module")
def clusters(own_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsClusters]:
    made = TlsClusters(tmp_path_factory.mktemp("tls"), Home(own_home))
    try:
        made.start()
        yield made
    finally:
        made.stop()


def attached(clusters: TlsClusters, **more: Any) -> Settings:
    fields: dict[str, Any] = {
        "kafka": f"{HOST}:{clusters.kafka_port}",
        "kafka_security": "SASL_SSL",
        "kafka_user": USER,
        "kafka_password": SecretStr(clusters.password),
        "kafka_ca": clusters.authority.file,
        "kafka_certificate": clusters.client,
        "mongo": SecretStr(clusters.mongo_uri),
        "database": clusters.database,
    }
    services = ("kafka", "mongod", "spark", "sink")
    settings = Settings.load("encrypted", runtime="external")
    return settings.model_copy(update={"external": ExternalSettings(**(fields | more)), "services": services})


def test_every_event_of_a_run_comes_through_encrypted_clusters(clusters: TlsClusters) -> None:
    settings = attached(clusters)
    try:
        lifecycle.up(settings, None, None, NARRATED.append)
        document = execute(RunRequest("smoke", Change(duration_us=10_000_000)), settings, NARRATED.append)
        assert document.audit.stored == document.audit.scheduled == EVENTS
        assert document.audit.lost == 0
    finally:
        lifecycle.down(settings, purge=True, narrate=NARRATED.append)


def test_the_doctor_says_where_a_certificate_is_missing(clusters: TlsClusters) -> None:
    def findings(**more: Any) -> dict[str, Finding]:
        return {each.name: each for each in examine_external(attached(clusters, **more))}

    assert {each.verdict for each in findings().values()} == {Verdict.OK}
    assert findings(kafka_certificate=None)["kafka"].verdict is Verdict.LACKS
    assert findings(kafka_ca=None)["kafka"].verdict is Verdict.LACKS
