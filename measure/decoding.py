"""Bytes and plain objects to msgspec types, from any thread.

msgspec 0.22 makes a Struct's table of fields at its first use and lets other threads see it half made: two first uses
at once end the process with a segmentation fault. Here first uses come one after the other, and ruff refuses the rest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, overload

import msgspec
from msgspec.json import Decoder  # noqa: TID251 (the one place)

T = TypeVar("T")
_FIRST_USE = threading.Lock()


@overload
def decode(text: bytes | str, kind: type[T]) -> T: ...
@overload
def decode(text: bytes | str, kind: Any) -> Any: ...
def decode(text: bytes | str, kind: Any) -> Any:
    """The `kind` that this JSON is; msgspec.DecodeError where it is none."""
    return _made(kind).decode(text)


def convert(found: object, kind: type[T], *, strict: bool = True, str_keys: bool = False) -> T:
    """The `kind` that these dicts and lists are, as `msgspec.convert` has it; msgspec.ValidationError where none."""
    _made(kind)
    return msgspec.convert(found, kind, strict=strict, str_keys=str_keys)  # noqa: TID251 (behind its first use)


def _make(kind: Any) -> Decoder[Any]:
    with _FIRST_USE:
        return Decoder(kind)


_made: Callable[[Any], Decoder[Any]] = cache(_make)
