"""How figures are written, the same in every report: three digits that count, units, a dash for what is unknown."""

from __future__ import annotations

from datetime import datetime

UNKNOWN = "–"
"""What stands for a figure that was not measured."""


def ms(value: float | None) -> str:
    """Milliseconds without their unit: `0.42`, `4.21`, `46.1`, `1,265`."""
    return UNKNOWN if value is None else significant(value)


def with_unit(value: float | None, unit: str) -> str:
    """`46.1 ms`; the dash alone for an unknown."""
    return UNKNOWN if value is None else f"{significant(value)} {unit}"


def significant(value: float) -> str:
    """A number to three digits that count, whole from 100 on, with separators of thousands."""
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 99.95:
        return f"{value:,.0f}"
    if size >= 9.995:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.005 else f"{value:.1g}"


def count(value: float | None) -> str:
    """A whole number with separators of thousands."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def rate(value: float | None) -> str:
    """Events a second: `2,000/s`."""
    return UNKNOWN if value is None else f"{value:,.0f}/s" if value >= 10 or value == 0 else f"{value:.2f}/s"


def share(value: float | None, digits: int = 2) -> str:
    """A share of 1 as a percentage; never rounded up to 100 % or down to 0 %."""
    if value is None:
        return UNKNOWN
    text = f"{value * 100:.{digits}f}"
    if value not in (0, 1) and text in (f"{0:.{digits}f}", f"{100:.{digits}f}"):
        return f"< {10**-digits:g} %" if value < 0.5 else f"> {100 - 10**-digits:g} %"
    return f"{text} %"


def seconds(value: float | None) -> str:
    """A duration: `0.8 s`, `45 s`, `15 min`, `1 h 5 min`."""
    if value is None:
        return UNKNOWN
    if value < 10:
        return f"{value:.1f} s" if value % 1 else f"{value:.0f} s"
    whole = round(value)
    if whole < 120:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{n} {unit}" for n, unit in parts if n)


def at(value: float) -> str:
    """A time on the run's time line: `02:14`, `-00:20` during warm-up, `1:02:14` after an hour."""
    whole = round(abs(value))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"
    return f"-{clock}" if value < 0 and whole else clock


def bytes_(value: float | None) -> str:
    """An amount of memory or data: `412 MiB`."""
    if value is None:
        return UNKNOWN
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if value >= size:
            return f"{significant(value / size)} {unit}"
    return f"{value:.0f} B"


def cores(value: float | None) -> str:
    """CPU in cores: `0.31`."""
    return UNKNOWN if value is None else f"{value:.2f}"


def moment(started: str | None) -> str:
    """An ISO 8601 time as `2026-11-24 10:00:00 UTC`; as it stands where it is none."""
    if started is None:
        return UNKNOWN
    try:
        return datetime.fromisoformat(started).strftime("%Y-%m-%d %H:%M:%S UTC")
    except ValueError:
        return started
