"""YAML of what JSON can hold: block style, each scalar as JSON writes it, which YAML reads alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

Value = str | int | float | bool | None | Mapping[str, "Value"] | list["Value"]
_DEEPER = "  "


def yaml_text(document: Mapping[str, Value]) -> str:
    """The document, ended by a newline. Keys must be plain words."""
    return "".join(f"{line}\n" for line in _mapping(document))


def _mapping(value: Mapping[str, Value]) -> Iterator[str]:
    for key, each in value.items():
        if isinstance(each, (Mapping, list)) and each:
            yield f"{key}:"
            yield from (_DEEPER + line for line in _lines(each))
        else:
            yield f"{key}: {json.dumps(each, ensure_ascii=False)}"


def _lines(value: Value) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _mapping(value)
    elif isinstance(value, list):
        for each in value:
            first, *rest = _lines(each) if each else [json.dumps(each)]
            yield f"- {first}"
            yield from (_DEEPER + line for line in rest)
    else:
        yield json.dumps(value, ensure_ascii=False)
