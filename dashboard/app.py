"""What each visit runs: the gate, then the page that was chosen."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard.gate import admitted
from dashboard.views import business, operations, runs

_ICON = (Path(__file__).parent / "icon.svg").read_text()
"""A file of our own: a named icon would be fetched from a foreign host."""

st.set_page_config(page_title="Latency Console", page_icon=_ICON, layout="wide")

if admitted():
    st.navigation(
        [
            st.Page(business.page, title="Business", icon=":material/storefront:", default=True),
            st.Page(operations.page, title="Operations", icon=":material/speed:", url_path="operations"),
            st.Page(runs.page, title="Runs", icon=":material/history:", url_path="runs"),
        ],
        position="top",
    ).run()
