"""The one exception tree. Each class carries the exit code that the command line ends with.

LatencyError (1)
├── UsageError (2)        a file, flag or value that the user gave is wrong
├── FailedError (3)       an SLA, loss or duplicates
├── InvalidError (4)      a run that cannot be judged
└── NotReadyError (5)     the environment is not ready; the message says what to do
"""

from __future__ import annotations


class LatencyError(Exception):
    """Root. A message says what was expected, what was found, where, and what to do."""

    exit_code = 1


class UsageError(LatencyError):
    """Wrong usage or configuration."""

    exit_code = 2


class FailedError(LatencyError):
    """The run was judged and failed."""

    exit_code = 3


class InvalidError(LatencyError):
    """The run cannot be judged."""

    exit_code = 4


class NotReadyError(LatencyError):
    """Something that the command needs is not there or does not answer."""

    exit_code = 5
