"""What a service uses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """One service over the time since the last sample. None: this platform does not tell."""

    cpu_cores: float
    rss_bytes: int
    read_bytes_s: float | None
    write_bytes_s: float | None
    rx_bytes_s: float | None = None
    """Network counters belong to the machine, not to a process: None outside containers."""
    tx_bytes_s: float | None = None
