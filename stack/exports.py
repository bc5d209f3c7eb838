"""What a program of the user's own needs to reach the stack, as environment variables."""

from __future__ import annotations

from stack.access import Access, Role
from stack.files import write_whole
from stack.places import StackFolder


def exports(folder: StackFolder, secrets: bool) -> dict[str, str]:
    """Variable → value. NotReadyError while the stack is down. Without `secrets`, the URI has no user and password."""
    access = Access.load(folder.root)
    properties = folder.root / "client.properties"
    write_whole(properties, client_properties(access).encode())
    return {
        "LATENCY_KAFKA_BOOTSTRAP": access.endpoints.kafka[Role.HOST],
        "LATENCY_KAFKA_CONFIG": str(properties),
        "LATENCY_MONGO_URI": access.mongo_uri(Role.RUN) if secrets else access.mongo_uri_without_secret(),
        "LATENCY_MONGO_DB": access.names.database,
    }


def client_properties(access: Access) -> str:
    """A properties file for Kafka's own tools (`--command-config`), with the user of the HOST listener."""
    return "".join(f"{key}={_escaped(value)}\n" for key, value in access.kafka_java(Role.HOST).items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\")
