"""The certificate authorities that Python trusts, as a file that Java reads.

A Java from a wheel knows only the authorities of its own build. Behind a proxy that signs for others the machine's own
are needed, and those Python already has (`SSL_CERT_FILE`, or what the system keeps).
"""

from __future__ import annotations

import hashlib
import ssl
import struct
from collections.abc import Sequence
from pathlib import Path

from stack.files import write_whole

PASSWORD = "changeit"  # noqa: S105 (Java's own default; it guards integrity, not a secret)

_MAGIC, _VERSION, _TRUSTED = 0xFEEDFEED, 2, 2
_SALT = b"Mighty Aphrodite"  # the format's own


def trusted_certificates() -> list[bytes]:
    """DER of each authority that Python's default context loads at once."""
    return ssl.create_default_context().get_ca_certs(binary_form=True)


def write_truststore(file: Path, certificates: Sequence[bytes]) -> None:
    """Write `certificates` (DER) as a Java key store of type JKS."""
    entries = b"".join(_entry(f"authority-{number}", der) for number, der in enumerate(certificates))
    body = struct.pack(">III", _MAGIC, _VERSION, len(certificates)) + entries
    digest = hashlib.sha1(PASSWORD.encode("utf-16-be") + _SALT + body, usedforsecurity=False).digest()
    write_whole(file, body + digest)


def _entry(alias: str, der: bytes) -> bytes:
    no_date = struct.pack(">Q", 0)
    return struct.pack(">I", _TRUSTED) + _text(alias) + no_date + _text("X.509") + struct.pack(">I", len(der)) + der


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode("ascii")
