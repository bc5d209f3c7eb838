from __future__ import annotations

import threading

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack import logs
from stack.access import Credentials
from stack.files import write_whole
from stack.logs import LONGEST_LINE, clean, cut_short, follow, last_words, tail
from stack.places import StackFolder
from tests.stack.waiting import wait_for


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("plain [/x] text", "plain [/x] text"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]52;c;ZXZpbA==\x07clipboard", "clipboard"),
        ("\x1b]0;title\x1b\\after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r0m\x1b\\dcs", "dcs"),
        ("\x9b2Jcsi of eight bits", "csi of eight bits"),
        ("\x1b[2J\x1b[1;1Hhome", "home"),
        ("over\rwritten\x08\x00", "overwritten"),
        ("\x1b", ""),
        ("right \u202eto left", "right to left"),
        ("a\tb", "a    b"),
        ("mongodb://root:hush@127.0.0.1/", "mongodb://root:***@127.0.0.1/"),
    ],
)
def test_foreign_text_is_made_safe(foreign: str, shown: str) -> None:
    assert clean(foreign) == shown


@given(st.text(alphabet=st.sampled_from("\x1b[]P;0m\x07\\a\x9b\x00\u202e(B?ü")))
def test_nothing_that_steers_a_terminal_is_left(foreign: str) -> None:
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 or char == "\u202e" for char in clean(foreign))


def test_a_line_of_any_length_is_cut() -> None:
    assert len(clean("x" * 90_000)) <= LONGEST_LINE + 2


def test_passwords_of_the_stack_are_struck_out(folder: StackFolder) -> None:
    write_whole(folder.credentials, msgspec.json.encode(Credentials({"job": "hush-kafka"}, {"run": "hush-mongo"})))
    folder.log("one").write_text("login hush-kafka then hush-mongo\n")
    assert tail(folder.log("one"), folder, 10) == ["login *** then ***"]


def test_mongods_json_is_shown_as_a_line() -> None:
    line = '{"t":{"$date":"2026-01-01T00:00:00"},"s":"E","c":"STORAGE","id":1,"msg":"No space","attr":{"a":1}}'
    assert clean(line) == '2026-01-01T00:00:00 E STORAGE: No space {"a":1}'


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (
            "java.lang.RuntimeException: outer\n\tat a.b(C.java:1)\nCaused by: java.io.IOException: middle\n"
            "Caused by: java.net.BindException: Address already in use\n\tat d.e(F.java:2)\n\t... 12 more\nbye\n",
            "Caused by: java.net.BindException: Address already in use",
        ),
        ("2026 INFO starting\n2026 ERROR no quorum\n2026 INFO shutting down, error code 1\n", "2026 ERROR no quorum"),
        (
            '{"t":{"$date":"1"},"s":"F","c":"STORAGE","msg":"Unable to read"}\n'
            '{"t":{"$date":"2"},"s":"F","c":"ASSERT","msg":"\\n\\n***aborting\\n"}\n',
            "1 F STORAGE: Unable to read",
        ),
        ('Traceback\n  File "x.py", line 1\nValueError: bad value\n', "ValueError: bad value"),
        ("just\nstopped\n", "stopped"),
        (
            "ERROR cannot append\njava.io.IOException: No space left on device\nERROR Shutdown broker\n",
            "java.io.IOException: No space left on device",
        ),
    ],
)
def test_the_line_that_explains_an_end_comes_first(folder: StackFolder, log: str, told: str) -> None:
    folder.log("one").write_text(log)
    assert last_words(folder.log("one"), folder).splitlines()[0] == told


def test_last_words_are_of_the_last_start_only(folder: StackFolder) -> None:
    folder.log("one").write_text("ERROR of yesterday\n")
    since = folder.log("one").stat().st_size
    with folder.log("one").open("a") as log:
        log.write("started\n")
    assert "yesterday" not in last_words(folder.log("one"), folder, since)
    assert "logged nothing" in last_words(folder.log("two"), folder)


def test_follow_gives_each_new_line_once_over_a_log_that_is_cut_short(folder: StackFolder) -> None:
    log = folder.log("one")
    log.write_text("first\nsecond\n")
    seen: list[str] = []
    going = threading.Event()
    going.set()

    def read() -> None:
        for line in follow(log, folder, 1, going.is_set):
            seen.append(line)  # noqa: PERF402 (seen while it grows)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        wait_for(lambda: seen == ["second"], "the last line")
        with log.open("a") as file:
            file.write("third\nhal")
            file.flush()
            wait_for(lambda: seen[-1] == "third", "a new line")
            file.write("f\n")
        wait_for(lambda: seen[-1] == "half", "a line in two parts")
        log.write_text("anew\n")
        wait_for(lambda: seen == ["second", "third", "half", "anew"], "the log begun anew")
    finally:
        going.clear()
        reader.join()


def test_a_log_that_grew_too_large_keeps_its_end(folder: StackFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LARGEST_LOG_BYTES", 1000)
    monkeypatch.setattr(logs, "_KEPT_BYTES", 100)
    log = folder.log("one")
    with log.open("ab") as writer:  # as a service does: it appends, wherever the end is
        writer.write(b"x" * 2000 + b"end\n")
        writer.flush()
        cut_short(log)
        writer.write(b"goes on\n")
    assert log.read_bytes() == b"goes on\n"
    assert log.with_suffix(".log.1").read_bytes().endswith(b"xend\n")


def test_a_log_of_ordinary_size_is_left_alone(folder: StackFolder) -> None:
    folder.log("one").write_text("short\n")
    cut_short(folder.log("one"))
    cut_short(folder.log("none"))
    assert folder.log("one").read_text() == "short\n"
