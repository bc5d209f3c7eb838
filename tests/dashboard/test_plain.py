from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as some

from dashboard.plain import block, literal, plain

ANY = some.text(max_size=400)


@given(ANY, some.integers(1, 200))
def test_foreign_text_is_one_line_of_what_can_be_seen(text: str, limit: int) -> None:
    shown = plain(text, limit)
    assert len(shown) <= limit
    assert all(unicodedata.category(one) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for one in shown)


def test_sequences_and_what_turns_text_are_taken_out() -> None:
    assert plain("\x1b[31mred\x1b[0m \x1b]0;title\x07bell\x00 \u202egnp") == "red bell gnp"


def test_markdown_is_shown_as_it_was_written() -> None:
    shown = literal("<b>**x** :red[y] $z$ [a](b)")
    assert shown.replace("\\", "") == "<b>**x** :red[y] $z$ [a](b)"
    assert all(shown[at - 1] == "\\" for at, sign in enumerate(shown) if sign in "<>*:[]$()")


def test_bytes_that_are_no_text_are_written_out() -> None:
    assert block(b"\xff\xfea\nb\x1b[31m") == "\\xff\\xfea\nb"


def test_a_long_name_is_cut_before_it_is_looked_through() -> None:
    assert plain("x" * 10_000_000) == "x" * 119 + "…"
