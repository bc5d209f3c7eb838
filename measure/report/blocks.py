"""What a report is made of, before it takes any format: sections of blocks that hold plain text.

Figures are put into words once, here, so that every format shows the same. Texts are plain: each format escapes them
in its own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A few sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels, each with its value."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Items:
    """A list of sentences."""

    texts: Sequence[str]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column's title; numbers stand to the right."""

    title: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; `strong` are the places of the rows that matter most."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    strong: frozenset[int] = field(default_factory=frozenset)
    name: str = ""
    """For machines that look for it: the id of the table in HTML."""

    def only(self, titles: Sequence[str]) -> Table:
        """The same table with these columns alone, in the order of `titles`."""
        places = [next(at for at, column in enumerate(self.columns) if column.title == title) for title in titles]
        rows = [[row[place] for place in places] for row in self.rows]
        return replace(self, columns=[self.columns[place] for place in places], rows=rows)


@dataclass(frozen=True, slots=True)
class Bar:
    """A label, a value in words, and how long the bar is: a share of the longest."""

    label: str
    value: str
    length: float


@dataclass(frozen=True, slots=True)
class Bars:
    """Values beside each other."""

    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class ChartPlace:
    """Where a chart stands in the formats that can draw; the others leave it out."""

    name: str
    title: str


Block = Paragraph | Facts | Items | Table | Bars | ChartPlace


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it. Level 2 stands below a section of level 1."""

    title: str
    blocks: Sequence[Block]
    level: int = 1


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report: its title, the lines below the title, and its sections."""

    title: str
    heading: Facts
    sections: Sequence[Section]


def numbers(*titles: str) -> tuple[Column, ...]:
    """Columns of numbers."""
    return tuple(Column(title, number=True) for title in titles)


def without_charts(sections: Sequence[Section]) -> list[Section]:
    """The sections for a format that cannot draw: those that only hold charts are left out."""
    return [each for each in sections if not each.blocks or not all(isinstance(b, ChartPlace) for b in each.blocks)]
