"""How a service's life ended, and what to do about it where its last words tell."""

from __future__ import annotations

import re

KILLED = (-9, 137)

_ADVICE = (
    (r"No space left on device|DiskFull|disk is full|out of disk space", "its disk is full: free some space there"),
    (
        r"meta\.properties|featureCompatibilityVersion|[Ww]rong mongod version|unsupported WiredTiger file version",
        "its data are not of this version: give it the version that wrote them, or remove them with "
        "`latency down --purge`",
    ),
    (r"exec format error|[Ee]xec format", "it is made for another processor: name another image in [docker]"),
)


def how_it_ended(code: int | None, out_of_memory: bool = False) -> str:
    """An exit code in words; None for a process that was not ours to ask."""
    if out_of_memory:
        return "was killed for lack of memory (137): give it more in the configuration, or its machine"
    match code:
        case None:
            return "ended"
        case 132 | -4:
            return (
                "was ended by an illegal instruction (this processor may lack AVX, which mongod needs): name one that "
                "does without in [mongo] binary or [docker] mongo_image, or take `--runtime external`"
            )
        case 137 | -9:
            return "was killed (by a fault, by hand, or for lack of memory)"
        case int() if code < 0:
            return f"was ended by signal {-code}"
    return f"ended with code {code}"


def advice(words: str) -> str:
    """What to do where the last words tell, ended by a colon; empty where they do not."""
    return next((f"{what}: " for pattern, what in _ADVICE if re.search(pattern, words)), "")
