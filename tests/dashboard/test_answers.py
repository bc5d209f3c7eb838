from __future__ import annotations

import threading

import pytest

from dashboard.answers import Answers, UnavailableError


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def numbers() -> object:
    return iter(range(1_000)).__next__


def test_an_answer_lives_as_long_as_configured(clock: Clock) -> None:
    answers, ask = Answers(2, clock, clock), numbers()
    assert answers.get("a", ask).value == 0
    clock.now += 1.5
    assert answers.get("a", ask).value == 0
    clock.now += 1
    assert answers.get("a", ask).value == 1


def test_nothing_is_kept_without_a_time_to_live(clock: Clock) -> None:
    answers, ask = Answers(0, clock, clock), numbers()
    assert [answers.get("a", ask).value for _ in range(3)] == [0, 1, 2]


def test_a_failure_keeps_the_last_answer_says_since_when_and_is_not_hurried(clock: Clock) -> None:
    answers = Answers(0, clock, clock)
    answers.get("a", lambda: "known")
    asked = 0

    def failing() -> str:
        nonlocal asked
        asked += 1
        raise UnavailableError("gone")

    clock.now += 5
    failed = answers.get("a", failing)
    assert (failed.value, failed.error, failed.failing_since) == ("known", "gone", clock.now)
    clock.now += 0.5
    answers.get("a", failing)
    assert asked == 1
    clock.now += 1
    assert answers.get("a", failing).failing_since == failed.failing_since
    clock.now += 2
    back = answers.get("a", lambda: "new")
    assert (back.value, back.error) == ("new", None)


def test_viewers_who_ask_at_once_share_one_computation(clock: Clock) -> None:
    answers, started, go_on = Answers(60, clock, clock), threading.Event(), threading.Event()
    made = []

    def slow() -> int:
        started.set()
        go_on.wait(10)
        made.append(1)
        return len(made)

    got: list[int | None] = []
    threads = [threading.Thread(target=lambda: got.append(answers.get("a", slow).value)) for _ in range(5)]
    for thread in threads:
        thread.start()
    started.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert got == [1] * 5


def test_a_bug_is_not_taken_for_a_failure(clock: Clock) -> None:
    with pytest.raises(ZeroDivisionError):
        Answers(0, clock, clock).get("a", lambda: 1 // 0)
