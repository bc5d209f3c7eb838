"""The scenarios that are shipped, and those of the user's own files."""

from __future__ import annotations

import importlib.resources
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from scenarios.errors import ScenarioError
from scenarios.model import Scenario

_SUFFIX = ".toml"
_LABELS = {"for_us": "for", "at_most_us": "at_most", "drain_us": "drain"}
_KINDS = {"shop", "replay"}


def names() -> list[str]:
    """The names of the shipped scenarios, in alphabetical order."""
    folder = importlib.resources.files("scenarios")
    return sorted(file.name.removesuffix(_SUFFIX) for file in folder.iterdir() if file.name.endswith(_SUFFIX))


def scenarios() -> dict[str, Scenario]:
    """Name → each shipped scenario."""
    return {name: load(name) for name in names()}


def load(name_or_path: str) -> Scenario:
    """A shipped scenario by its name, or one of the user's own by the path of its file (which ends in .toml).

    ScenarioError names the file, the key, what was expected and what was found.
    """
    if name_or_path in names():
        shipped = importlib.resources.files("scenarios") / f"{name_or_path}{_SUFFIX}"
        return parse(shipped.read_text("utf-8"), f"scenarios/{name_or_path}{_SUFFIX}", name_or_path)
    path = Path(name_or_path).expanduser()
    if path.suffix != _SUFFIX:
        raise ScenarioError(
            f"there is no scenario {name_or_path!r}: expected one of {', '.join(names())}, or the path of a .toml file"
        )
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as broken:
        raise ScenarioError(f"{path}: expected a scenario file that can be read: {broken}") from broken
    return parse(text, str(path), path.stem)


def folder_of(name_or_path: str) -> Path | None:
    """The folder from which a user's own scenario names its files; None for a shipped one."""
    return None if name_or_path in names() else Path(name_or_path).expanduser().resolve().parent


def parse(text: str, where: str, name: str) -> Scenario:
    """The scenario that `text` describes; `where` is the file that errors name."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        raise ScenarioError(f"{where}: expected TOML: {broken}") from None
    try:
        return Scenario.model_validate({"name": name, **table})
    except ValidationError as wrong:
        raise ScenarioError("\n".join(_explain(where, dict(error)) for error in wrong.errors())) from None


def _explain(where: str, error: dict[str, Any]) -> str:
    key = _key(error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{where}: {key}: there is no such key"
    if error["type"] == "missing":
        return f"{where}: {key}: expected a value, the key is missing"
    expected = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    expected = expected.removeprefix("Input should have ")
    found = "" if isinstance(error["input"], dict) else f", found {error['input']!r}"
    return f"{where}: {key or 'scenario'}: expected {expected}{found}"


def _key(parts: tuple[int | str, ...]) -> str:
    key = ""
    for at, part in enumerate(parts):
        if isinstance(part, int):
            key += f"[{part}]"
        elif not (part in _KINDS and at == 1):  # pydantic names the kind of the source too
            key += ("." if key else "") + _LABELS.get(part, part)
    return key
