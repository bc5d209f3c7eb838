"""How a part reaches Kafka and MongoDB: addresses and the credentials of its role, read from the stack's folder.

`endpoints.json` holds addresses and names and no secret; `credentials.json` (mode 0600) holds the passwords. A process
is told only the folder, in `LATENCY_STACK_DIR`, so that no secret stands in an argument or in the environment.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from measure.decoding import decode
from measure.errors import NotReadyError
from stack.kafka_login import KafkaLogin
from stack.mongo_uri import with_options, without_login

STACK_DIR_VARIABLE = "LATENCY_STACK_DIR"
FOREIGN_PASSWORD = "password"  # noqa: S105 (its name)
"""Key among Kafka's credentials where Kafka is not the stack's own."""
FOREIGN_URI = "uri"
"""Key among MongoDB's, likewise."""
_SAFE_WRITES = {
    "w": "majority",
    "journal": "true",
    "readConcernLevel": "majority",
    "retryWrites": "true",
    "serverSelectionTimeoutMS": "5000",
}


class Role(StrEnum):
    """Who connects. Kafka has a listener and a SCRAM user for each of the first four."""

    PRODUCER = "producer"
    JOB = "job"
    SINK = "sink"
    HOST = "host"
    RUN = "run"
    DASHBOARD = "dashboard"


class Names(msgspec.Struct, frozen=True):
    """Names of topics and of the database."""

    events: str = "events"
    clean: str = "events.clean"
    dead: str = "events.dead"
    database: str = "latency"


class Foreign(msgspec.Struct, frozen=True):
    """How Kafka and MongoDB that are not the stack's own want to be spoken to, by all roles alike. No secret."""

    security: str
    """Kafka's `security.protocol`."""
    mechanism: str | None = None
    user: str | None = None
    ca: str | None = None
    """Path of a PEM file, as the next."""
    certificate: str | None = None


class Endpoints(msgspec.Struct, frozen=True):
    """Where a stack listens. No secrets: this file may be shown to anybody."""

    kafka: dict[str, str]
    """Role → bootstrap address; one listener for each role."""
    mongo: str
    """`host:port` of the replica set's member."""
    dashboard: str | None = None
    spark_ui: str | None = None
    names: Names = Names()
    foreign: Foreign | None = None
    """None: Kafka and MongoDB are the stack's own."""


class Credentials(msgspec.Struct, frozen=True):
    """Passwords by user. Never printed, logged, or put into an argument."""

    kafka: dict[str, str]
    mongo: dict[str, str]

    def __repr__(self) -> str:
        return "Credentials(…)"


class Access(msgspec.Struct, frozen=True):
    """What a part needs to reach its stack."""

    endpoints: Endpoints
    credentials: Credentials

    @classmethod
    def load(cls, stack_dir: Path) -> Access:
        """Read a stack's folder; NotReadyError where it has none of the two files."""
        try:
            return cls(
                decode((stack_dir / "endpoints.json").read_bytes(), Endpoints),
                decode((stack_dir / "credentials.json").read_bytes(), Credentials),
            )
        except FileNotFoundError as missing:
            raise NotReadyError(
                f"no running stack: {missing.filename} is not there. Start one with `latency up`."
            ) from missing

    @classmethod
    def from_environment(cls) -> Access:
        """For a service's own process: the folder is named by `LATENCY_STACK_DIR`."""
        named = os.environ.get(STACK_DIR_VARIABLE)
        if not named:
            raise NotReadyError(f"{STACK_DIR_VARIABLE} is not set: services are started by `latency up`.")
        return cls.load(Path(named))

    @property
    def names(self) -> Names:
        """Names of topics and of the database."""
        return self.endpoints.names

    def kafka(self, role: Role) -> dict[str, Any]:
        """The librdkafka properties with which `role` connects; add what is the client's own."""
        return {"bootstrap.servers": self.endpoints.kafka[role]} | self._login(role).librdkafka()

    def kafka_java(self, role: Role) -> dict[str, str]:
        """The same for Kafka's Java clients, Spark's among them."""
        return {"bootstrap.servers": self.endpoints.kafka[role]} | self._login(role).java()

    def _login(self, role: Role) -> KafkaLogin:
        foreign, passwords = self.endpoints.foreign, self.credentials.kafka
        if foreign is None:
            return KafkaLogin("SASL_PLAINTEXT", "SCRAM-SHA-512", role.value, passwords[role])
        return KafkaLogin(
            foreign.security,
            foreign.mechanism,
            foreign.user,
            passwords.get(FOREIGN_PASSWORD),
            foreign.ca,
            foreign.certificate,
        )

    def mongo_uri(self, role: Role) -> str:
        """MongoDB URI with the role's own user. A secret: give it to a client and to nothing else."""
        name = self.names.database
        if self.endpoints.foreign is not None:
            return with_options(
                self.credentials.mongo[FOREIGN_URI], name, _SAFE_WRITES | {"appname": f"latency-{role.value}"}
            )
        user, password = quote(role.value), quote(self.credentials.mongo[role], safe="")
        return (
            f"mongodb://{user}:{password}@{self.endpoints.mongo}/{name}?"
            + urlencode({"authSource": name, "directConnection": "true", **_SAFE_WRITES})
            + f"&appname=latency-{role.value}"
        )

    def mongo_uri_without_secret(self) -> str:
        """The same without user and password."""
        name = self.names.database
        if self.endpoints.foreign is not None:
            return without_login(with_options(self.credentials.mongo[FOREIGN_URI], name, {}))
        return f"mongodb://{self.endpoints.mongo}/{name}?directConnection=true"
