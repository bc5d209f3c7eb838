"""Services as containers: what the supervisor asks of the engine."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from typing import Any

from docker import DockerClient
from docker.errors import NotFound
from docker.models.containers import Container
from docker.types import EndpointConfig, Healthcheck, LogConfig, Mount

from measure.errors import NotReadyError
from stack.docker import box as shape
from stack.docker import labels
from stack.docker.box import Box, packed
from stack.docker.clearing import containers
from stack.docker.engine import connect, told
from stack.docker.logs import follow_into
from stack.docker.watch import ContainerLife, Watch
from stack.ground import Life, require_ports
from stack.ports import HOST
from stack.service import Service

_S_NS = 1_000_000_000


class Containers:
    """All containers of one stack."""

    def __init__(self, stack: str, host: str | None) -> None:
        self._stack = stack
        self._host = host
        self._watch = Watch(stack, host)
        self._making = threading.Lock()

    def find(self, service: Service) -> Life | None:
        with told(service.name):
            there = self._container(connect(self._host), service)
            if there is None or there.status not in ("running", "paused") or not _is_of(there, service):
                return None
            since = service.log.stat().st_mtime if service.log.exists() else 0.0
            return self._begin(there, service, since)

    def start(self, service: Service) -> Life:
        """An equal container that is stopped is started again; any other is replaced."""
        client = connect(self._host)
        with told(service.name):
            there = self._container(client, service)
            if there is not None and not _is_of(there, service):
                _remove(there, service)
                there = None
            if there is None or there.status != "running":
                require_ports(service)
            made = there or self._create(client, service)
            began = time.time()
            made.start()
            made.reload()
            return self._begin(made, service, began)

    def stop(self, service: Service) -> None:
        client = connect(self._host)
        with told(service.name):
            there = self._container(client, service)
            if there is not None:
                _stop(there, service)

    def clear(self, service: Service) -> None:
        """The restart policy may have begun the next life already, and a dead container leaves nothing behind."""

    def discard(self, service: Service) -> None:
        with told(service.name):
            there = self._container(connect(self._host), service)
            if there is not None:
                _remove(there, service)

    def _container(self, client: DockerClient, service: Service) -> Container | None:
        return containers(client, self._stack, service.name).get(service.name)

    def _begin(self, container: Container, service: Service, since_s: float) -> Life:
        state = container.attrs["State"]
        life = ContainerLife(str(container.id), state.get("Pid") or None, state["StartedAt"])
        self._watch.add(life)
        life.log = follow_into(life.container, service.log, self._host, since_s)
        return life

    def _create(self, client: DockerClient, service: Service) -> Container:
        box = _box(service)
        network = self._network(client)
        made: dict[str, Any] = client.api.create_container(
            image=box.image,
            entrypoint=list(box.entrypoint) or None,
            command=list(service.command),
            name=f"{labels.project_name(self._stack)}-{service.name}-1",
            hostname=service.name,
            user=box.user,
            environment=shape.environment(service),
            labels=labels.of_container(self._stack, service),
            ports=list(box.published),
            healthcheck=_healthcheck(box),
            stop_signal=service.stop_signal.name,
            host_config=self._host_config(client, box),
            networking_config={"EndpointsConfig": {network: _endpoint(client, service)}},
        )
        container = client.containers.get(made["Id"])
        try:
            files = list(box.files())
            if files:
                container.put_archive("/", packed(files))
        except BaseException:
            container.remove(force=True, v=True)
            raise
        return container

    def _host_config(self, client: DockerClient, box: Box) -> Any:
        mounts = [Mount(path, self._volume(client, name), type="volume") for name, path in box.volumes.items()]
        return client.api.create_host_config(
            port_bindings={inside: (HOST, outside) for inside, outside in box.published.items()},
            mounts=mounts,
            mem_limit=box.memory_mb * 1024 * 1024,
            nano_cpus=int(box.cpus * 1e9),
            cpu_shares=box.cpu_shares,
            cgroup_parent=cgroup_parent(client.info()),
            pids_limit=shape.PIDS,
            cap_drop=["ALL"],
            security_opt=[shape.NO_NEW_PRIVILEGES],
            restart_policy={"Name": shape.RESTART},
            log_config=LogConfig(type=shape.LOG_DRIVER, config=shape.LOG_OPTIONS),
        )

    def _volume(self, client: DockerClient, name: str) -> str:
        full = f"{labels.project_name(self._stack)}_{name}"
        try:
            found = client.volumes.get(full)
        except NotFound:
            client.volumes.create(full, labels=labels.of_volume(self._stack, name))
        else:
            labels.require_own(self._stack, f"volume {full}", found.attrs["Labels"])
        return full

    def _network(self, client: DockerClient) -> str:
        """A network of the stack's own. The engine would make a second of the same name."""
        name = f"{labels.project_name(self._stack)}_default"
        with self._making:
            there = client.networks.list(names=[f"^{name}$"])
            if not there:
                client.networks.create(name, driver="bridge", labels=labels.of_network(self._stack))
        for found in there:
            labels.require_own(self._stack, f"network {name}", found.attrs["Labels"])
        return name


def _box(service: Service) -> Box:
    if not isinstance(service.box, Box):
        raise NotReadyError(f"{service.name} is not defined as a container.")
    return service.box


def _endpoint(client: DockerClient, service: Service) -> EndpointConfig:
    return EndpointConfig(client.api.api_version, aliases=[service.name])


def cgroup_parent(engine: Mapping[str, Any]) -> str | None:
    """The group that a container's own is made in; None: the one that the engine thinks best.

    An engine that makes groups itself has one for all of its containers, which together weigh as much as one process
    beside them, such as the generator: they would wait for a core longer than the same services as processes.
    """
    rootless = any("rootless" in option for option in engine.get("SecurityOptions") or ())
    return "/" if engine.get("CgroupDriver") == "cgroupfs" and not rootless else None


def _healthcheck(box: Box) -> Healthcheck | None:
    if box.check is None:
        return None
    return Healthcheck(
        test=["CMD-SHELL", box.check],
        interval=shape.CHECK_S * _S_NS,
        timeout=shape.CHECK_S * _S_NS // 2,
        start_period=shape.CHECK_BEGIN_S * _S_NS,
        retries=shape.CHECK_TIMES,
    )


def _is_of(container: Container, service: Service) -> bool:
    return bool(container.labels.get(labels.HASH) == service.digest)


def _stop(container: Container, service: Service) -> None:
    with contextlib.suppress(NotFound):
        if container.status == "paused":
            container.unpause()
        container.stop(timeout=int(service.stop_timeout_s))


def _remove(container: Container, service: Service) -> None:
    _stop(container, service)
    with contextlib.suppress(NotFound):
        container.remove(force=True, v=True)
