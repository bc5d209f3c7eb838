"""The compose file, as far as it needs no engine."""

from __future__ import annotations

import pytest

from measure.errors import UsageError
from stack.blueprint import Plan
from stack.credentials import secret_values
from stack.docker import labels
from stack.docker.compose import compose
from stack.settings import Settings

TOLD: list[str] = []
PARTS = (("services", "kafka"), ("volumes", "kafka"), ("networks", "default"))


def test_a_stack_of_another_runtime_is_left_alone() -> None:
    settings = Settings.load("made-local")
    settings.folder.make()
    Plan(settings.model_dump(mode="json"), {}).write(settings.folder)
    with pytest.raises(UsageError, match="made with runtime local: name another one for compose"):
        compose(settings, TOLD.append)


def test_what_is_left_out_is_waited_for_by_nobody_and_no_secret_is_told() -> None:
    settings = Settings.load("composed-part").model_copy(update={"services": ("mongod", "dashboard")})
    composed = compose(settings, TOLD.append)
    services = composed.document["services"]
    assert isinstance(services, dict)
    assert set(services) == {"mongod", "dashboard"}
    assert services["dashboard"]["depends_on"] == {"mongod": {"condition": "service_healthy"}}  # type: ignore[index,call-overload]
    assert not any(secret in composed.text for secret in secret_values(settings.folder))
    files = settings.folder.root / "compose" / "files"
    assert files.stat().st_mode & 0o077 == 0


def test_what_a_container_is_given_may_be_read_where_selinux_confines_it() -> None:
    settings = Settings.load("composed-given").model_copy(update={"services": ("kafka",)})
    document = compose(settings, TOLD.append).document
    assert "secrets" not in document
    files = settings.folder.root / "compose" / "files" / "kafka"
    mounts = document["services"]["kafka"]["volumes"]  # type: ignore[index,call-overload]
    assert f"{files}/users:/etc/kafka/secrets/users:ro,z" in mounts
    assert {mount.split(":")[0] for mount in mounts[1:]} == {str(file) for file in files.iterdir()}


def test_everything_bears_the_labels_by_which_this_home_finds_it() -> None:
    settings = Settings.load("composed-marked").model_copy(update={"services": ("kafka",)})
    document = compose(settings, TOLD.append).document
    defined = [document[part][name] for part, name in PARTS]  # type: ignore[index,call-overload]
    assert [each["labels"] for each in defined] == [labels.own("composed-marked")] * len(PARTS)


def test_a_cluster_id_never_begins_as_an_option_does() -> None:
    settings = Settings.load("s2").model_copy(update={"services": ("kafka",)})  # its hash begins with a dash
    services = compose(settings, TOLD.append).document["services"]
    cluster = str(services["kafka"]["environment"]["CLUSTER_ID"])  # type: ignore[index,call-overload]
    assert (cluster[0], len(cluster)) == ("A", 22)
