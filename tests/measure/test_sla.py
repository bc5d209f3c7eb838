"""SLA and alert files: the shipped ones, the user's own, and all that can be wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from measure.errors import UsageError
from measure.sla import load_alerts, load_tier, tiers

ROW = 'metric = "e2e"\npercentile = 95\nlimit = "< 1 s"\n'


def written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_the_shipped_tiers_are_those_of_the_reference_report() -> None:
    rows = {tier: [(rule.metric, str(rule.limit), rule.during) for rule in held.sla] for tier, held in tiers().items()}
    assert rows == {
        "tier1": [
            ("e2e", "< 1,000 ms", "load"),
            ("availability", ">= 99.9 %", "load"),
            ("rate", ">= 2,000 /s", "load"),
            ("error_rate", "< 0.5 %", "load"),
        ],
        "tier2": [
            ("e2e", "< 2,000 ms", "burst"),
            ("recovery", "< 60 s", "load"),
            ("rate", ">= 5,000 /s", "burst"),
        ],
    }


def test_the_shipped_alerts_are_the_five_of_the_reference_report() -> None:
    assert [(rule.metric, rule.percentile, str(rule.limit)) for rule in load_alerts()] == [
        ("e2e", 95, "<= 1,500 ms"),
        ("lag", None, "<= 60 s"),
        ("batch", 95, "<= 1,000 ms"),
        ("commit", 95, "<= 200 ms"),
        ("query", 95, "<= 500 ms"),
    ]


def test_a_file_of_ones_own_may_use_any_metric(tmp_path: Path) -> None:
    tier = load_tier(str(written(tmp_path, f'[[sla]]\n{ROW}for = "10s"\nduring = "burst"\n')))
    (rule,) = tier.sla
    assert (tier.name, rule.for_s, rule.during) == ("mine", 10, "burst")
    assert rule.name == "P95 latency, due to acknowledged write in bursts"


@pytest.mark.parametrize(
    ("table", "place", "said"),
    [
        ('metric = "e2f"\npercentile = 95\nlimit = "< 1 s"', "sla[0].metric", "there is no metric 'e2f'. Known: e2e,"),
        ('metric = "e2e"\npercentile = 95\nlimit = "< 1000"', "sla[0].limit", "has no unit"),
        ('metric = "e2e"\npercentile = 101\nlimit = "< 1 s"', "sla[0].percentile", "above 0 and up to 100, found 101"),
        ('metric = "e2e"\npercentile = 0\nlimit = "< 1 s"', "sla[0].percentile", "above 0 and up to 100, found 0"),
        ('metric = "e2e"\nlimit = "< 1 s"', "sla[0].percentile", "only with a percentile"),
        ('metric = "lag"\npercentile = 95\nlimit = "< 1 s"', "sla[0].percentile", "has no percentiles"),
        (
            'metric = "e2e"\npercentile = "95"\nlimit = "< 1 s"',
            "sla[0].percentile",
            "Expected `float | null`, got `str`",
        ),
        (f'{ROW}during = "night"', "sla[0].during", "expected one of load, burst, found 'night'"),
        (f'{ROW}for = "10"', "sla[0].for", "expected a duration"),
        (f'{ROW}limits = "x"', "sla[0]", "unknown field `limits`"),
        ('metric = "error_rate"\nlimit = "< 1 %"\nfor = "3s"', "sla[0].for", "no value each second"),
        ('metric = "error_rate"\nlimit = "< 1 %"\nduring = "burst"', "sla[0].during", "cannot be told for the bursts"),
        (f"{ROW}[[sla]]\n{ROW}", "sla[1].name", "is the name of [0] already"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_file_and_key(tmp_path: Path, table: str, place: str, said: str) -> None:
    path = written(tmp_path, f"[[sla]]\n{table}\n")
    with pytest.raises(UsageError) as refused:
        load_tier(str(path))
    assert str(path) in str(refused.value)
    assert place in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize("text", ["", "sla = []", 'name = "x"', "[[sla]", "[[alert]]\n", "\x00"])
def test_a_file_without_rows_or_that_is_no_toml_is_refused(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError, match=r"mine\.toml"):
        load_tier(str(path))


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="expected TOML"):
        load_tier(str(path))


def test_two_tiers_of_one_name_are_refused_with_both_places(tmp_path: Path) -> None:
    written(tmp_path, f'name = "gold"\n[[sla]]\n{ROW}', "a.toml")
    written(tmp_path, f'name = "gold"\n[[sla]]\n{ROW}', "b.toml")
    with pytest.raises(UsageError, match=r"b\.toml: name: .*a\.toml holds a tier 'gold' already"):
        tiers(tmp_path)


def test_a_tier_of_ones_own_may_not_take_a_shipped_name(tmp_path: Path) -> None:
    written(tmp_path, f'name = "tier1"\n[[sla]]\n{ROW}')
    with pytest.raises(UsageError, match=r"tier1\.toml holds a tier 'tier1' already"):
        load_tier("tier1", tmp_path)


def test_an_unknown_tier_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match=r"no SLA tier 'gold'\. Known: tier1, tier2"):
        load_tier("gold")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('metric = "error_rate"\nlimit = "< 1 %"', "cannot raise an alert"),
        (f'{ROW}instead = "lag"', "lag is not measured as e2e is"),
        (f'{ROW}window = "5s"', "window: expected at least 6s for e2e, found '5s'"),
        ('metric = "batch"\npercentile = 95\nlimit = "< 1 s"\ninstead = "store"\nwindow = "5s"', "6s for store"),
        (f"{ROW}[[alert.action]]\n", "expected either command"),
        (f'{ROW}[[alert.action]]\nwebhook = "file:///etc/passwd"', "expected an http:// or https:// address"),
        (f'{ROW}[[alert.action]]\ncommand = ["x"]\non = ["rise"]', "expected raise or resolve, found 'rise'"),
        (f'{ROW}[[alert.action]]\ncommand = "rm -rf x"', "Expected `array | null`, got `str`"),
    ],
)
def test_what_is_wrong_with_an_alert_is_said(tmp_path: Path, table: str, said: str) -> None:
    path = written(tmp_path, f"[[alert]]\n{table}\n", "alerts.toml")
    with pytest.raises(UsageError) as refused:
        load_alerts(path)
    assert "alerts.toml: alert[0]" in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "table", [f'{ROW}window = "6s"', 'metric = "commit"\npercentile = 95\nlimit = "< 1 s"\nwindow = "1s"']
)
def test_an_alert_may_look_at_a_short_window_where_it_sees_something_in_it(tmp_path: Path, table: str) -> None:
    (rule,) = load_alerts(written(tmp_path, f"[[alert]]\n{table}\n", "alerts.toml"))
    assert rule.window_s < 10
