"""What each stage is called and what it spans, in the words that every report uses."""

from __future__ import annotations

from collections.abc import Iterable

WAYS: dict[str, tuple[str, str]] = {
    "produce": ("Producer → Kafka", "due → appended to events"),
    "queue": ("Kafka → Spark", "appended to events → batch begun"),
    "compute": ("Spark processing", "batch begun → computed"),
    "process": ("Kafka → Spark → Kafka", "appended to events → appended to events.clean"),
    "store": ("Spark → MongoDB", "appended to events.clean → acknowledged write"),
    "e2e": ("End to end", "due → acknowledged write"),
    "e2e_sent": ("End to end, from the send", "handed to the client → acknowledged write"),
    "visible": ("Change seen", "due → received by a reader of the change stream"),
    "query": ("MongoDB → dashboard", "the dashboard's query"),
    "shown": ("Event → dashboard", "due → drawn by the dashboard's live page"),
}
"""Stage → (component, from → to)."""

PARTS = ("produce", "queue", "compute", "process", "store")
"""The stages that follow each other on an event's way to the acknowledged write."""


def component(stage: str) -> str:
    """What a reader calls the stage."""
    return WAYS.get(stage, (stage, ""))[0]


def way(stage: str) -> str:
    """From where to where the stage goes."""
    return WAYS.get(stage, ("", stage))[1]


def parts(stages: Iterable[str]) -> list[str]:
    """Those of `stages` that make up `e2e`, in order. Where Spark's own two are measured, `process` spans both and
    is left out."""
    known = set(stages)
    covered = {"process"} if {"queue", "compute"} <= known else set()
    return [stage for stage in PARTS if stage in known - covered]
