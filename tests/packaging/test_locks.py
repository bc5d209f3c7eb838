from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
RUNTIME, DEVELOPER, BUILD = (ROOT / f"requirements{part}.lock" for part in ("", "-dev", "-build"))
LOCKS = [RUNTIME, DEVELOPER, BUILD, ROOT / "stack" / "jars.lock"]


def pins(lock: Path) -> dict[str, set[str]]:
    """Package → its versions (several where they differ by Python version); each must have a hash."""
    found: dict[str, set[str]] = {}
    for entry in re.split(r"\n(?=\S)", lock.read_text().strip()):
        pin = re.match(r"([a-z0-9-]+)==([^ ;\\]+)", entry)
        assert pin, entry
        assert "--hash=sha256:" in entry, entry
        found.setdefault(pin[1], set()).add(pin[2])
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_lock_names_an_address(lock: Path) -> None:
    assert not re.search(r"://|--index|--find-links|@ ?file", lock.read_text())


def test_everything_is_pinned_by_hash_and_alike_in_all_locks() -> None:
    runtime, developer, build = pins(RUNTIME), pins(DEVELOPER), pins(BUILD)
    assert {name: developer.get(name) for name in runtime} == runtime
    assert {name: developer.get(name) for name in build} == build


def test_the_lock_has_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = {re.match(r"[A-Za-z0-9-]+", line)[0] for line in project["project"]["dependencies"]}  # type: ignore[index]
    assert asked <= set(pins(RUNTIME))
    tools = [line for line in project["dependency-groups"]["dev"] if isinstance(line, str)]
    assert {re.match(r"[A-Za-z0-9-]+", line)[0] for line in tools} <= set(pins(DEVELOPER))  # type: ignore[index]
