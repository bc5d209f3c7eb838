"""A scenario as its TOML file describes it, validated: which load, from which source, judged by which tier."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from scenarios.columns import ColumnMap
from scenarios.duration import Duration, duration_us

EVENT_TYPES = ("page_view", "add_to_cart", "purchase")
MIXES: dict[str, dict[str, float]] = {
    "report": {"page_view": 0.70, "add_to_cart": 0.20, "purchase": 0.10},
    # Published counts of the whole train set: 194,720,954 clicks, 16,896,191 carts, 5,098,951 orders.
    "otto": {"page_view": 194_720_954, "add_to_cart": 16_896_191, "purchase": 5_098_951},
}
WHOLE_FILE = "all"
Rate = Annotated[float, Field(gt=0, le=1_000_000, description="events/s")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Stage(_Part):
    """A stretch of constant rate; `for = "all"` lasts as long as the replayed file has rows."""

    rate: Rate
    for_us: int | None = Field(alias="for", description="µs; None until the end of the file")

    @field_validator("for_us", mode="before")
    @classmethod
    def _length(cls, found: object) -> int | None:
        return None if found == WHOLE_FILE else duration_us(found)


class WarmUp(_Part):
    """The phase before the load, whose events enter no figure."""

    for_us: Duration = Field(default=20_000_000, alias="for")
    at_most_us: Duration = Field(default=60_000_000, alias="at_most")
    rate: Rate | None = Field(
        default=None, description="default: the first stage's; where stages alternate, the lowest"
    )

    @model_validator(mode="after")
    def _room(self) -> WarmUp:
        if self.at_most_us < self.for_us:
            raise ValueError("at_most not shorter than for")
        return self


def _shares(found: object) -> dict[str, float]:
    mix: Any = MIXES.get(found, found) if isinstance(found, str) else found
    if not isinstance(mix, dict) or set(mix) != set(EVENT_TYPES):
        raise ValueError(f"one of {', '.join(MIXES)}, or a share for each of {', '.join(EVENT_TYPES)}")
    try:
        shares = {name: float(mix[name]) for name in EVENT_TYPES}
    except (TypeError, ValueError):
        raise ValueError("each share a number") from None
    total = sum(shares.values())
    if isinstance(found, dict) and abs(total - 1) > 1e-6:
        raise ValueError(f"shares that add up to 1 (these make {total:g})")
    if not shares["page_view"] >= shares["add_to_cart"] >= shares["purchase"] >= 0 or shares["page_view"] <= 0:
        raise ValueError("page_view ≥ add_to_cart ≥ purchase ≥ 0: a session walks from one to the next")
    return {name: share / total for name, share in shares.items()}


class ShopSource(_Part):
    """Sessions of a made-up shop."""

    kind: Literal["shop"] = "shop"
    mix: Annotated[dict[str, float], BeforeValidator(_shares)] = MIXES["report"]
    products: int = Field(default=1_000, ge=1, le=100_000)
    users: int = Field(default=10_000, ge=1, le=10_000_000)
    skew: float = Field(default=1.0, ge=0, le=5, description="exponent of the Zipf law of products; 0 is uniform")


class ReplaySource(_Part):
    """Rows of a file, through a column map."""

    kind: Literal["replay"]
    file: str = Field(min_length=1)
    format: Literal["csv", "jsonl", "parquet"] | None = Field(default=None, description="default: by the file's name")
    timing: Literal["rate", "own"] = "rate"
    speed: float = Field(default=1.0, gt=0, description="own timing: how many times faster than the file")
    loop: bool = False
    columns: ColumnMap


Source = Annotated[ShopSource | ReplaySource, Field(discriminator="kind")]


class Scenario(_Part):
    """A load that can be named, planned and repeated."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")
    title: str
    about: str = ""
    stages: tuple[Stage, ...] = ()
    repeat: int = Field(default=1, ge=1, le=100_000)
    source: Source = ShopSource()
    producers: int = Field(default=1, ge=1, le=64)
    seed: int = Field(default=1, ge=0)
    sla: str | None = None
    warm_up: WarmUp | None = Field(default_factory=lambda: WarmUp.model_validate({}))
    drain_us: Duration = Field(default=60_000_000, alias="drain", description="how long the drain may take")

    @field_validator("warm_up", mode="before")
    @classmethod
    def _none_is_said_by_false(cls, found: object) -> object:
        return None if found is False else found

    @model_validator(mode="after")
    def _stages_fit_the_source(self) -> Scenario:
        own = isinstance(self.source, ReplaySource) and self.source.timing == "own"
        if own and (self.stages or self.repeat != 1):
            raise ValueError('no stages and no repeat with timing = "own": the file says when its events are due')
        if not own and not self.stages:
            raise ValueError('at least one [[stages]] with rate and for, or a replay with timing = "own"')
        endless = [stage for stage in self.stages if stage.for_us is None]
        if endless and (len(self.stages) > 1 or self.repeat != 1 or not isinstance(self.source, ReplaySource)):
            raise ValueError('for = "all" only in the one stage of a replay, not repeated')
        if endless and isinstance(self.source, ReplaySource) and self.source.loop:
            raise ValueError('for = "all" without loop: a file that starts again has no end')
        return self

    @property
    def rates(self) -> tuple[float, ...]:
        """The rates of its stages, each once."""
        return tuple(dict.fromkeys(stage.rate for stage in self.stages))

    @property
    def warm_up_rate(self) -> float | None:
        """Rate of the warm-up: the file's, else the first; where stages alternate, the lowest. None: own timing."""
        if self.warm_up and self.warm_up.rate:
            return self.warm_up.rate
        if not self.stages:
            return None
        return min(self.rates) if self.repeat > 1 else self.stages[0].rate
