"""When Python looks for garbage: not while the console starts, and then only among what came since.

A look through all that a console consists of takes 50 to 150 ms, in which no key is answered, and finds nothing: what
is there once it has started stays to its end.
"""

from __future__ import annotations

import gc

_FRESH = 5_000
"""Objects after which the youngest are looked through (Python's own: 700)."""
_ROUNDS = 10
"""Looks of one generation after which the next older one has its turn."""


def hold() -> None:
    """Look for none until `resume`."""
    gc.disable()


def resume() -> None:
    """Look again, where it was held; what is there now is left out from here on."""
    if not gc.isenabled():
        gc.freeze()
        gc.set_threshold(_FRESH, _ROUNDS, _ROUNDS)
        gc.enable()
