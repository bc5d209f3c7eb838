from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stack.files import write_once, write_whole


def test_a_file_is_replaced_whole_with_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "secret"
    write_whole(target, b"old")
    write_whole(target, b"new")
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_what_cannot_be_written_leaves_the_old_and_no_draft(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "inside").touch()
    with pytest.raises(OSError, match="folder"):
        write_whole(target, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_of_many_writers_at_once_one_wins_whole(tmp_path: Path) -> None:
    target = tmp_path / "once"
    contents = [bytes([65 + number]) * 5000 for number in range(16)]
    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(lambda content: write_once(target, content), contents))
    assert won.count(True) == 1
    assert target.read_bytes() == contents[won.index(True)]
    assert [path.name for path in tmp_path.iterdir()] == ["once"]
