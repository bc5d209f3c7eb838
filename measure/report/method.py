"""How it was measured, and on what: what a sceptical reader asks first."""

from __future__ import annotations

from collections.abc import Sequence

from measure.figures import Environment
from measure.report.blocks import Block, Column, Facts, Items, Paragraph, Section, Table, numbers
from measure.report.source import Source
from measure.report.wording import UNKNOWN, bytes_, count, rate, seconds
from measure.schedule import Span

MOST_SPANS = 24


def method(source: Source) -> list[Section]:
    """The sections on method."""
    return [
        Section("Test Methodology", []),
        Section("Environment Setup", [Facts(list(environment(source.document.environment)))], level=2),
        Section(f"Scenario {source.document.scenario}", _scenario(source), level=2),
        Section("How It Is Measured", [Items(DEFINITIONS)], level=2),
    ]


DEFINITIONS = (
    "Events are due by an open schedule on an absolute clock; latency counts from when an event was due, so a slow "
    "generator makes it worse, never better. e2e_sent counts from the actual send.",
    "Every event is measured, into buckets no wider than 1/1024 of their value and without an upper clip. Percentiles "
    "are nearest-rank over merged buckets; they are never averaged and never added.",
    "Kafka's append times are whole milliseconds, so the stages that begin or end with one are exact to half of one "
    "(process: to one). e2e does not rest on them and is exact to the microsecond.",
    "Events that were due and never arrived rank last, above every measured one. P99 is not shown of fewer than 1,000 "
    "events, P99.9 of fewer than 10,000.",
    "The warm-up is a phase of its own; none of its latencies enters a figure here.",
)


def environment(held: Environment | None) -> list[tuple[str, str]]:
    """The machine and the versions."""
    if held is None:
        return [("Environment", "not recorded")]
    load = UNKNOWN if held.load_before is None else f"{held.load_before:.2f}"
    return [
        ("Machine", f"{held.cpu or 'CPU not named'}, {held.cores} cores, {bytes_(held.memory)} of memory"),
        ("System", held.os or UNKNOWN),
        ("Load average before", load),
        *((name, version) for name, version in sorted(held.versions.items())),
        *((name, str(value)) for name, value in sorted(held.details.items())),
    ]


def _scenario(source: Source) -> list[Block]:
    document, spans = source.document, source.schedule.spans
    blocks: list[Block] = [
        Facts(
            [
                ("Events due", count(document.audit.scheduled)),
                ("Duration", seconds(document.duration_s)),
                ("Seed", UNKNOWN if document.seed is None else str(document.seed)),
                ("Changed under way", "yes, by a burst, a pause or a stop" if document.amended else "no"),
                ("Producers", count(source.schedule.producers)),
            ]
        )
    ]
    if spans:
        blocks.append(_phases(spans[:MOST_SPANS]))
    if len(spans) > MOST_SPANS:
        blocks.append(Paragraph(f"And {len(spans) - MOST_SPANS:,} more phases."))
    return blocks


def _phases(spans: Sequence[Span]) -> Table:
    return Table(
        columns=(Column("Phase"), *numbers("Rate", "Duration", "Events")),
        rows=[
            [
                span.phase or UNKNOWN,
                rate(span.rate),
                seconds((span.end_us - span.start_us) / 1e6),
                count(span.count),
            ]
            for span in spans
        ],
        name="schedule",
    )
