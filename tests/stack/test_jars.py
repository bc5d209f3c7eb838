from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from measure.errors import NotReadyError
from stack import jars
from stack.ivy import Coordinate, Fetched, fetch
from stack.jars import KAFKA, SPARK, LockedJar, install, locked_jars, parse_lock, provide_jars, unfit_jars
from stack.java import find_java
from stack.places import Home

GOOD, OTHER = b"a jar", b"another jar"


def locked(name: str, content: bytes) -> LockedJar:
    return LockedJar(KAFKA, Coordinate("org.example", name, "1.0"), hashlib.sha256(content).hexdigest())


def brought(folder: Path, contents: dict[LockedJar, bytes], complaint: str = "") -> Fetched:
    """What a download would have left in `folder`."""
    folder.mkdir()
    files = {jar.coordinate: folder / jar.coordinate.file_name for jar in contents}
    for jar, content in contents.items():
        files[jar.coordinate].write_bytes(content)
    return Fetched(files, complaint)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("LATENCY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LATENCY_JARS", raising=False)
    (tmp_path / "home" / "jars" / KAFKA).mkdir(parents=True)
    return Home.find()


def test_the_lock_has_a_broker_and_a_connector_once_each() -> None:
    files = [jar.name for jar in locked_jars()]
    assert len(set(files)) == len(files)
    assert {jar.part for jar in locked_jars()} == {KAFKA, SPARK}
    roots = {jar.coordinate.artifact: jar.coordinate.version for jar in locked_jars()}
    assert {"kafka_2.13", "spark-sql-kafka-0-10_2.13"} <= set(roots)


def test_the_connector_is_of_the_sparks_version() -> None:
    import pyspark

    connector = next(jar.coordinate for jar in locked_jars() if jar.coordinate.artifact.startswith("spark-sql-kafka"))
    assert connector.version == pyspark.__version__


@pytest.mark.parametrize(
    "line",
    [
        "org.example:a:1 00",
        "a:1 " + "0" * 64,
        "org.example:a:1 sha256:" + "0" * 64,
        "org.example:a:../../b " + "0" * 64,
    ],
)
def test_a_broken_lock_is_told_by_line(line: str) -> None:
    with pytest.raises(ValueError, match=r"jars\.lock, line 3: expected"):
        parse_lock(f"# heading\n[kafka]\n{line}\n")


def test_what_is_right_is_kept(home: Home, tmp_path: Path) -> None:
    jar = locked("a", GOOD)
    assert unfit_jars(home.jars, [jar]) == [jar]
    install(home.jars, [jar], brought(tmp_path / "incoming", {jar: GOOD}))
    assert unfit_jars(home.jars, [jar]) == []
    (home.jars / jar.name).write_bytes(OTHER)
    assert unfit_jars(home.jars, [jar]) == [jar]


def test_a_jar_that_is_not_what_the_lock_says_never_gets_in(home: Home, tmp_path: Path) -> None:
    right, wrong = locked("right", GOOD), locked("wrong", GOOD)
    with pytest.raises(NotReadyError) as caught:
        install(home.jars, [wrong, right], brought(tmp_path / "incoming", {wrong: OTHER, right: GOOD}))
    told = str(caught.value)
    assert "org.example:wrong:1.0" in told
    assert wrong.sha256 in told
    assert hashlib.sha256(OTHER).hexdigest() in told
    assert "\n" not in told
    assert not (home.jars / wrong.name).exists()
    assert (home.jars / right.name).read_bytes() == GOOD


def test_what_did_not_come_is_counted_with_the_reason(home: Home, tmp_path: Path) -> None:
    first, second = locked("first", GOOD), locked("second", GOOD)
    with pytest.raises(
        NotReadyError, match=r"1 of 2 jars .*org\.example:second:1\.0 first\): no route to host"
    ) as caught:
        install(home.jars, [first, second], brought(tmp_path / "incoming", {first: GOOD}, "no route to host"))
    assert "LATENCY_JARS" in str(caught.value)
    assert (home.jars / first.name).exists()


def test_a_jar_of_an_older_version_leaves_our_own_folder_only(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jars, "locked_jars", lambda: (locked("a", GOOD),))
    (home.jars / KAFKA / "a-1.0.jar").write_bytes(GOOD)
    stranger = home.jars / KAFKA / "a-0.9.jar"
    stranger.touch()
    provide_jars(home, Path("/no/java"), lambda line: None)
    assert not stranger.exists()

    stranger.touch()
    monkeypatch.setenv("LATENCY_JARS", str(home.jars))
    (tmp_path / "second").mkdir()
    with pytest.raises(NotReadyError, match=r"a-0\.9\.jar is not in the lock"):
        provide_jars(Home(tmp_path / "second"), Path("/no/java"), lambda line: None)
    assert stranger.exists()


def test_without_a_network_one_line_says_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses at once
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.delenv("https_proxy", raising=False)
        with pytest.raises(
            NotReadyError, match=r"49 of 49 jars could not be downloaded .*[Cc]onnection refused"
        ) as caught:
            provide_jars(home, find_java(), lambda line: None)
    assert "\n" not in str(caught.value)
    assert "://" not in str(caught.value)
    assert not list(home.jars.glob(".incoming-*"))


def test_a_folder_that_cannot_be_made_is_told(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LATENCY_JARS", str(tmp_path / "file" / "jars"))
    with pytest.raises(NotReadyError, match=r"cannot make the folder .*/file/jars"):
        provide_jars(home, find_java(), lambda line: None)


def test_an_interrupted_download_leaves_nothing_half_done(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        environment = {**os.environ, "HTTPS_PROXY": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        environment["LATENCY_SERVICES"] = '["kafka"]'
        command = [sys.executable, "-m", "stack.provision"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, start_new_session=True) as process:
            connection, _ = silent.accept()
            with connection:
                children = psutil.Process(process.pid).children(recursive=True)
                assert children
                process.send_signal(signal.SIGINT)
                assert process.wait(60) == 130
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    assert not list(home.jars.glob(".incoming-*"))
    assert not list((home.jars / KAFKA).iterdir())


def test_a_jar_comes_through_ivy_as_the_lock_has_it(tmp_path: Path) -> None:
    jar = min((j for j in locked_jars() if j.coordinate.artifact == "jspecify"), key=lambda j: j.name)
    told: list[tuple[int, int]] = []
    fetched = fetch([jar.coordinate], find_java(), tmp_path, lambda files, size: told.append((files, size)))
    assert fetched.complaint == ""
    content = fetched.files[jar.coordinate].read_bytes()
    assert hashlib.sha256(content).hexdigest() == jar.sha256
    assert told[-1] == (1, len(content))
