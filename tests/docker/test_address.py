"""Where the engine is looked for."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stack.docker import engine


@pytest.fixture(autouse=True)
def nothing_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text("{}")


def test_a_context_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meta = tmp_path / "contexts" / "meta" / hashlib.sha256(b"elsewhere").hexdigest()
    meta.mkdir(parents=True)
    told = {"Name": "elsewhere", "Metadata": {}, "Endpoints": {"docker": {"Host": "unix:///elsewhere.sock"}}}
    (meta / "meta.json").write_text(json.dumps(told))
    assert engine.address(None) != "unix:///elsewhere.sock"
    monkeypatch.setenv("DOCKER_CONTEXT", "elsewhere")
    assert engine.address(None) == "unix:///elsewhere.sock"
    monkeypatch.setenv("DOCKER_HOST", "unix:///host.sock")
    assert engine.address(None) == "unix:///host.sock"


def test_podmans_socket_is_taken_where_dockers_is_not_to_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    podman, usual = tmp_path / "podman" / "podman.sock", tmp_path / "docker.sock"
    monkeypatch.setattr(engine, "_USUAL", str(usual))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert engine.address(None) == f"unix://{usual}"
    podman.parent.mkdir()
    podman.touch()
    assert engine.address(None) == f"unix://{podman}"
    usual.touch()
    assert engine.address(None) == f"unix://{usual}"


def test_a_folder_that_only_root_may_enter_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "podman"
    closed.mkdir(mode=0)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    asked = "from stack.docker.engine import address; print(address(None))"
    if os.geteuid() == 0:
        become = "os.setgroups([]); os.setgid(65534); os.setuid(65534)"
        asked = f"import os; import stack.docker.engine; {become}; {asked}"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("unix:///var/run/docker.sock\n", "")
