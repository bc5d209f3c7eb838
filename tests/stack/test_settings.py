from __future__ import annotations

from pathlib import Path

import pytest

from measure.errors import UsageError
from stack.places import Home
from stack.settings import Settings


def test_each_later_source_wins_and_is_named(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home.root / "latency.toml").write_text('profile = "microbatch"\n[kafka]\npartitions = 4\nheap_mb = 300\n')
    (tmp_path / "latency.toml").write_text("[kafka]\npartitions = 5\nport = 9300\n")
    monkeypatch.setenv("LATENCY_KAFKA__PORT", "9400")

    settings = Settings.load("other", sinks=2)

    found = {key: (value, origin) for key, value, origin in settings.entries()}
    assert found["stack"] == ("other", "flag")
    assert found["sinks"] == (2, "flag")
    assert found["profile"] == ("microbatch", str(home.root / "latency.toml"))
    assert found["kafka.heap_mb"] == (300, str(home.root / "latency.toml"))
    assert found["kafka.partitions"] == (5, str(tmp_path / "latency.toml"))
    assert found["kafka.port"] == (9400, "environment")
    assert found["mongo.port"] == (27017, "default")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[kafka]\npartitions = 0\n", "kafka.partitions"),
        ("[kafka]\npartitons = 3\n", "kafka.partitons"),
        ('runtime = "moon"\n', "runtime"),
        ("sinks = 99\n", "sinks"),
        ("[kafka\n", "not valid TOML"),
        ("kafka = 3\n", "kafka"),
        ('stack = "Up/../x"\n', "stack name"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_place(home: Home, content: str, told: str) -> None:
    file = home.root / "latency.toml"
    file.write_text(content)
    with pytest.raises(UsageError) as refused:
        Settings.load()
    assert told in str(refused.value)
    if told != "stack name":
        assert str(file) in str(refused.value)


def test_a_wrong_variable_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENCY_SINKS", "many")
    with pytest.raises(UsageError, match=r"environment: sinks: .*'many'"):
        Settings.load()
    monkeypatch.setenv("LATENCY_SINKS", "1")
    monkeypatch.setenv("LATENCY_DASHBOARD__HOSTS", "my.host")
    with pytest.raises(UsageError, match=r"environment: .*lists and tables are given as JSON"):
        Settings.load()


@pytest.mark.parametrize("line", ['kafka_pasword = "hunter2"', "kafka_password = 1234567890"])
def test_what_may_be_a_password_is_not_shown(home: Home, line: str) -> None:
    (home.root / "latency.toml").write_text(f"[external]\n{line}\n")
    with pytest.raises(UsageError, match=r"external\.kafka_pass?word") as refused:
        Settings.load()
    assert line.split(" = ")[1].strip('"') not in str(refused.value)
