from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SAMPLE = """
import pytest

def test_skipped():
    pytest.skip("needs a thing")

@pytest.mark.skipif(True, reason="needs another")
def test_marked():
    pass

@pytest.mark.real_data
def test_real():
    pytest.skip("no data")

@pytest.mark.xfail(strict=True)
def test_known():
    assert False

def test_plain():
    pass
"""


def run_pytest(folder: Path, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = real_data\n")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.skips", "-ra", "-q", "-p", "no:cacheprovider", "."],
        cwd=folder,
        env={**plain, "CI": ci, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("ci", ["1", "true"])
def test_under_ci_a_skip_fails_but_for_real_data(tmp_path: Path, ci: str) -> None:
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    done = run_pytest(tmp_path, ci)
    assert done.returncode == 1
    assert "1 failed, 1 passed, 1 skipped, 1 xfailed, 1 error" in done.stdout
    assert "needs a thing" in done.stdout
    assert "needs another" in done.stdout


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    done = run_pytest(tmp_path, "")
    assert done.returncode == 0
    assert "1 passed, 3 skipped, 1 xfailed" in done.stdout


def test_under_ci_a_file_that_skips_itself_fails(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text('import pytest\npytest.importorskip("no_such_package_at_all")\n')
    done = run_pytest(tmp_path, "true")
    assert done.returncode != 0
    assert "no_such_package_at_all" in done.stdout
