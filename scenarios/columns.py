"""The column map of a replay: from a row of somebody's file to an event of ours."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from scenarios.draft import Draft

KNOWN_TYPES = frozenset({"page_view", "add_to_cart", "purchase"})
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?\Z")
_WHOLE = re.compile(r"-?(?:0|[1-9]\d*)\Z")
_LONGEST = 256
_LARGEST = 1_000_000_000
"""Of price, quantity, and their product: the job refuses more."""
_FORMATTER = string.Formatter()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = Mapping[str, Any]
Reader = Callable[[Row], str]


def text_of(value: Any) -> str:
    """A cell as text: nothing is empty, a whole float loses its `.0`, a time becomes ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    return str(value)


class Field_(BaseModel):
    """Where one field of the event comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str | None = Field(default=None, description="the column's name")
    value: str | int | float | None = Field(default=None, description="the same value for each row")
    empty: str | None = Field(default=None, description="instead of an empty cell; {Column} stands for another cell")
    map: dict[str, str] = Field(default_factory=dict, description="cell → value")
    prefix: dict[str, str] = Field(default_factory=dict, description="beginning of the cell → value")
    otherwise: str | None = Field(default=None, description="where neither map nor prefix knows the cell")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, found: object) -> object:
        return {"column": found} if isinstance(found, str) else found

    @model_validator(mode="after")
    def _one_origin(self) -> Field_:
        if (self.column is None) == (self.value is None):
            raise ValueError("either column or value")
        return self

    def columns(self) -> set[str]:
        """The columns that it reads."""
        named = {name for _, name, _, _ in _FORMATTER.parse(self.empty or "") if name}
        return named | ({self.column} if self.column else set())

    def reader(self) -> Reader:
        """A function from a row to this field's text."""
        if self.column is None:
            fixed = text_of(self.value)
            return lambda row: fixed
        column = self.column
        if not (self.empty or self.map or self.prefix or self.otherwise):
            return lambda row: text_of(row[column])
        return lambda row: self._translated(text_of(row[column]), row)

    def _translated(self, cell: str, row: Row) -> str:
        if not cell and self.empty is not None:
            return self.empty.format_map({name: text_of(value) for name, value in row.items()})
        if cell in self.map:
            return self.map[cell]
        for beginning, value in self.prefix.items():
            if cell.startswith(beginning):
                return value
        return cell if self.otherwise is None else self.otherwise


class TimeField(Field_):
    """The event time: ISO 8601, a strptime format, or a number since 1970."""

    format: str = Field(default="iso", description="iso, or a strptime format such as %d.%m.%Y %H:%M")
    unit: Literal["s", "ms", "us"] | None = Field(default=None, description="a number of these since 1970-01-01 UTC")

    def time_us(self, cell: str) -> int | None:
        """µs of the epoch, or None where the cell holds no time of the years 1 to 9999. One without a zone is UTC."""
        try:
            if self.unit:
                at_us = round(float(cell) * {"s": 1e6, "ms": 1e3, "us": 1}[self.unit])
            else:
                at_us = us_of(
                    datetime.fromisoformat(cell) if self.format == "iso" else datetime.strptime(cell, self.format)
                )
        except (ValueError, OverflowError):
            return None
        return at_us if _FIRST_US <= at_us <= _LAST_US else None


def us_of(read: datetime) -> int:
    """µs of the epoch. A time without a zone is UTC."""
    since = (read if read.tzinfo else read.replace(tzinfo=UTC)) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


_FIRST_US, _LAST_US = us_of(datetime.min), us_of(datetime.max)
"""No date can be earlier or later."""


def iso_time(us: int) -> bytes:
    """µs of the epoch as `2026-11-24T03:42:39.123456Z`."""
    second, rest = divmod(us, 1_000_000)
    return b"%s.%06dZ" % (datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode(), rest)


class ColumnMap(BaseModel):
    """Field of the event → where it comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_type: Field_
    user_id: Field_
    session_id: Field_
    product_id: Field_
    price: Field_
    quantity: Field_ = Field_(value=1)
    event_time: TimeField
    category: Field_ | None = None
    currency: Field_ | None = None

    @field_validator("event_type")
    @classmethod
    def _known(cls, found: Field_) -> Field_:
        targets = {*found.map.values(), *found.prefix.values(), *filter(None, [found.otherwise])}
        if wrong := targets - KNOWN_TYPES - {"cancellation"}:
            known = ", ".join(sorted(KNOWN_TYPES | {"cancellation"}))
            raise ValueError(f"event types among {known} (not {', '.join(sorted(wrong))})")
        return found

    def columns(self) -> set[str]:
        """All columns that the map reads."""
        return set().union(*(field.columns() for field in self._fields().values()))

    def _fields(self) -> dict[str, Field_]:
        return {name: field for name in type(self).model_fields if (field := getattr(self, name)) is not None}

    def drafter(self) -> Callable[[Row], Draft]:
        """A function from a row to the event that it stands for."""
        readers = {name: field.reader() for name, field in self._fields().items()}
        time_us = self.event_time.time_us
        read_time = readers.pop("event_time")

        def draft(row: Row) -> Draft:
            fields: dict[str, Any] = {name: read(row) for name, read in readers.items()}
            cell = read_time(row)
            at_us = time_us(cell)
            bad = at_us is None or at_us < 0 or _is_bad(fields)
            time = iso_time(at_us).decode() if at_us is not None else cell
            user = fields["user_id"]
            body = {**fields, "price": _number(fields["price"]), "quantity": _whole(fields["quantity"])}
            encoded = orjson.dumps({**body, "event_time": time})[1:-1]
            return Draft(user.encode() if user else None, encoded, True, bad, at_us)

        return draft


def _is_bad(fields: Mapping[str, str]) -> bool:
    """Whether the job must refuse such an event, so that its dead letter is an expected one."""
    price, quantity = fields["price"], fields["quantity"]
    if not _NUMBER.match(price) or not _WHOLE.match(quantity):
        return True
    return (
        fields["event_type"] not in KNOWN_TYPES
        or not all(fields[name] for name in ("user_id", "session_id", "product_id"))
        or any(len(value) > _LONGEST for value in fields.values())
        or not 0 <= Decimal(price) <= _LARGEST
        or Decimal(price) != round(Decimal(price), 6)
        or not 0 < int(quantity) <= _LARGEST
        or Decimal(price) * int(quantity) > _LARGEST
    )


def _number(cell: str) -> Any:
    # As it stands in the file: a float's shortest form would do too, but this needs no proof.
    return orjson.Fragment(cell) if _NUMBER.match(cell) else cell


def _whole(cell: str) -> Any:
    # Of any length: there may be more digits than an int of the encoder has.
    return orjson.Fragment(cell) if _WHOLE.match(cell) else cell
