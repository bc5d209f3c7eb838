"""What containers use, as the engine tells it by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from docker import DockerClient

from stack.docker.clearing import containers
from stack.docker.ground import Containers
from stack.docker.stats import ContainerSampler
from stack.settings import Settings
from tests.docker.small import IDLE, STACK, small
from tests.stack.waiting import wait_for

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


@pytest.fixture
def sampler(poor: Settings) -> Iterator[ContainerSampler]:
    made = ContainerSampler(STACK, poor.docker.host)
    yield made
    made.close()


def test_containers_come_and_go(poor: Settings, client: DockerClient, sampler: ContainerSampler) -> None:
    assert sampler.sample() == {}, "the first look returns at once"
    ground = Containers(STACK, poor.docker.host)
    ground.start(small(poor, "while :; do :; done"))
    busy = wait_for(lambda: sampler.sample().get("small"), "its usage", 30)
    wait_for(lambda: (used := sampler.sample().get("small")) and used.cpu_cores > 0.2, "its work", 30)
    assert 0 < busy.rss_bytes < 64 * 1024 * 1024
    containers(client, STACK)["small"].kill()
    wait_for(lambda: sampler.sample() == {}, "its end", 30)
    ground.start(small(poor, IDLE))
    wait_for(lambda: "small" in sampler.sample(), "another in its place", 30)


def test_what_was_told_long_ago_is_not_told_on(poor: Settings) -> None:
    now_s = [0.0]
    sampler = ContainerSampler(STACK, poor.docker.host, lambda: now_s[0])
    try:
        Containers(STACK, poor.docker.host).start(small(poor, IDLE))
        wait_for(lambda: "small" in sampler.sample(), "its usage", 30)
        sampler.close()

        def later() -> bool:
            now_s[0] += 10
            return sampler.sample() == {}

        wait_for(later, "nothing that is told as of now")
    finally:
        sampler.close()
