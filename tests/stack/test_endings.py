"""How a service ended, in words that say what to do."""

from __future__ import annotations

import pytest

from stack.endings import advice, how_it_ended


@pytest.mark.parametrize(
    ("code", "out_of_memory", "told"),
    [
        (3, False, "ended with code 3"),
        (None, False, "ended"),
        (-15, False, "was ended by signal 15"),
        (137, False, "was killed (by a fault, by hand, or for lack of memory)"),
        (137, True, "was killed for lack of memory (137): give it more in the configuration, or its machine"),
    ],
)
def test_an_exit_code_in_words(code: int | None, out_of_memory: bool, told: str) -> None:
    assert how_it_ended(code, out_of_memory) == told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("java.io.IOException: No space left on device", "its disk is full: free some space there: "),
        ("exec /bin/bash: exec format error", "it is made for another processor: name another image in [docker]: "),
        ("Unsupported version in meta.properties", "its data are not of this version: give it the version that"),
        ("Wrong mongod version", "its data are not of this version"),
        ("something else", ""),
    ],
)
def test_what_the_last_words_advise(words: str, told: str) -> None:
    assert advice(words).startswith(told)
