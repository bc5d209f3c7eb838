"""What the stack is now, as a view."""

from __future__ import annotations

import os

from console.feed.views import ServiceLine, StackView
from stack.access import Role
from stack.observe import status
from stack.settings import Settings
from stack.state import ServiceState, StackState


def read_stack(settings: Settings) -> StackView:
    """Asks the supervisor; LatencyError where it does not answer. Blocks."""
    return stack_view(status(settings))


def stack_view(state: StackState) -> StackView:
    """The view of a stack's state."""
    there = state.endpoints
    addresses = (
        ()
        if there is None
        else (
            ("Kafka", there.kafka.get(Role.HOST.value, "")),
            ("MongoDB", there.mongo),
            ("dashboard", there.dashboard or ""),
            ("Spark UI", there.spark_ui or ""),
        )
    )
    return StackView(
        name=state.name,
        runtime=state.runtime,
        profile=state.profile,
        services=tuple(map(_line, state.services)),
        endpoints=tuple((what, address) for what, address in addresses if address),
        dashboard=there.dashboard if there else None,
        spark_ui=there.spark_ui if there else None,
        cores=os.cpu_count() or 1,
    )


def _line(service: ServiceState) -> ServiceLine:
    return ServiceLine(
        name=service.name,
        state=service.state,
        health=service.health,
        pid=service.pid,
        since_s=service.since,
        cpu=service.cpu,
        memory_bytes=service.memory_bytes,
        rx_bytes_s=service.rx_bytes_s,
        tx_bytes_s=service.tx_bytes_s,
        ports=tuple(service.ports.items()),
        restarts=service.restarts,
    )
