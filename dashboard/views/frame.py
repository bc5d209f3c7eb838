"""What all pages have in common: the board, the age of what is shown, and what is said when the database fails."""

from __future__ import annotations

from typing import TypeVar

import streamlit as st

from dashboard.answers import Answer
from dashboard.board import Board
from dashboard.configuration import Configuration
from dashboard.plain import literal
from dashboard.ranges import moment
from measure.errors import NotReadyError
from stack.access import Access
from stack.places import Home

T = TypeVar("T")

_TILE = 168
_SIGNS = {"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥"}


@st.cache_resource(show_spinner=False)
def shared_board() -> Board:
    """The one board of this process."""
    return Board(Access.from_environment(), Configuration.from_environment(), Home.find())


def board() -> Board:
    """The board, or a plain sentence and an end of the page where the stack is not there."""
    try:
        return shared_board()
    except NotReadyError as missing:
        st.error(literal(missing, 400), icon=":material/power_off:")
        st.stop()


def told(answer: Answer[T]) -> T | None:
    """The answer's value, after saying why it is not newer if it is not."""
    if answer.error is not None:
        since = "" if answer.failing_since is None else f" Since {of_day(answer.failing_since)}."
        kept = "" if answer.value is None else " What is below was read before that."
        st.warning(
            f"{literal(answer.error, 400)}{since}{kept} This page tries again by itself.", icon=":material/cloud_off:"
        )
    return answer.value


def of_day(at_s: float) -> str:
    """A time of day (UTC), to the second, as Markdown."""
    # unescaped, ":34:" may be an emoji's name: Streamlit then fetches 260 kB of them
    return literal(f"{moment(at_s):%H:%M:%S} UTC")


def age(board: Board, read_at: float, complete: float = 1.0, more: str = "") -> None:
    """One line that says how old the figures are, and how much of the range has been read."""
    seconds = max(0.0, board.clock() - read_at)
    parts = [f"Data as of {of_day(read_at)}, {seconds:.1f} s old when drawn"]
    if complete < 1:
        parts.append(f"still reading older data, {complete:.0%} of the range is in")
    if more:
        parts.append(more)
    st.caption(" · ".join(parts))


def ground() -> str:
    """`light` or `dark`: what is drawn on."""
    return "dark" if st.context.theme.type == "dark" else "light"


def tile(label: str, value: str, explained: str, change: str | None = None) -> None:
    """One figure in a frame of its own. `value` is Markdown; `change` is a signed percentage against the usual."""
    st.metric(
        label,
        value,
        change,
        delta_description=None if change is None else "vs usual",
        help=explained,
        border=True,
        width=_TILE,
    )


def money(micros: float, currency: str, decimals: int = 2) -> str:
    """Micro-units as an amount, as Markdown that shows just it."""
    amount = f"{micros / 1_000_000:,.{decimals}f}"
    sign = _SIGNS.get(currency)
    return literal(f"{sign}{amount}" if sign else f"{amount} {currency}")


def short_money(micros: float, currency: str) -> str:
    """The same for a narrow place: whole, and from a million on in millions."""
    if abs(micros) < 999_999.5e6:
        return money(micros, currency, 0)
    return f"{money(micros / 1_000_000, currency)} M"
