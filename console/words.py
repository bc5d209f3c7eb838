"""Figures as people read them, in as few columns as they need."""

from __future__ import annotations

import math

_BLOCKS = "▁▂▃▄▅▆▇█"


def milliseconds(ms: float | None) -> str:
    """`0.42`, `4.2`, `46`, `1,265`: three digits of a latency, and `–` of none."""
    if ms is None or not math.isfinite(ms):
        return "–"
    return f"{ms:.2f}" if ms < 1 else f"{ms:.1f}" if ms < 10 else f"{ms:,.0f}"


def count(n: float | None) -> str:
    """A whole number with thousands apart."""
    return "–" if n is None or not math.isfinite(n) else f"{n:,.0f}"


def short_count(n: float | None) -> str:
    """`950`, `12.3k`, `1.80M`."""
    if n is None or not math.isfinite(n):
        return "–"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(n) >= size:
            value = n / (1e3 if unit == "k" else size)
            return f"{value:.2f}{unit}" if value < 10 else f"{value:.1f}{unit}" if value < 100 else f"{value:.0f}{unit}"
    return f"{n:,.0f}"


def size(n: float | None) -> str:
    """Bytes: `690 M`, `1.2 G`."""
    if n is None:
        return "–"
    for unit, step in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if n >= step:
            return f"{n / step:.1f} {unit}" if n < 10 * step else f"{n / step:.0f} {unit}"
    return f"{n:.0f} B"


def share(value: float | None, digits: int = 0) -> str:
    """0 to 1 as per cent."""
    return "–" if value is None else f"{value * 100:.{digits}f} %"


def clock(seconds: float) -> str:
    """`02:14`, `1:02:14`."""
    whole = max(0, int(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes:02}:{whole % 60:02}"


def signed_clock(seconds: float) -> str:
    """The same, of a time before or after zero."""
    return f"-{clock(-seconds)}" if seconds <= -1 else clock(seconds)


def age(seconds: float) -> str:
    """`4 s`, `3 min`, `2 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


def sparkline(values: tuple[float, ...], width: int, top: float | None = None) -> str:
    """The last `width` values as blocks, from 0 to `top` (else the largest); a gap where one is not known."""
    shown = values[-width:] if width > 0 else ()
    highest = top or max((value for value in shown if math.isfinite(value)), default=0.0)
    if highest <= 0:
        return "".join("▁" if math.isfinite(value) else " " for value in shown).rjust(width)
    steps = len(_BLOCKS) - 1
    line = (
        _BLOCKS[min(steps, max(0, round(value / highest * steps)))] if math.isfinite(value) else " " for value in shown
    )
    return "".join(line).rjust(width)


def bar(value: float, width: int) -> str:
    """`value` (0 to 1) as a bar of up to `width` columns, to an eighth of a column."""
    eighths = round(max(0.0, min(1.0, value)) * width * 8)
    return "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")


def cut(text: str, width: int) -> str:
    """`text` in at most `width` columns, with an ellipsis where something is left out."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"
