"""The files that docs/scenarios.md shows are files that can be used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from measure.sla import load_alerts, tiers
from scenarios import catalog

PAGE = Path(__file__).parents[2] / "docs" / "scenarios.md"
SHOWN = dict(re.findall(r"```toml\n# (\S+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))


def written(folder: Path, name: str) -> Path:
    file = folder / Path(name).name
    file.write_text(SHOWN[name], "utf-8")
    return file


@pytest.mark.parametrize("name", ["lunch.toml", "orders.toml"])
def test_a_scenario(tmp_path: Path, name: str) -> None:
    assert catalog.load(str(written(tmp_path, name))).name == Path(name).stem


def test_a_tier(tmp_path: Path) -> None:
    written(tmp_path, "LATENCY_HOME/sla/shop.toml")
    assert "shop" in tiers(tmp_path)


def test_alerts(tmp_path: Path) -> None:
    assert load_alerts(written(tmp_path, "LATENCY_HOME/sla/alerts.toml"))
