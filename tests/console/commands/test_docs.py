"""Commands in the documents for readers are commands that there are, with options that they have."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from console.main import latency

DOCS = Path(__file__).parents[3] / "docs"
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
IN_FENCE = re.compile(r"^[ ]*(?:run: )?(latency [a-z][^\n#]*)", re.MULTILINE)
IN_TEXT = re.compile(r"`(latency [a-z][^`]*)`")


def commands(name: str) -> list[str]:
    text = (DOCS / name).read_text("utf-8")
    fenced = [line for block in FENCED.findall(text) for line in IN_FENCE.findall(block)]
    return [*fenced, *IN_TEXT.findall(FENCED.sub("", text))]


@pytest.mark.parametrize("name", ["ci-example.md", "measurement.md"])
def test_every_command_of_a_document_parses(name: str) -> None:
    found = commands(name)
    assert len(found) >= 3
    for line in found:
        _, command, *arguments = shlex.split(line)
        with click.Context(latency) as group:
            known = latency.get_command(group, command)
            assert known is not None, line
            options = {name for parameter in known.params for name in (*parameter.opts, *parameter.secondary_opts)}
        used = {argument for argument in arguments if argument.startswith("--")}
        assert used <= options or command == "runs", line
