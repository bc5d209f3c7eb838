"""No deadline for an example: how long one takes says more of what else the machine does than of the code."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("latency", deadline=None)
settings.load_profile("latency")
