"""What `streamlit run` serves: the pages of `app.py`, with their scripts held in memory."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from dashboard.assets import HeldAssets

app = st.App(Path(__file__).with_name("app.py"), middleware=[Middleware(HeldAssets)])
