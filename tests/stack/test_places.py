from __future__ import annotations

import stat
import tempfile
from pathlib import Path

import pytest

from measure.errors import NotReadyError, UsageError
from stack.places import Home, StackFolder, runtime_folder


def test_all_folders_are_private(home: Home, folder: StackFolder) -> None:
    for place in (home.root, home.stacks, folder.root, folder.logs, folder.pids):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700, place


@pytest.mark.parametrize("name", ["", "../other", "Up", "-x", "a" * 33, "a/b", "a\n"])
def test_a_name_that_is_no_stacks_is_refused(home: Home, name: str) -> None:
    with pytest.raises(UsageError, match="stack name"):
        home.stack(name)


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LATENCY_HOME", str(tmp_path / "file" / "below"))
    with pytest.raises(NotReadyError, match=r"cannot make the folder .*LATENCY_HOME"):
        Home.find()


def test_sockets_are_in_a_short_private_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("long" * 30)))
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        found = runtime_folder()
        assert found.parent == Path(short)
        assert stat.S_IMODE(found.stat().st_mode) == 0o700
        found.chmod(0o755)
        with pytest.raises(NotReadyError, match="mode 0700"):
            runtime_folder()
