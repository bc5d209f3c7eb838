"""SLA tiers and alert rules from TOML files, shipped or the user's own.

```toml
name = "tier1"                    # default: the file's name
[[sla]]
metric = "e2e"                    # one of measure.limits.METRICS
percentile = 95                   # where the metric has percentiles, and only there
limit = "< 1000 ms"               # operator, number, unit
during = "load"                   # or "burst": only the events due while the rate was at its higher values
for = "10s"                       # optional: broken only if so for so long without a break
```
A file of alerts has `[[alert]]` tables, with `window`, `abort`, `abort_delay` and `[[alert.action]]` besides. What a
file gets wrong is an error at load, with the file and the key.
"""

from __future__ import annotations

import importlib.resources
import tomllib
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

import msgspec

from measure.decoding import convert
from measure.errors import UsageError
from measure.limits import METRICS, Action, AlertRule, Limit, Metric, SlaRule, Tier, parse_duration, parse_limit
from measure.percentiles import percent_name

DURING = ("load", "burst")
LEAST_WINDOW_S = 6
"""Of an alert on a stage: a due-second that misses events is judged once it is 5 s old (measure.alerts), and must still
be in the window then."""
_NO_STAGES = ("commit", "batch")
"""They have percentiles, and are no event's: each is told once it is over."""

File = Traversable | Path
T = TypeVar("T")


class _SlaTable(msgspec.Struct, forbid_unknown_fields=True):
    metric: str
    limit: str
    percentile: float | None = None
    during: str = "load"
    for_: str | None = msgspec.field(default=None, name="for")
    name: str | None = None


class _ActionTable(msgspec.Struct, forbid_unknown_fields=True):
    command: list[str] | None = None
    webhook: str | None = None
    on: tuple[str, ...] = ("raise", "resolve")
    timeout: str = "10s"


class _AlertTable(msgspec.Struct, forbid_unknown_fields=True):
    metric: str
    limit: str
    percentile: float | None = None
    for_: str | None = msgspec.field(default=None, name="for")
    name: str | None = None
    window: str = "10s"
    instead: str | None = None
    abort: bool = False
    abort_delay: str = "10s"
    action: list[_ActionTable] = []


class _TierFile(msgspec.Struct, forbid_unknown_fields=True):
    sla: list[_SlaTable]
    name: str | None = None
    title: str = ""


class _AlertFile(msgspec.Struct, forbid_unknown_fields=True):
    alert: list[_AlertTable] = []


def shipped() -> Traversable:
    """The folder of the files that come with the program."""
    return importlib.resources.files("measure") / "sla"


def load_tier(name_or_path: str, folder: Path | None = None) -> Tier:
    """The tier of this name, shipped or in the user's `folder`, or in the file at this path.

    UsageError with file and key for whatever is wrong with it, and for a name that two files claim.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml" or len(path.parts) > 1:
        return read_tier(path)
    known = tiers(folder)
    if name_or_path not in known:
        raise UsageError(
            f"there is no SLA tier {name_or_path!r}. Known: {', '.join(sorted(known))}. Or give a .toml file."
        )
    return known[name_or_path]


def tiers(folder: Path | None = None) -> dict[str, Tier]:
    """All tiers by name: the shipped ones and those of the user's `folder`. UsageError for two of one name."""
    files: list[File] = [shipped() / "tier1.toml", shipped() / "tier2.toml"]
    if folder is not None and folder.is_dir():
        files += [path for path in sorted(folder.glob("*.toml")) if path.name != "alerts.toml"]
    return unique_tiers((str(file), read_tier(file)) for file in files)


def unique_tiers(read: Iterable[tuple[str, Tier]]) -> dict[str, Tier]:
    """By name, from (file, tier); UsageError that names both files where two tiers have one name."""
    origins: dict[str, str] = {}
    known: dict[str, Tier] = {}
    for file, tier in read:
        if tier.name in known:
            raise UsageError(
                f"{file}: name: {origins[tier.name]} holds a tier {tier.name!r} already. Rename one of them."
            )
        origins[tier.name], known[tier.name] = file, tier
    return known


def read_tier(file: File) -> Tier:
    """The tier in `file`."""
    content = _read(file, _TierFile)
    if not content.sla:
        raise UsageError(f"{file}: sla: expected at least one [[sla]] table, found none.")
    rules = [_sla_rule(table, f"{file}: sla[{number}]") for number, table in enumerate(content.sla)]
    _no_name_twice([rule.name for rule in rules], f"{file}: sla")
    name = content.name or Path(file.name).stem
    return Tier(name=name, title=content.title or name, sla=rules)


def load_alerts(path: Path | None = None) -> list[AlertRule]:
    """The alert rules in the file at `path`, or the shipped ones: the reference report's five."""
    file: File = path if path is not None else shipped() / "alerts.toml"
    content = _read(file, _AlertFile)
    rules = [_alert_rule(table, f"{file}: alert[{number}]") for number, table in enumerate(content.alert)]
    _no_name_twice([rule.name for rule in rules], f"{file}: alert")
    return rules


