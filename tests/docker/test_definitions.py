"""What is said of containers before there is an engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from measure.errors import NotReadyError
from stack.access import Access
from stack.blueprint import Blueprint
from stack.choice import choose_ports
from stack.credentials import ensure_credentials
from stack.docker import labels
from stack.docker.box import Box
from stack.docker.database import Provision
from stack.docker.ground import cgroup_parent
from stack.docker.own import own_job
from stack.lifecycle import endpoints_of
from stack.service import NotYetError
from stack.services.mongod import LoginRefusedError
from stack.settings import Settings

TOLD: list[str] = []


def blueprint(**changes: object) -> Blueprint:
    settings = Settings.load("defined", runtime="docker").model_copy(update=changes)
    settings.folder.make()
    ports = choose_ports(settings, {}, TOLD.append)
    access = Access(endpoints_of(settings, ports), ensure_credentials(settings.folder))
    return Blueprint(settings.home, settings.folder, settings, ports, access)


def test_stacks_of_one_name_in_two_homes_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENCY_HOME", str(tmp_path / "mine"))
    mine = labels.of_stack("same")
    labels.require_own("same", "volume v", mine)
    (tmp_path / "way").symlink_to(tmp_path / "mine")
    monkeypatch.setenv("LATENCY_HOME", str(tmp_path / "way"))
    assert labels.of_stack("same") == mine
    monkeypatch.setenv("LATENCY_HOME", str(tmp_path / "theirs"))
    assert labels.of_stack("same") != mine
    with pytest.raises(NotReadyError, match=r"has a volume v already that belongs to another home .* by --stack"):
        labels.require_own("same", "volume v", mine)


@pytest.mark.parametrize("found", [None, {labels.OURS: "same"}, {labels.PROJECT: "latency-same"}])
def test_what_lacks_the_labels_is_nobodys_to_take(found: dict[str, str] | None) -> None:
    with pytest.raises(NotReadyError, match="belongs to another home"):
        labels.require_own("same", "network n", found)


def test_a_job_is_another_where_its_program_or_its_collection_is(tmp_path: Path) -> None:
    job = Settings.load().job
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "b.py").write_text("1")
    told = [("a.py", "results"), ("a.py", "others"), ("b.py", "results")]
    jobs = [job.model_copy(update={"path": tmp_path / name, "collection": where}) for name, where in told]
    assert len({own_job(blueprint(job=each)).digest for each in jobs}) == len(jobs)


def test_containers_weigh_as_much_as_processes_where_the_engine_makes_the_groups() -> None:
    assert cgroup_parent({"CgroupDriver": "cgroupfs", "SecurityOptions": ["name=seccomp"]}) == "/"
    assert cgroup_parent({"CgroupDriver": "systemd", "SecurityOptions": None}) is None
    assert cgroup_parent({"CgroupDriver": "cgroupfs", "SecurityOptions": ["name=rootless"]}) is None


def test_a_job_is_not_the_first_process_of_its_container(tmp_path: Path) -> None:
    (tmp_path / "my job.py").write_text("1")
    job = Settings.load().job.model_copy(update={"path": tmp_path / "my job.py"})
    box = own_job(blueprint(job=job)).box
    assert isinstance(box, Box)
    start = next(file.content for file in box.files() if file.path == "/stack/job/start")
    assert start.endswith(b"\nexec tini -- python '/stack/job/my job.py'\n")


def answering(error: Exception) -> Callable[[Blueprint], None]:
    def step(_: Blueprint) -> None:
        raise error

    return step


def test_a_login_that_stays_refused_is_told_as_other_credentials() -> None:
    clock = iter((100.0, 130.0, 130.1))
    provision = Provision(blueprint(), answering(LoginRefusedError("mongod refuses")), lambda: next(clock))
    for _ in range(2):
        with pytest.raises(NotYetError, match="mongod refuses"):
            provision()
    with pytest.raises(NotReadyError, match=r"its volume was made with other credentials .* --purge") as final:
        provision()
    assert not isinstance(final.value, NotYetError)


def test_refusals_are_counted_anew_after_another_answer() -> None:
    clock = iter((100.0, 200.0))
    answers = iter((LoginRefusedError("refused"), NotYetError("no answer"), LoginRefusedError("refused")))
    provision = Provision(blueprint(), lambda of: answering(next(answers))(of), lambda: next(clock))
    for _ in range(3):
        with pytest.raises(NotYetError):
            provision()
