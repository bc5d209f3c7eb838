"""The user's settings of Spark: what Spark does not know is refused, what it hands on is not."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from jobs import session
from stack.services.spark import CONF_VARIABLE, MASTER_VARIABLE


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """One without a master; the session that is left in it is stopped."""
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--conf spark.ui.enabled=false pyspark-shell")
    monkeypatch.delenv(MASTER_VARIABLE, raising=False)
    yield monkeypatch
    if left := SparkSession.getActiveSession():
        left.stop()


def test_the_users_settings_win(environment: pytest.MonkeyPatch) -> None:
    own = {"spark.sql.shuffle.partitions": "7", "spark.hadoop.fs.file.impl.disable.cache": "true"}
    environment.setenv(CONF_VARIABLE, json.dumps(own))
    started = session.start("tests", 1, session.TUNED | {"spark.sql.shuffle.partitions": "2"})
    assert {key: started.conf.get(key) for key in own} == own


def test_a_setting_that_spark_does_not_know_is_refused(environment: pytest.MonkeyPatch) -> None:
    environment.setenv(CONF_VARIABLE, json.dumps({"spark.sql.shufle.partitions": "7"}))
    with pytest.raises(session.UnknownSettingError, match=r"has no setting 'spark.sql.shufle.partitions'"):
        session.start("tests", 1, session.PLAIN)