def _read(file: File, kind: type[T]) -> T:
    try:
        parsed = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{file}: there is no such file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise UsageError(f"{file}: expected TOML: {wrong}.") from wrong
    try:
        return convert(parsed, kind)
    except msgspec.ValidationError as wrong:
        message, _, place = str(wrong).partition(" - at `$")
        raise UsageError(f"{file}: {place.strip('.`') or 'top'}: {message}.") from wrong


def _sla_rule(table: _SlaTable, where: str) -> SlaRule:
    metric = _metric(table.metric, f"{where}.metric")
    if table.during not in DURING:
        raise UsageError(f"{where}.during: expected one of {', '.join(DURING)}, found {table.during!r}.")
    if table.during == "burst" and not metric.by_span:
        raise UsageError(f"{where}.during: {metric.name} cannot be told for the bursts alone. Leave it out.")
    if table.for_ is not None and not metric.in_seconds:
        raise UsageError(f"{where}.for: {metric.name} has no value each second, so it cannot be broken for a time.")
    percentile, limit = _percentile_and_limit(table.percentile, table.limit, metric, where)
    return SlaRule(
        metric=metric.name,
        limit=limit,
        percentile=percentile,
        during=table.during,
        for_s=_duration(table.for_, f"{where}.for"),
        name=table.name or _title(metric, percentile, table.during),
    )


def _alert_rule(table: _AlertTable, where: str) -> AlertRule:
    metric = _metric(table.metric, f"{where}.metric")
    instead = table.instead and _metric(table.instead, f"{where}.instead")
    for key, used in (("metric", metric), ("instead", instead)):
        if used and not used.in_seconds:
            raise UsageError(f"{where}.{key}: {used.name} has no value each second, so it cannot raise an alert.")
    if instead and (instead.dimension, instead.percentile) != (metric.dimension, metric.percentile):
        raise UsageError(f"{where}.instead: {instead.name} is not measured as {metric.name} is.")
    percentile, limit = _percentile_and_limit(table.percentile, table.limit, metric, where)
    window_s = _duration(table.window, f"{where}.window")
    stage = next((used for used in (metric, instead) if used and used.percentile and used.name not in _NO_STAGES), None)
    if stage and window_s < LEAST_WINDOW_S:
        raise UsageError(
            f"{where}.window: expected at least {LEAST_WINDOW_S}s for {stage.name}, found {table.window!r}: a second "
            "whose events have not all arrived is judged once it is 5 s old."
        )
    return AlertRule(
        name=table.name or _title(metric, percentile, "load"),
        metric=metric.name,
        limit=limit,
        percentile=percentile,
        instead=instead.name if instead else None,
        for_s=_duration(table.for_, f"{where}.for"),
        window_s=window_s,
        abort=table.abort,
        abort_delay_s=_duration(table.abort_delay, f"{where}.abort_delay"),
        actions=[_action(action, f"{where}.action[{number}]") for number, action in enumerate(table.action)],
    )


def _action(table: _ActionTable, where: str) -> Action:
    if bool(table.command) == bool(table.webhook):
        raise UsageError(f"{where}: expected either command (a list) or webhook (an address).")
    if table.webhook and not table.webhook.startswith(("http://", "https://")):
        raise UsageError(f"{where}.webhook: expected an http:// or https:// address, found {table.webhook!r}.")
    if unknown := set(table.on) - {"raise", "resolve"}:
        raise UsageError(f"{where}.on: expected raise or resolve, found {min(unknown)!r}.")
    timeout_s = _duration(table.timeout, f"{where}.timeout")
    return Action(command=table.command, webhook=table.webhook, on=table.on, timeout_s=timeout_s)


def _metric(name: str, where: str) -> Metric:
    if name not in METRICS:
        raise UsageError(f"{where}: there is no metric {name!r}. Known: {', '.join(METRICS)}.")
    return METRICS[name]


def _percentile_and_limit(
    percentile: float | None, limit: str, metric: Metric, where: str
) -> tuple[float | None, Limit]:
    if percentile is None and metric.percentile:
        raise UsageError(f"{where}.percentile: {metric.name} has a limit only with a percentile, such as 95.")
    if percentile is not None and not metric.percentile:
        raise UsageError(f"{where}.percentile: {metric.name} has no percentiles. Leave it out.")
    if percentile is not None and not 0 < percentile <= 100:
        raise UsageError(f"{where}.percentile: expected a number above 0 and up to 100, found {percentile:g}.")
    return percentile, parse_limit(limit, metric, f"{where}.limit")


def _duration(text: str | None, where: str) -> float:
    return 0.0 if text is None else parse_duration(text, where)


def _title(metric: Metric, percentile: float | None, during: str) -> str:
    words = [percent_name(percentile)] if percentile is not None else []
    words.append(metric.title)
    return " ".join([*words, "in bursts"] if during == "burst" else words)


def _no_name_twice(names: list[str], where: str) -> None:
    seen: dict[str, int] = {}
    for number, name in enumerate(names):
        if name in seen:
            raise UsageError(
                f"{where}[{number}].name: {name!r} is the name of [{seen[name]}] already. Name one otherwise."
            )
        seen[name] = number
