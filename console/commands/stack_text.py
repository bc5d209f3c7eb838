"""How a stack's state and the doctor's findings look: as documents for programs, as text for people."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from stack.access import Role
from stack.doctor import SUPPORT, supported_here
from stack.finding import Finding, Verdict
from stack.logs import clean
from stack.settings import Settings
from stack.state import ServiceState, StackState

_MARKS = {Verdict.OK: "✓", Verdict.NOTE: "!", Verdict.LACKS: "✗"}


def status_document(state: StackState) -> dict[str, Any]:
    """`status --json`. Without a secret."""
    there = state.endpoints
    return {
        "stack": state.name,
        "runtime": state.runtime,
        "profile": state.profile,
        "services": [_service_document(service) for service in state.services],
        "endpoints": {
            "kafka": there.kafka[Role.HOST] if there else None,
            "mongo": there.mongo if there else None,
            "dashboard": there.dashboard if there else None,
            "spark_ui": there.spark_ui if there else None,
        },
        "run": state.run,
    }


def _service_document(service: ServiceState) -> dict[str, Any]:
    return {
        "name": service.name,
        "state": service.state,
        "pid": service.pid,
        "health": service.health,
        "since": utc_text(service.since) if service.since else None,
        "cpu": round(service.cpu, 3) if service.cpu is not None else None,
        "memory": service.memory_bytes,
        "ports": service.ports,
        "restarts": service.restarts,
        "container": service.container,
        "network": _network_document(service),
        "external": service.foreign,
    }


def _network_document(service: ServiceState) -> dict[str, int] | None:
    """Bytes per second; None where the runtime does not tell."""
    if service.rx_bytes_s is None or service.tx_bytes_s is None:
        return None
    return {"rx_bytes_s": round(service.rx_bytes_s), "tx_bytes_s": round(service.tx_bytes_s)}


def utc_text(epoch_s: float) -> str:
    """A moment as ISO 8601, whole seconds, UTC."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def status_text(state: StackState) -> str:
    """`status` as a table."""
    head = f"stack {state.name} · {state.runtime} · {state.profile}"
    rows: list[tuple[str, ...]] = [("SERVICE", "STATE", "PID", "CPU", "MEMORY", "FOR", "RESTARTS", "PORTS")]
    rows += [_service_row(service) for service in state.services]
    lines = [head, *columns(rows)]
    lines += [f"{s.name}: {s.health}" for s in state.services if s.health not in ("", s.state)]
    if state.endpoints:
        ends = status_document(state)["endpoints"]
        lines += [f"{name.replace('_', ' '):<9} {address}" for name, address in ends.items() if address]
    lines.append(f"run       {state.run or 'none in progress'}")
    return "\n".join(lines)


def _service_row(service: ServiceState) -> tuple[str, ...]:
    return (
        service.name,
        service.state,
        "external" if service.foreign else str(service.pid or "-"),
        "-" if service.cpu is None else f"{service.cpu:.0%}",
        "-" if service.memory_bytes is None else f"{service.memory_bytes / 1e6:.0f} MB",
        "-" if service.since is None else span_text(time.time() - service.since),
        str(service.restarts),
        " ".join(f"{name}:{port}" for name, port in service.ports.items()) or "-",
    )


def span_text(seconds: float) -> str:
    """A length of time in its two largest units."""
    left = max(0, int(seconds))
    days, hours, minutes = left // 86400, left // 3600 % 24, left // 60 % 60
    if days:
        return f"{days}d{hours:02}h"
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{left % 60:02}s" if minutes else f"{left}s"


def columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def doctor_document(findings: Iterable[Finding], settings: Settings) -> dict[str, Any]:
    """`doctor --json`."""
    found = list(findings)
    return {
        "ready": all(finding.verdict is not Verdict.LACKS for finding in found),
        "findings": [
            {"name": f.name, "verdict": str(f.verdict), "found": f.found, "advice": f.advice or None} for f in found
        ],
        "settings": [{"key": key, "value": value, "origin": origin} for key, value, origin in settings.entries()],
        "platforms": [
            {"platform": s.platform, "java": s.java, "mongod": s.mongod, "containers": s.containers}
            for s in SUPPORT.values()
        ],
    }


def doctor_text(findings: Iterable[Finding], settings: Settings) -> str:
    """`doctor` for people: findings, settings with their origin, and what each platform gets."""
    text = io.StringIO()
    for finding in findings:
        text.write(f"{_MARKS[finding.verdict]} {finding.name:<16} {clean(finding.found)}\n")
        if finding.advice:
            text.write(f"  {'':<16} → {clean(finding.advice)}\n")
    rows = [("SETTING", "VALUE", "FROM")]
    rows += [(key, _value_text(value), origin) for key, value, origin in settings.entries()]
    text.write("\n" + "\n".join(columns(rows)) + "\n\n")
    here = supported_here()
    platforms = [("PLATFORM", "JAVA", "MONGOD", "CONTAINERS")]
    platforms += [
        (f"{s.platform}{' (here)' if s is here else ''}", s.java, s.mongod, s.containers) for s in SUPPORT.values()
    ]
    text.write("\n".join(columns(platforms)))
    return text.getvalue()


def _value_text(value: object) -> str:
    return "-" if value is None else clean(str(value))
