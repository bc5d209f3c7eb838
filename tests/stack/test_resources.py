from __future__ import annotations

import os
import time

import pytest

from stack.places import StackFolder
from stack.resources import ResourceSampler
from tests.stack.conftest import Launch, MakeService
from tests.stack.waiting import wait_for

# the work is done by a child, which must be counted too
BUSY = (
    "import subprocess, sys\n"
    "subprocess.run([sys.executable, '-c', 'b = bytearray(80_000_000)\\nfor i in range(0, len(b), 4096): b[i] = 1\\n"
    'print("up", flush=True)\\nwhile True: pass\'])'
)


def test_a_service_is_counted_with_all_that_it_started(
    folder: StackFolder, make_service: MakeService, launch: Launch
) -> None:
    service = make_service(BUSY)
    child = launch(service)
    wait_for(lambda: service.log.exists() and "up" in service.log.read_text(), "the child's work")
    sampler = ResourceSampler(folder)
    sampler.sample()
    before_s, before = time.monotonic(), cpu_of_children(child.pid)
    wait_for(lambda: cpu_of_children(child.pid) > before + 0.3, "0.3 s of work")
    usage = sampler.sample()["one"]
    share = 0.3 / (time.monotonic() - before_s)
    assert usage.cpu_cores == pytest.approx(share, rel=0.5, abs=0.1)
    assert usage.rss_bytes > 80_000_000


def cpu_of_children(pid: int) -> float:
    import psutil

    return sum(one.cpu_times().user for one in psutil.Process(pid).children(recursive=True))


def test_written_bytes_are_a_rate_of_the_time_between_samples(
    folder: StackFolder, make_service: MakeService, launch: Launch
) -> None:
    program = (
        "import os, sys\nsys.stdin = open('go')\nsys.stdin.read()\n"
        "f = open('out', 'wb')\nf.write(os.urandom(4_000_000)); f.flush(); os.fsync(f.fileno())\n"
        "print('up', flush=True)\nimport time; time.sleep(600)"
    )
    os.mkfifo(folder.root / "go")
    service = make_service(program)
    now = [0.0]
    launch(service)
    sampler = ResourceSampler(folder, clock=lambda: now[0])
    assert sampler.sample()["one"].cpu_cores == 0
    (folder.root / "go").write_bytes(b"")
    wait_for(lambda: "up" in service.log.read_text(), "what it writes")
    now[0] = 4.0
    usage = sampler.sample()["one"]
    if usage.write_bytes_s is None:
        pytest.skip("this platform does not tell what a process writes")
    assert usage.write_bytes_s >= 1_000_000


def test_one_that_is_gone_is_not_in_the_sample(folder: StackFolder, make_service: MakeService, launch: Launch) -> None:
    child = launch(make_service("import time; time.sleep(600)"))
    sampler = ResourceSampler(folder)
    assert list(sampler.sample()) == ["one"]
    child.kill()
    child.wait()
    assert sampler.sample() == {}
