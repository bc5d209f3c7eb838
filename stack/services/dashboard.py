"""The dashboard: Streamlit's server with the pages of the folder `dashboard`, run by name, for it is above this one."""

from __future__ import annotations

import http.client
import sys

from stack.blueprint import Blueprint
from stack.ports import HOST
from stack.service import NotYetError, Service

NAME = "dashboard"
UNPROTECTED_VARIABLE = "LATENCY_DASHBOARD_UNPROTECTED"
"""Tells the pages that something before them asks who the visitor is."""
SECRETS = "dashboard-secrets.toml"
"""In LATENCY_HOME: Streamlit's secrets file, with the OpenID Connect provider for visitors from elsewhere."""

_EVERYWHERE = {"0.0.0.0", "::", "[::]"}  # noqa: S104 - recognised, not bound
_TIMEOUT_S = 2.0


def dashboard(blueprint: Blueprint) -> Service:
    """The pages' definition."""
    port = blueprint.ports["dashboard"]
    return Service(
        name=NAME,
        command=(sys.executable, "-m", "dashboard", *(f"--{key}={value}" for key, value in options(blueprint))),
        environment={UNPROTECTED_VARIABLE: str(int(blueprint.settings.dashboard.unprotected))},
        ports={"http": port},
        log=blueprint.folder.log(NAME),
        probe=lambda: probe(_local(blueprint.settings.dashboard.address), port),
        needs=("mongod",),
        start_timeout_s=60,
        stop_timeout_s=10,
        settings=blueprint.settings.dashboard.model_dump(mode="json"),
    )


def options(blueprint: Blueprint) -> list[tuple[str, str]]:
    """Streamlit's options. On the command line, for there they win over any file that lies about."""
    given = blueprint.settings.dashboard
    named = () if given.address in _EVERYWHERE else (given.address,)
    return [
        ("server.address", given.address),
        ("server.port", str(blueprint.ports["dashboard"])),
        ("server.headless", "true"),
        ("server.enableCORS", "true"),
        ("server.enableXsrfProtection", "true"),
        *(("server.allowedHosts", host) for host in dict.fromkeys(("localhost", HOST, *named, *given.hosts))),
        ("server.fileWatcherType", "none"),
        ("runner.postScriptGC", "false"),  # each refresh would hold the interpreter for 60 ms or more
        ("browser.gatherUsageStats", "false"),
        ("client.showErrorDetails", "none"),
        ("client.toolbarMode", "minimal"),
        ("secrets.files", str(blueprint.home.root / SECRETS)),
    ]


def _local(address: str) -> str:
    """Where the server that listens on `address` answers this machine."""
    return HOST if address in _EVERYWHERE else address.strip("[]")


def probe(host: str, port: int) -> None:
    """Ask the server whether it is well."""
    line = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
    try:
        line.request("GET", "/_stcore/health")
        answer = line.getresponse()
        if answer.status != http.client.OK:
            raise NotYetError(f"the server at {host}:{port} answers {answer.status} {answer.reason}")
    except (OSError, http.client.HTTPException) as absent:
        raise NotYetError(f"no answer from {host}:{port}: {type(absent).__name__}") from None
    finally:
        line.close()
