"""Who may look. On loopback everybody on this machine; on any other address only who logs in by OpenID Connect.

The identity provider is configured as Streamlit wants it, in the section `[auth]` of its secrets file, which is
`dashboard-secrets.toml` in LATENCY_HOME. Without one,
an address that is not loopback shows nothing, unless the configuration says `unprotected = true`: then something
before this server (a proxy that asks for a password, a container that publishes on loopback only) has to guard it.
"""

from __future__ import annotations

import ipaddress
import os

import streamlit as st
from streamlit.errors import StreamlitAuthError

from stack.services.dashboard import UNPROTECTED_VARIABLE


def is_loopback(address: str | None) -> bool:
    """Whether only this machine can reach a server that listens on `address`; None listens everywhere."""
    if address is None:
        return False
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def admitted() -> bool:
    """Whether to draw a page; if not, this has drawn what the visitor can do."""
    if is_loopback(st.get_option("server.address")) or os.environ.get(UNPROTECTED_VARIABLE) == "1":
        return True
    if st.user.get("is_logged_in"):
        st.sidebar.button("Log out", on_click=st.logout)
        return True
    st.title("Latency Console")
    if _has_provider():
        st.write("This dashboard is not only on its own machine, so it asks who you are.")
        st.button("Log in", type="primary", on_click=_log_in)
    else:
        st.error(
            "This dashboard listens beyond its own machine and has no login, so it shows nothing. Configure an OpenID "
            "Connect provider (docs/dashboard.md), or let it listen on 127.0.0.1.",
            icon=":material/lock:",
        )
    return False


def _has_provider() -> bool:
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False


def _log_in() -> None:
    try:
        st.login()
    except StreamlitAuthError:
        st.error("The login is not configured completely: see docs/dashboard.md.", icon=":material/lock:")
