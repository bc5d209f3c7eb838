"""Scenario files: what they say, and that what is wrong with one is said with file, key and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios import catalog
from scenarios.errors import ScenarioError
from scenarios.model import ReplaySource, ShopSource

GOOD = """
title = "mine"
[[stages]]
rate = 10
for = "5s"
"""


def test_shipped_scenarios_all_load() -> None:
    assert {"steady", "peak", "burst", "smoke", "uci", "otto"} <= set(catalog.scenarios())


def test_the_reports_mix_is_that_of_the_report() -> None:
    for name in ("steady", "peak", "burst", "smoke"):
        source = catalog.load(name).source
        assert isinstance(source, ShopSource)
        assert source.mix == pytest.approx({"page_view": 0.70, "add_to_cart": 0.20, "purchase": 0.10})


def test_ottos_mix_is_its_published_one() -> None:
    scenario = catalog.parse(GOOD + '[source]\nkind = "shop"\nmix = "otto"\n', "x.toml", "x")
    assert isinstance(scenario.source, ShopSource)
    assert {name: round(share, 4) for name, share in scenario.source.mix.items()} == {
        "page_view": 0.8985,
        "add_to_cart": 0.0780,
        "purchase": 0.0235,
    }


def test_alternating_scenarios_warm_up_at_their_low_rate() -> None:
    assert catalog.load("burst").warm_up_rate == 100
    assert catalog.load("peak").warm_up_rate == 2000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = 'x", "x.toml: expected TOML"),
        (GOOD + "colour = 1\n", "x.toml: stages[0].colour: there is no such key"),
        ("colour = 1\n" + GOOD, "x.toml: colour: there is no such key"),
        (GOOD.replace('title = "mine"', ""), "x.toml: title: expected a value, the key is missing"),
        (GOOD.replace("10", "0"), "x.toml: stages[0].rate: expected greater than 0, found 0"),
        (GOOD.replace("10", '"fast"'), "x.toml: stages[0].rate: expected a valid number"),
        (GOOD.replace("10", "nan"), "x.toml: stages[0].rate: expected a finite number"),
        (GOOD.replace("5s", "5"), "x.toml: stages[0].for: expected a duration such as 30s"),
        (GOOD.replace('"5s"', "5"), "x.toml: stages[0].for: expected a duration such as 30s"),
        (GOOD.replace("5s", "0s"), "x.toml: stages[0].for: expected a duration longer than 0"),
        (GOOD.replace("5s", "all"), 'x.toml: scenario: expected for = "all" only in the one stage of a replay'),
        ("title = 'x'\n", "x.toml: scenario: expected at least one [[stages]] with rate and for"),
        (GOOD + "[source]\nkind = 'queue'\n", "x.toml: source: expected"),
        (GOOD + "[source]\nkind = 'shop'\nmix = 'mine'\n", "x.toml: source.mix: expected one of report, otto"),
        (
            GOOD + "[source]\nkind = 'shop'\nmix = {page_view = 0.5, add_to_cart = 0.2, purchase = 0.1}\n",
            "x.toml: source.mix: expected shares that add up to 1 (these make 0.8)",
        ),
        (
            GOOD + "[source]\nkind = 'shop'\nmix = {page_view = 0.1, add_to_cart = 0.2, purchase = 0.7}\n",
            "x.toml: source.mix: expected page_view ≥ add_to_cart ≥ purchase",
        ),
        (GOOD + "[source]\nkind = 'replay'\nfile = 'a.csv'\n", "x.toml: source.columns: expected a value"),
        ("warm_up = { for = '20s', at_most = '5s' }\n" + GOOD, "x.toml: warm_up: expected at_most not shorter"),
        ("producers = 0\n" + GOOD, "x.toml: producers: expected greater than or equal to 1, found 0"),
        ("drain = 'long'\n" + GOOD, "x.toml: drain: expected a duration"),
    ],
)
def test_what_is_wrong_is_said_with_file_key_and_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        catalog.parse(text, "x.toml", "x")
    assert said in str(refused.value)


@pytest.mark.parametrize("column", ["event_type = { column = 'a', map = { b = 'sale' } }", "event_type = {}"])
def test_a_wrong_column_map_is_refused(column: str) -> None:
    columns = "user_id = 'u'\nsession_id = 's'\nproduct_id = 'p'\nprice = 'x'\nevent_time = 't'\n" + column
    with pytest.raises(ScenarioError, match=r"x\.toml: source\.columns\.event_type: expected"):
        catalog.parse(GOOD + f"[source]\nkind = 'replay'\nfile = 'a.csv'\n[source.columns]\n{columns}\n", "x.toml", "x")


def test_a_scenario_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"no scenario 'nix'.*burst.*peak"):
        catalog.load("nix")
    with pytest.raises(ScenarioError, match=r"mine\.toml: expected a scenario file that can be read"):
        catalog.load(str(tmp_path / "mine.toml"))


def test_a_users_own_file_names_its_input_from_its_own_folder() -> None:
    path = Path(__file__).parent / "data" / "dirty.toml"
    scenario = catalog.load(str(path))
    assert scenario.name == "dirty"
    assert isinstance(scenario.source, ReplaySource)
    assert catalog.folder_of(str(path)) == path.parent
