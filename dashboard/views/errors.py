"""Errors and failure modes: how many letters are dead for which reason, and each of them, as text."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import charts
from dashboard.board import Board
from dashboard.dead import MOST_COUNTED, Letter, Page, Place, Reason
from dashboard.plain import literal, plain
from dashboard.views.frame import ground, told
from measure.stamp import FOREIGN_RUN

_PLACES = "errors_places"
_OF = "errors_of"
_ALL = "all runs"
_MOST_SEARCH = 200


def section(shared: Board, run: str) -> None:
    """A fragment of its own, which does not refresh by itself: nobody can read what moves."""
    st.fragment(_section)(shared, run)


def _section(shared: Board, run: str) -> None:
    st.subheader("Errors")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        this = "events without a run" if run == FOREIGN_RUN else "this run"
        whose = st.segmented_control("Of", [this, _ALL], default=this, key="errors_whose", required=True)
        search = st.text_input(
            "Search", key="errors_search", max_chars=_MOST_SEARCH, placeholder="in reason, key, text", width=260
        )
        st.button("Look again", key="errors_again", icon=":material/refresh:", on_click=_to_first)
    of = None if whose == _ALL else run
    reasons = told(shared.dead_reasons(of))
    if reasons is None:
        return
    if not reasons:
        st.caption("No dead letters: every event could be read.")
        return
    _reasons(reasons)
    places = _places((of, search))
    page = told(shared.dead_page(of, search, places[-1]))
    if page is not None:
        _letters(page, places)


def _to_first() -> None:
    st.session_state.pop(_PLACES, None)


def _places(of: tuple[str | None, str]) -> list[Place | None]:
    """Where each page up to the one shown began; anew when something else is asked for."""
    if st.session_state.get(_OF) != of:
        st.session_state[_OF] = of
        _to_first()
    places: list[Place | None] = st.session_state.setdefault(_PLACES, [None])
    return places


def _reasons(reasons: list[Reason]) -> None:
    n = sum(reason.n for reason in reasons)
    rows = pd.DataFrame(
        [
            {
                "place": place,
                "name": f"{place + 1}. {plain(reason.text, 60)}",
                "value": reason.n,
                "label": f"{reason.n:,}"
                + (f", {reason.expected:,} of them made bad on purpose" if reason.expected else ""),
            }
            for place, reason in enumerate(reasons[:12])
        ]
    )
    st.markdown("**Dead letters by reason**")
    st.vega_lite_chart(
        rows, charts.ranking("dead letters", len(rows), ground()), alt="Dead letters by reason", key="errors_reasons"
    )
    bound = f"the newest {MOST_COUNTED:,} are counted" if n >= MOST_COUNTED else f"{n:,} in all"
    st.caption(bound)


def _letters(page: Page, places: list[Place | None]) -> None:
    st.markdown(f"**Letters**, newest first, page {len(places)}")
    if not page.letters:
        st.caption("None of those that were looked through contains this.")
    for letter in page.letters:
        _letter(letter)
    if page.gave_up:
        st.caption(f"{page.searched:,} letters were looked through; older ones were not.")
    with st.container(horizontal=True):
        st.button(
            "Newer",
            key="errors_newer",
            disabled=len(places) < 2,
            icon=":material/chevron_left:",
            on_click=places.__delitem__,
            args=(-1,),
        )
        st.button(
            "Older",
            key="errors_older",
            disabled=page.next is None,
            icon=":material/chevron_right:",
            on_click=places.append,
            args=(page.next,),
        )


def _letter(letter: Letter) -> None:
    at = literal(f"{letter.at:%d %b %H:%M:%S}") if letter.at else "?"
    with st.expander(f"{at} · {literal(letter.reason)}" + (" · on purpose" if letter.expected else "")):
        st.text(f"run {letter.run} · {letter.position} · key {letter.key or '(none)'} · {letter.size:,} bytes")
        st.code(letter.payload or "(empty)", language=None, wrap_lines=True)
