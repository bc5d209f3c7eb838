"""A MongoDB URI that a user gave: with the options that the product needs, without its secret, and its parts."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote, urlencode

from measure.errors import UsageError

SCHEMES = ("mongodb://", "mongodb+srv://")
_OF_NAMES = SCHEMES[1]


def _split(uri: str) -> tuple[str, str, str, str, dict[str, str]]:
    """Scheme, login (empty or ending in @), hosts, path and options. UsageError without showing the URI."""
    scheme = next((each for each in SCHEMES if uri.startswith(each)), None)
    if scheme is None:
        raise UsageError(f"external.mongo: expected a URI that begins with {' or '.join(SCHEMES)}.")
    rest, _, query = uri.removeprefix(scheme).partition("?")
    authority, _, path = rest.partition("/")
    login, at, hosts = authority.rpartition("@")
    if "@" in path + query and not at:
        raise UsageError("external.mongo: percent-encode the password in the URI: / is %2F, ? is %3F, @ is %40.")
    if not hosts:
        raise UsageError("external.mongo: the URI names no host.")
    return scheme, login + at, hosts, path, dict(parse_qsl(query, keep_blank_values=True))


def with_options(uri: str, database: str, options: Mapping[str, str]) -> str:
    """The URI for this database, with these options over its own; the user is looked up where it always was."""
    scheme, login, hosts, path, own = _split(uri)
    source = {"authSource": own.get("authSource") or unquote(path) or "admin"} if login else {}
    kept = {key: value for key, value in own.items() if key.lower() not in {name.lower() for name in options}}
    query = urlencode({**kept, **source, **options}, quote_via=quote)
    return f"{scheme}{login}{hosts}/{quote(database, safe='')}" + (f"?{query}" if query else "")


def without_login(uri: str) -> str:
    """The URI without user and password."""
    scheme, _, hosts, path, options = _split(uri)
    options.pop("authSource", None)
    return f"{scheme}{hosts}/{path}" + (f"?{urlencode(options, quote_via=quote)}" if options else "")


def hosts_of(uri: str) -> str:
    """`host:port,…`, or the one name that DNS resolves."""
    return _split(uri)[2]


def password_of(uri: str) -> str | None:
    """The password, decoded."""
    login = _split(uri)[1].removesuffix("@")
    return unquote(login.partition(":")[2]) or None


def is_encrypted(uri: str) -> bool:
    """Whether the connection is by TLS: asked for, or what `mongodb+srv` implies."""
    scheme, _, _, _, options = _split(uri)
    asked = {key.lower(): value.lower() for key, value in options.items()}
    wanted = asked.get("tls", asked.get("ssl"))
    return wanted == "true" if wanted is not None else scheme == _OF_NAMES
