"""End to end against the floor, in interleaved minutes: the machine's mood is in both."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median

from bench import runs
from bench.floor import floor
from bench.runs import Document
from stack.access import Access


@dataclass(frozen=True)
class Pair:
    """One floor and the run beside it. Milliseconds, but for the counts."""

    floor_p95: float
    p50: float
    p95: float
    p99: float | None
    within_5s: float
    lost: int
    duplicates: int
    unmeasured: int
    verdict: str
    run: str

    @property
    def ratio(self) -> float:
        """e2e P95 over the floor's P95."""
        return self.p95 / self.floor_p95


def pair(access: Access, rate: float, floor_s: float, *arguments: str) -> Pair:
    """Measure the floor, then the run."""
    measured = floor(access, rate, floor_s).percentile_us(95)
    if measured is None:
        raise RuntimeError("the floor has no events")
    document = runs.run(*arguments)
    e2e, audit = document["latency_ms"]["e2e"], document["audit"]
    if e2e["p95"] is None:
        raise RuntimeError(f"{document['run']}: no P95: {e2e.get('reason')}")
    return Pair(
        measured / 1000,
        e2e["p50"],
        e2e["p95"],
        e2e["p99"],
        _within_5s(document),
        audit["lost"],
        audit["duplicates"],
        audit["unmeasured"],
        document["verdict"],
        document["run"],
    )


def _within_5s(document: Document) -> float:
    """Stored within 5 s / due."""
    return float(document["rate"]["in_time"] / document["rate"]["target"])


def table(title: str, pairs: list[Pair], largest_ratio: float) -> str:
    """Each pair and their medians, with the bar beside."""
    titles = f"{'floor P95':>10} {'e2e P50':>9} {'P95':>8} {'P99':>8} {'ratio':>6} {'stored':>8}  lost dup unm  verdict"
    rows = [
        f"{p.floor_p95:10.1f} {p.p50:9.1f} {p.p95:8.1f} {_text(p.p99):>8} {p.ratio:6.2f} {p.within_5s:8.2%}"
        f"  {p.lost:4} {p.duplicates:3} {p.unmeasured:3}  {p.verdict}"
        for p in pairs
    ]
    ratio = median(p.ratio for p in pairs)
    p99 = [p.p99 for p in pairs if p.p99 is not None]
    end = (
        f"median ratio {ratio:.2f} (bar {largest_ratio:g}: {'reached' if ratio <= largest_ratio else 'MISSED'}), "
        f"floor P95 {median(p.floor_p95 for p in pairs):.1f} ms, e2e P95 {median(p.p95 for p in pairs):.1f} ms, "
        f"P99 {median(p99) if p99 else float('nan'):.1f} ms"
    )
    return "\n".join([title, titles, *rows, end])


def raw(pairs: list[Pair]) -> list[dict[str, object]]:
    """For the file of raw results."""
    return [asdict(p) | {"ratio": p.ratio} for p in pairs]


def _text(milliseconds: float | None) -> str:
    return "–" if milliseconds is None else f"{milliseconds:.1f}"
