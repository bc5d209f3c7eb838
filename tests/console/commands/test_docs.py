"""Commands in the documents for readers are commands that there are, with options that they have."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from console.main import latency

DOCS = Path(__file__).parents[3] / "docs"
COMMAND = re.compile(r"(?:^|`|run: )\s*(latency [a-z][^`\n#]*)", re.MULTILINE)


def commands(name: str) -> list[str]:
    return [found.strip().rstrip(".,;:") for found in COMMAND.findall((DOCS / name).read_text("utf-8"))]


@pytest.mark.parametrize("name", ["ci-example.md", "measurement.md"])
def test_every_command_of_a_document_parses(name: str) -> None:
    found = commands(name)
    assert len(found) >= 3
    for line in found:
        _, command, *arguments = shlex.split(line.split(" & ")[0])
        with click.Context(latency) as group:
            known = latency.get_command(group, command)
            assert known is not None, line
            options = {name for parameter in known.params for name in (*parameter.opts, *parameter.secondary_opts)}
        used = {argument for argument in arguments if argument.startswith("--")}
        assert used <= options or command == "runs", line
