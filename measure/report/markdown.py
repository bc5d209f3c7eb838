"""A report as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from measure.report.blocks import Bar, Bars, Block, Facts, Items, Page, Paragraph, Table, without_charts
from measure.report.foreign import markdown as escaped
from measure.report.page import page
from measure.report.source import Source

BAR_WIDTH = 60


def render(source: Source) -> str:
    """The report of a run."""
    return to_markdown(page(source))


def to_markdown(shown: Page) -> str:
    """`shown` as GitHub's Markdown; charts are left out."""
    lines = [f"# {escaped(shown.title)}", "", *_block(shown.heading)]
    for section in without_charts(shown.sections):
        lines += ["", f"{'#' * (section.level + 1)} {escaped(section.title)}"]
        for block in section.blocks:
            if text := list(_block(block)):
                lines += ["", *text]
    return "\n".join(lines) + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(text):
            yield escaped(text, limit=None)
        case Facts(pairs):
            yield from (f"- **{escaped(label)}**: {escaped(value)}" for label, value in pairs)
        case Items(texts, ordered):
            for number, text in enumerate(texts, 1):
                yield f"{f'{number}.' if ordered else '-'} {escaped(text, limit=None)}"
        case Table():
            yield from _table(block)
        case Bars(bars):
            yield from _bars(list(bars))
        case _:
            return


def _table(table: Table) -> Iterator[str]:
    yield _cells([column.title for column in table.columns])
    yield "|" + "|".join("---:" if column.number else "---" for column in table.columns) + "|"
    for at, row in enumerate(table.rows):
        yield _cells(row, strong=at in table.strong)


def _cells(cells: Sequence[str], strong: bool = False) -> str:
    texts = [escaped(cell) for cell in cells]
    return "| " + " | ".join(f"**{text}**" if strong and text else text for text in texts) + " |"


def _bars(bars: list[Bar]) -> Iterator[str]:
    """As a code block, like the reference report's; nothing in it is markup, so nothing is escaped."""
    if not bars:
        return
    label = max(len(bar.label) for bar in bars) + 1
    value = max(len(bar.value) for bar in bars)
    yield "```"
    for bar in bars:
        yield f"{bar.label + ':':<{label}} {bar.value:>{value}}  {'█' * max(1, round(bar.length * BAR_WIDTH))}"
    yield "```"
