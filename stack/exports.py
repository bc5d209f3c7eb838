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
    bare = f"mongodb://{access.endpoints.mongo}/{access.names.database}?directConnection=true"
    return {
        "LATENCY_KAFKA_BOOTSTRAP": access.endpoints.kafka[Role.HOST],
        "LATENCY_KAFKA_CONFIG": str(properties),
        "LATENCY_MONGO_URI": access.mongo_uri(Role.RUN) if secrets else bare,
        "LATENCY_MONGO_DB": access.names.database,
    }


def client_properties(access: Access) -> str:
    """A properties file for Kafka's own tools (`--command-config`), with the user of the HOST listener."""
    password = access.credentials.kafka[Role.HOST]
    login = "org.apache.kafka.common.security.scram.ScramLoginModule"
    return (
        f"bootstrap.servers={access.endpoints.kafka[Role.HOST]}\n"
        "security.protocol=SASL_PLAINTEXT\n"
        "sasl.mechanism=SCRAM-SHA-512\n"
        f'sasl.jaas.config={login} required username="{Role.HOST}" password="{password}";\n'
    )
