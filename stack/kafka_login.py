"""How a client logs in at Kafka, in the words of librdkafka and in those of the Java clients."""

from __future__ import annotations

from dataclasses import dataclass, field

_JAVA_LOGINS = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}


@dataclass(frozen=True, slots=True)
class KafkaLogin:
    """`mechanism`, `user` and `password` count with SASL only, `ca` and `certificate` with TLS only."""

    security: str
    """PLAINTEXT | SSL | SASL_PLAINTEXT | SASL_SSL"""
    mechanism: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = None
    """Path of a PEM file; None: the system's authorities."""
    certificate: str | None = None
    """Path of a PEM file with private key and certificates."""

    def librdkafka(self) -> dict[str, str]:
        """Properties of confluent_kafka's clients."""
        found = {"security.protocol": self.security}
        if self._sasl:
            found |= {"sasl.mechanism": self.mechanism or "", "sasl.username": self.user or ""}
            found["sasl.password"] = self.password or ""
        if self._tls and self.ca:
            found["ssl.ca.location"] = self.ca
        if self._tls and self.certificate:
            found |= {"ssl.certificate.location": self.certificate, "ssl.key.location": self.certificate}
        return found

    def java(self) -> dict[str, str]:
        """Properties of the Java clients."""
        found = {"security.protocol": self.security}
        if self._sasl:
            login = _JAVA_LOGINS[self.mechanism or ""]
            found["sasl.mechanism"] = self.mechanism or ""
            found["sasl.jaas.config"] = (
                f'{login} required username="{_escaped(self.user)}" password="{_escaped(self.password)}";'
            )
        if self._tls and self.ca:
            found |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": self.ca}
        if self._tls and self.certificate:
            found |= {"ssl.keystore.type": "PEM", "ssl.keystore.location": self.certificate}
        return found

    @property
    def _sasl(self) -> bool:
        return self.security.startswith("SASL_")

    @property
    def _tls(self) -> bool:
        return self.security.endswith("SSL")


def _escaped(text: str | None) -> str:
    return (text or "").replace("\\", "\\\\").replace('"', '\\"')
