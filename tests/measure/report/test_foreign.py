"""Foreign text is shown as text, whatever it holds."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measure.report.foreign import markdown, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x1b]52;c;aGVsbG8=\x07b", "ab"),
        ("a\x1b]0;title\x1b\\b", "ab"),
        ("a\x9b31mb", "ab"),
        ("one\ntwo\r\n\tthree", "one two three"),
        ("\u202egnp.exe", "gnp.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("nul\x00", "nul"),
        ("née 👩\u200d👩 →", "née 👩\u200d👩 →"),
        ("", ""),
    ],
)
def test_control_sequences_go_and_letters_stay(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text())
def test_nothing_that_controls_is_left(text: str) -> None:
    shown = plain(text, None)
    assert shown == plain(shown, None)
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in shown)


def test_a_long_text_is_cut_and_shows_it() -> None:
    assert plain("x" * 90_000) == "x" * 499 + "…"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("<script>", r"\<script\>"),
        ("*bold* _it_ `code`", r"\*bold\* \_it\_ \`code\`"),
        ("[x](y)", r"\[x\](y)"),
        ("# heading", r"\# heading"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("&amp;", r"\&amp;"),
        ("http://evil.example", r"http:\//evil.example"),
        ("C:\\path", r"C:\\path"),
    ],
)
def test_what_markdown_would_take_as_its_own_is_escaped(text: str, shown: str) -> None:
    assert markdown(text) == shown
