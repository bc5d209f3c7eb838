"""What `[external]` says: checked, kept apart from what may be shown, and told to the parts."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from measure.errors import LatencyError, UsageError
from stack import mongo_uri
from stack.access import Access, Role
from stack.driver_address import driver_host
from stack.external import check_external, external_credentials, external_endpoints, external_names
from stack.external_doctor import examine_external
from stack.finding import Verdict
from stack.kafka_login import KafkaLogin
from stack.places import Home
from stack.settings import ExternalSettings, JobSettings, Settings

URI = "mongodb://ann:se%40cret@db.example:27017/?tls=true"
GOOD = {"kafka": "kafka.example:9093", "kafka_security": "SSL", "mongo": SecretStr(URI)}


def settings_of(**external: object) -> Settings:
    return Settings(runtime="external", external=ExternalSettings(**(GOOD | external)))


def access_of(settings: Settings) -> Access:
    return Access(
        external_endpoints(settings, {"dashboard": 1, "spark.ui": 2}, ("spark",)),
        external_credentials(settings.external),
    )


@pytest.mark.parametrize(
    ("external", "told"),
    [
        ({"kafka": None}, "kafka is not set"),
        ({"mongo": None}, "mongo"),
        ({"mongo": SecretStr("http://x")}, "mongodb://"),
        ({"mongo": SecretStr("mongodb:///x?tls=true")}, "no host"),
        ({"mongo": None, "mongo_file": Path("/nowhere/uri")}, "/nowhere/uri"),
        ({"kafka_security": "SASL_SSL"}, "kafka_user"),
        ({"kafka_ca": Path("/nowhere/ca.pem")}, "/nowhere/ca.pem"),
        ({"spark": "sc://here"}, "Spark Connect"),
        ({"spark": "mesos://here"}, "expected one of"),
        ({"kafka_security": "PLAINTEXT"}, "does not encrypt"),
        ({"mongo": SecretStr("mongodb://ann:secret@db.example/")}, "tls=true"),
        ({"mongo": SecretStr("mongodb://ann:secret/x@db.example/?tls=true")}, "percent-encode"),
        ({"mongo": SecretStr("mongodb://ann:secret?x@db.example/?tls=true")}, "percent-encode"),
    ],
)
def test_what_cannot_be_is_refused_with_the_key_and_without_a_secret(external: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_external(settings_of(**external))
    assert told in str(refused.value)
    assert "secret" not in str(refused.value)


def test_state_in_a_local_folder_is_refused_with_another_machines_executors() -> None:
    settings = settings_of(spark="spark://there:7077").model_copy(update={"job": JobSettings(stateful=True)})
    with pytest.raises(UsageError, match="stateful"):
        check_external(settings)


def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    certificate = tmp_path / "ca.pem"
    certificate.write_text("not a certificate")
    found = next(examine_external(settings_of(kafka_ca=certificate)))
    assert (found.name, found.verdict) == ("kafka", Verdict.LACKS)
    assert "ssl.ca.location" in found.found


@pytest.mark.parametrize(
    "external",
    [
        {},
        {"mongo": SecretStr("mongodb+srv://ann:secret@cluster.example/")},
        {"kafka": "127.0.0.1:1,localhost:2,[::1]:3", "kafka_security": "PLAINTEXT"},
        {"kafka_security": "PLAINTEXT", "insecure": True, "mongo": SecretStr("mongodb://db.example/")},
        {"spark": "k8s://https://there:6443"},
    ],
)
def test_what_can_be_is_accepted(external: dict[str, object]) -> None:
    check_external(settings_of(**external))


def test_secrets_come_from_files_and_are_in_no_settings(tmp_path: Path) -> None:
    (tmp_path / "uri").write_text(URI + "\n")
    (tmp_path / "word").write_text("hush\n")
    settings = settings_of(
        mongo=None,
        mongo_file=tmp_path / "uri",
        kafka_security="SASL_SSL",
        kafka_user="ann",
        kafka_password_file=tmp_path / "word",
    )
    check_external(settings)
    access = access_of(settings)
    assert access.kafka(Role.SINK)["sasl.password"] == "hush"
    assert set(access.credentials.mongo.values()) == {URI, "se@cret"}
    given = settings_of(kafka_password=SecretStr("hush"))
    shown = repr(given) + str(list(given.entries())) + given.model_dump_json()
    assert "hush" not in shown
    assert "cret@" not in shown


def test_every_role_logs_in_alike_and_writes_safely() -> None:
    access = access_of(settings_of())
    uri = access.mongo_uri(Role.DASHBOARD)
    assert uri.startswith("mongodb://ann:se%40cret@db.example:27017/latency?")
    assert all(option in uri for option in ("tls=true", "authSource=admin", "w=majority", "journal=true"))
    assert access.mongo_uri_without_secret() == "mongodb://db.example:27017/latency?tls=true"
    assert access.endpoints.mongo == "db.example:27017"
    assert access.kafka(Role.JOB) == {"bootstrap.servers": "kafka.example:9093", "security.protocol": "SSL"}


def test_names_carry_the_prefix() -> None:
    names = external_names(ExternalSettings(prefix="team.", database="shop"))
    assert (names.events, names.clean, names.dead, names.database) == (
        "team.events",
        "team.events.clean",
        "team.events.dead",
        "shop",
    )


def test_a_users_options_stay_and_ours_win() -> None:
    made = mongo_uri.with_options("mongodb://a:b@h1,h2/auth?w=1&replicaSet=rs0", "shop", {"w": "majority"})
    assert made == "mongodb://a:b@h1,h2/shop?replicaSet=rs0&authSource=auth&w=majority"


def test_both_kinds_of_kafka_clients_log_in_alike() -> None:
    login = KafkaLogin("SASL_SSL", "SCRAM-SHA-256", "ann", 'a"b\\c', "/ca.pem", "/own.pem")
    assert login.librdkafka()["ssl.key.location"] == "/own.pem"
    java = login.java()
    assert java["sasl.jaas.config"].endswith('ScramLoginModule required username="ann" password="a\\"b\\\\c";')
    assert java["ssl.truststore.location"] == "/ca.pem"
    assert 'a"b' not in repr(login)


def test_the_driver_is_found_where_the_master_can_see_it() -> None:
    assert driver_host("spark://127.0.0.1:7077", None) == "127.0.0.1"
    assert driver_host("yarn", None) == "127.0.0.1"
    assert driver_host("spark://there:7077", "10.0.0.1") == "10.0.0.1"


def test_the_whole_error_tree_is_ours(home: Home) -> None:
    with pytest.raises(LatencyError):
        check_external(Settings(runtime="external"))
