"""Clusters that already run: what `[external]` says of them, checked, and told to the parts as their access."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from measure.errors import UsageError
from stack import mongo_uri
from stack.access import FOREIGN_PASSWORD, FOREIGN_URI, Credentials, Endpoints, Foreign, Names, Role
from stack.ports import HOST
from stack.settings import ExternalSettings, Settings

MASTERS = ("local", "spark://", "k8s://", "yarn")
_CONNECT = "sc://"


def check_external(settings: Settings) -> None:
    """UsageError where `[external]` lacks something, contradicts itself, or would send passwords about in the clear."""
    external = settings.external
    if external.kafka is None:
        raise UsageError('runtime external: [external] kafka is not set: give its bootstrap servers, "host:port,…".')
    uri = read_uri(external)
    if external.kafka_security.startswith("SASL_") and (external.kafka_user is None or _password(external) is None):
        raise UsageError(
            f"[external] kafka_security is {external.kafka_security}: kafka_user and kafka_password (or "
            "kafka_password_file) are wanted with it."
        )
    for key, file in (("kafka_ca", external.kafka_ca), ("kafka_certificate", external.kafka_certificate)):
        if file is not None and not file.expanduser().is_file():
            raise UsageError(f"[external] {key}: {file} is not there.")
    _check_master(settings)
    _check_encrypted(external, uri)


def _check_master(settings: Settings) -> None:
    master = settings.external.spark
    if master.startswith(_CONNECT):
        raise UsageError(
            f"[external] spark: {master}: the jobs need a driver of their own, which Spark Connect does not give: name "
            "the cluster's master itself."
        )
    if not (master in ("local", "yarn") or master.startswith(("spark://", "k8s://"))):
        raise UsageError(f"[external] spark: {master!r}: expected one of {', '.join(MASTERS)}.")
    if master != "local" and settings.job.stateful:
        raise UsageError(
            "[job] stateful keeps Spark's state in a folder of this machine, which the executors of [external] spark "
            "do not share: leave it out."
        )


def _check_encrypted(external: ExternalSettings, uri: str) -> None:
    """Away from this machine, TLS or an explicit word."""
    if external.insecure:
        return
    if not external.kafka_security.endswith("SSL") and not _all_local(external.kafka or ""):
        raise UsageError(
            f"[external] kafka: {external.kafka} is another machine, and kafka_security {external.kafka_security} "
            "does not encrypt: use SSL or SASL_SSL, or say `insecure = true`."
        )
    if not mongo_uri.is_encrypted(uri) and not _all_local(mongo_uri.hosts_of(uri)):
        raise UsageError(
            f"[external] mongo: {mongo_uri.hosts_of(uri)} is another machine, and its URI has no tls=true: add it, "
            "or say `insecure = true`."
        )


def _all_local(hosts: str) -> bool:
    return all(_is_local(address.strip().rpartition(":")[0] or address.strip()) for address in hosts.split(","))


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def read_uri(external: ExternalSettings) -> str:
    """MongoDB's URI, a secret. UsageError where there is none."""
    if external.mongo is not None:
        return external.mongo.get_secret_value()
    if external.mongo_file is not None:
        return _read_secret("mongo_file", external.mongo_file)
    raise UsageError("runtime external: [external] mongo (or mongo_file) is not set: give the database's URI.")


def _password(external: ExternalSettings) -> str | None:
    if external.kafka_password is not None:
        return external.kafka_password.get_secret_value()
    if external.kafka_password_file is not None:
        return _read_secret("kafka_password_file", external.kafka_password_file)
    return None


def _read_secret(key: str, file: Path) -> str:
    try:
        return file.expanduser().read_text().strip()
    except (OSError, ValueError) as refused:
        raise UsageError(f"[external] {key}: {file} cannot be read: {refused}.") from None


def external_credentials(external: ExternalSettings) -> Credentials:
    """What the parts log in with; all of it is struck out of what is shown."""
    uri = read_uri(external)
    kafka, mongo = _password(external), mongo_uri.password_of(uri)
    return Credentials(
        kafka={FOREIGN_PASSWORD: kafka} if kafka else {},
        mongo={FOREIGN_URI: uri} | ({FOREIGN_PASSWORD: mongo} if mongo else {}),
    )


def external_names(external: ExternalSettings) -> Names:
    """Everything that is written to: these topics, and this database."""
    own = Names()
    events, clean, dead = (external.prefix + name for name in (own.events, own.clean, own.dead))
    return Names(events, clean, dead, external.database)


def external_endpoints(settings: Settings, ports: dict[str, int], there: tuple[str, ...]) -> Endpoints:
    """Where the clusters listen, and what runs here beside them."""
    external = settings.external
    sasl = external.kafka_security.startswith("SASL_")
    return Endpoints(
        kafka={role.value: external.kafka or "" for role in (Role.PRODUCER, Role.JOB, Role.SINK, Role.HOST)},
        mongo=mongo_uri.hosts_of(read_uri(external)),
        dashboard=f"http://{HOST}:{ports['dashboard']}" if "dashboard" in there else None,
        spark_ui=f"http://{HOST}:{ports['spark.ui']}" if "spark" in there else None,
        names=external_names(external),
        foreign=Foreign(
            security=external.kafka_security,
            mechanism=external.kafka_mechanism if sasl else None,
            user=external.kafka_user if sasl else None,
            ca=_absolute(external.kafka_ca),
            certificate=_absolute(external.kafka_certificate),
        ),
    )


def _absolute(file: Path | None) -> str | None:
    return str(file.expanduser().resolve()) if file is not None else None
