"""Where a job goes on: its checkpoint folder, and the offsets to start from where that folder is new."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from jobs.control import Generation
from jobs.topics import Topic

VERSION = 1
"""Of the query's plan and state: a checkpoint of another version cannot be gone on with."""

_EARLIEST = -2


def folder(parent: Path, generation: Generation, topic: Topic) -> Path:
    """The checkpoint's folder. A recreated topic, a new generation and another profile each have one of their own."""
    return parent / f"{generation.profile}-v{VERSION}-{topic.id}-g{generation.number}"


def prepare(stack_dir: Path, generation: Generation, topic: Topic) -> Path:
    """The checkpoint's folder in a stack's folder; what this profile will not go on from is removed."""
    parent = stack_dir / "spark" / "checkpoints"
    ours = folder(parent, generation, topic)
    clear_older(parent, ours)
    return ours


def clear_older(parent: Path, keep: Path) -> None:
    """Remove this profile's checkpoints that nothing will go on from. Those of other profiles are left alone."""
    profile = keep.name.split("-", 1)[0]
    for other in parent.glob(f"{profile}-v*"):
        if other != keep:
            shutil.rmtree(other, ignore_errors=True)


def starting_offsets(topic: Topic, measured: Mapping[int, int], earliest: Mapping[int, int]) -> str:
    """Spark's `startingOffsets`: behind what is measured; where nothing is, or the topic no longer holds it, the
    first record that there is. What is missing then, the sink finds."""
    places = {}
    for partition in range(topic.partitions):
        after = measured.get(partition, -1) + 1
        places[str(partition)] = after if after > earliest.get(partition, 0) else _EARLIEST
    return json.dumps({topic.name: places})
