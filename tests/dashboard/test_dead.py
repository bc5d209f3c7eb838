from __future__ import annotations

import time

from dashboard.board import Board
from dashboard.dead import PAGE
from tests.dashboard import seeding


def test_letters_of_one_moment_are_paged_without_loss_or_repetition(board: Board, store) -> None:
    at = int(time.time())
    store.dead.insert_many([seeding.dead_letter(number, at_s=at - number // 30) for number in range(70)])
    seen: list[str] = []
    place = None
    for _ in range(10):
        page = board.dead_page(None, "", place).value
        assert page is not None
        seen += [letter.position for letter in page.letters]
        place = page.next
        if place is None:
            break
        assert len(page.letters) == PAGE
    assert len(seen) == len(set(seen)) == 70


def test_a_search_finds_in_payloads_and_takes_no_pattern(board: Board, store) -> None:
    store.dead.insert_many(
        [
            seeding.dead_letter(1, payload=b'{"price": "a.b"}'),
            seeding.dead_letter(2, payload=b'{"price": "axb"}'),
        ]
    )
    page = board.dead_page(None, "A.B", None).value
    assert page is not None
    assert [letter.position for letter in page.letters] == ["partition 0, offset 1"]


def test_reasons_are_counted_for_a_run_and_for_all(board: Board, store) -> None:
    store.dead.insert_many(
        [
            *(seeding.dead_letter(n, run="a", reason="price: negative") for n in range(3)),
            *(seeding.dead_letter(n, run="b", reason="key: missing", expected=True) for n in range(5, 7)),
        ]
    )
    both = board.dead_reasons(None).value
    assert both is not None
    assert [(one.text, one.n, one.expected) for one in both] == [("price: negative", 3, 0), ("key: missing", 2, 2)]
    one = board.dead_reasons("b").value
    assert one is not None
    assert [reason.text for reason in one] == ["key: missing"]
