"""What can be wrong with a scenario, its input, or the run that drives it."""

from __future__ import annotations

from measure.errors import InvalidError, LatencyError, NotReadyError, UsageError


class ScenarioError(UsageError):
    """A scenario file, or a flag that changes one, is wrong; the message names file, key and what was expected."""


class SourceError(UsageError):
    """The input file of a replay is missing or cannot be read as the scenario says."""


class RunRefusedError(UsageError):
    """A run cannot start here now: the stack has one, or runs another profile."""


class NoRunError(UsageError):
    """There is no run in progress to talk to."""


class ProducerError(NotReadyError):
    """A producer process did not get ready."""


class SpoiledError(InvalidError):
    """The run cannot be judged because the load itself went wrong."""


class RunError(LatencyError):
    """The run process met what it does not know."""
