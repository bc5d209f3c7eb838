"""The generated passwords of a stack: made once, mode 0600, never shown."""

from __future__ import annotations

import secrets

import msgspec

from measure.decoding import decode
from measure.errors import NotReadyError
from stack.access import Credentials
from stack.files import write_once
from stack.places import StackFolder

KAFKA_CLIENTS = ("producer", "job", "sink", "host")
"""SCRAM users, each for the listener of its name."""
BROKER = "broker"
"""The SCRAM user with which the broker speaks to itself."""
CONTROLLER = "controller"
"""The PLAIN user of the controller's listener."""

MONGO_ROOT = "root"
MONGO_USERS = ("sink", "run", "job", "dashboard")


def ensure_credentials(folder: StackFolder) -> Credentials:
    """The stack's credentials, generated at the first call."""
    if not folder.credentials.exists():
        fresh = Credentials(
            kafka={user: secrets.token_urlsafe(24) for user in (*KAFKA_CLIENTS, BROKER, CONTROLLER)},
            mongo={user: secrets.token_urlsafe(24) for user in (MONGO_ROOT, *MONGO_USERS)},
        )
        write_once(folder.credentials, msgspec.json.encode(fresh))
    try:
        return decode(folder.credentials.read_bytes(), Credentials)
    except msgspec.DecodeError as broken:
        raise NotReadyError(
            f"{folder.credentials} is damaged; without it the data cannot be reached. `latency down --purge` makes "
            "a new stack."
        ) from broken


def secret_values(folder: StackFolder) -> tuple[str, ...]:
    """All passwords, for whoever must strike them out of a text; empty where there are none yet."""
    try:
        known = decode(folder.credentials.read_bytes(), Credentials)
    except (FileNotFoundError, msgspec.DecodeError):
        return ()
    return (*known.kafka.values(), *known.mongo.values())
