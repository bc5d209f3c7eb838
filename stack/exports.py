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
    uri = access.mongo_uri(Role.RUN) if secrets else access.mongo_uri_without_secret()
    return variables(access, Role.HOST, str(properties), uri)


def variables(access: Access, role: Role, properties: str, mongo_uri: str) -> dict[str, str]:
    """The same for another role, whose properties file lies there."""
    return {
        "LATENCY_KAFKA_BOOTSTRAP": access.endpoints.kafka[role],
        "LATENCY_KAFKA_CONFIG": properties,
        "LATENCY_MONGO_URI": mongo_uri,
        "LATENCY_MONGO_DB": access.names.database,
    }


def client_properties(access: Access, role: Role = Role.HOST) -> str:
    """A properties file for Kafka's own tools (`--command-config`), with the user of that role."""
    return "".join(f"{key}={_escaped(value)}\n" for key, value in access.kafka_java(role).items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\")
