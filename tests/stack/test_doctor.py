from __future__ import annotations

import json
import socket
from pathlib import Path

import msgspec
import pytest

from console.commands.stack_text import doctor_document, doctor_text
from stack.access import Credentials
from stack.doctor import examine
from stack.files import write_whole
from stack.finding import Finding, Verdict
from stack.places import Home
from stack.settings import Settings


def by_name(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(settings)}


def test_it_says_what_is_there_and_makes_nothing(home: Home) -> None:
    found = by_name(Settings.load())
    assert found["java"].verdict is Verdict.OK
    assert "Java" in found["java"].found
    assert found["mongod"].verdict is Verdict.OK
    assert found["disk"].verdict is Verdict.OK
    assert found["stack default"].found == "down"
    assert list(home.root.iterdir()) == []


def test_what_is_lacking_comes_with_what_to_do(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENCY_JAVA", str(tmp_path / "nothing"))
    monkeypatch.setenv("LATENCY_MONGO__BINARY", str(tmp_path / "mongod"))
    found = by_name(Settings.load())
    assert found["java"].verdict is Verdict.LACKS
    assert "LATENCY_JAVA" in found["java"].advice
    assert found["mongod"].verdict is Verdict.LACKS
    assert "LATENCY_MONGO__BINARY" in found["mongod"].advice


def test_jars_that_are_not_there_are_no_obstacle(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENCY_JARS", str(home.root / "jars"))
    jars = by_name(Settings.load())["jars"]
    assert jars.verdict is Verdict.NOTE
    assert "downloads" in jars.advice


def test_the_holder_of_a_preferred_port_is_named(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        (home.root / "latency.toml").write_text(f"[mongo]\nport = {port}\n")
        ports = by_name(Settings.load())["ports"]
    assert ports.verdict is Verdict.NOTE
    assert f"{port} (mongo) is held by " in ports.found


def test_what_others_may_read_is_told(home: Home) -> None:
    settings = Settings.load()
    settings.folder.make()
    write_whole(settings.folder.credentials, msgspec.json.encode(Credentials({}, {})), mode=0o644)
    home.root.chmod(0o755)
    found = by_name(settings)
    assert "chmod 600" in found["credentials"].advice
    assert "chmod 700" in found["home"].advice


def test_each_setting_is_told_with_its_origin(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENCY_SINKS", "2")
    settings = Settings.load()
    findings = [Finding("java", Verdict.LACKS, "none\x1b[2J", "install \x1b]0;x\x07one")]
    document = json.loads(msgspec.json.encode(doctor_document(findings, settings)))
    assert document["ready"] is False
    assert {"key": "sinks", "value": 2, "origin": "environment"} in document["settings"]
    text = doctor_text(findings, settings)
    assert "✗ java" in text
    assert "→ install one" in text
    assert "\x1b" not in text
    assert any(line.split() == ["sinks", "2", "environment"] for line in text.splitlines())
    for platform in ("Linux x86-64", "Linux arm64", "macOS arm64"):
        assert platform in text
