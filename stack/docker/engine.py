"""The way to the engine: DOCKER_HOST, the docker context, or Podman's socket; and its refusals in one line."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import socket
from collections.abc import Iterator

import requests
from docker import DockerClient
from docker.context import ContextAPI
from docker.errors import APIError, DockerException, ImageNotFound

from measure.errors import NotReadyError

_USUAL = "/var/run/docker.sock"
_TIMEOUT_S = 60
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def address(configured: str | None) -> str:
    """Where the engine listens."""
    if configured:
        return configured
    if named := os.environ.get("DOCKER_HOST"):
        return named
    with contextlib.suppress(Exception):  # whatever is wrong with a context's files, the usual place is left
        context = ContextAPI.get_context(os.environ.get("DOCKER_CONTEXT"))
        if context.name != "default" and context.Host:
            return str(context.Host)
    podman = f"{os.environ.get('XDG_RUNTIME_DIR', '/run')}/podman/podman.sock"
    return f"unix://{next((place for place in (_USUAL, podman) if os.access(place, os.W_OK)), _USUAL)}"


def connect(configured: str | None, timeout_s: int | None = _TIMEOUT_S) -> DockerClient:
    """A client of an engine that answers. NotReadyError: none, or no right to speak to it. `timeout_s` None: for
    streams, which may be silent for long."""
    where = address(configured)
    try:
        _knock(where)
        client = _client(where, timeout_s)
        client.ping()
    except (DockerException, requests.RequestException, OSError) as refused:
        raise NotReadyError(_unreachable(where, refused)) from None
    return client


def _knock(where: str) -> None:
    """OSError where nobody listens at a socket in the file system: the package would leave its own end open."""
    scheme, _, path = where.partition("://")
    if scheme == "unix":
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.connect(path)


@functools.cache
def _client(where: str, timeout_s: int | None) -> DockerClient:
    """One for the process: a client keeps a pool of connections, which threads may share and nobody would close."""
    return DockerClient(base_url=where, timeout=timeout_s)  # type: ignore[arg-type]  # None is allowed


def _unreachable(where: str, refused: Exception) -> str:
    text = str(refused)
    if "Permission denied" in text:
        return (
            f"no right to speak to the container engine at {where}: have yourself added to the group that owns the "
            "socket (on Linux `docker`), and log in again."
        )
    return (
        f"no container engine answers at {where}: start Docker or Podman, name its socket in [docker] host or "
        "DOCKER_HOST, or take `--runtime local`."
    )


@contextlib.contextmanager
def told(what: str) -> Iterator[None]:
    """What the engine refuses within, as one line that begins with `what`."""
    try:
        yield
    except ImageNotFound as missing:
        raise NotReadyError(f"{what}: {_explanation(missing)}.") from None
    except APIError as refused:
        raise NotReadyError(f"{what}: {_advice(_explanation(refused))}") from None
    except (requests.RequestException, DockerException) as gone:
        raise NotReadyError(
            f"{what}: the container engine went away ({type(gone).__name__}): start it again, then `latency up`."
        ) from None


def _explanation(refused: APIError) -> str:
    return " ".join(str(refused.explanation or refused).split()).rstrip(".")


def _advice(text: str) -> str:
    low = text.lower()
    if "port is already allocated" in low or "address already in use" in low:
        return f"{text}: stop what holds the port, or take another by `latency down` and `latency up`."
    if "already in use by" in low:
        return f"{text}: it is not this stack's: take another name by --stack."
    if "volume is in use" in low:
        return f"{text}: remove the containers that use it (`docker rm -f`), then the same again."
    if "no space left" in low:
        return f"{text}: free some space where the engine keeps its data (`docker system df` tells what it holds)."
    if "exec format error" in low or "no matching manifest" in low or "does not match" in low:
        return f"{text}: the image is for another processor than this {platform.machine()}: name another in [docker]."
    return f"{text}."


def check_architecture(client: DockerClient, image: str) -> None:
    """NotReadyError where the image was made for another processor than the engine's."""
    made = client.images.get(image).attrs.get("Architecture", "")
    engine = client.info().get("Architecture", "")
    if made and engine and _MACHINES.get(engine, engine) != made:
        raise NotReadyError(
            f"image {image} is for {made}, the engine runs {_MACHINES.get(engine, engine)}: name another image in "
            "[docker]."
        )
