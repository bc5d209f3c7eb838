"""What the services and the generator used, from one sample a second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from measure.figures import Generator, Lag, ServiceUsage
from measure.percentiles import milliseconds
from measure.records import RunSample, SpoolLine, Usage


def resources(samples: Iterable[RunSample]) -> dict[str, ServiceUsage]:
    """Service → mean and maximum over the samples."""
    by_service: dict[str, list[Usage]] = {}
    for sample in samples:
        for service, usage in sample.services.items():
            by_service.setdefault(service, []).append(usage)
    return {service: _summary(usages) for service, usages in sorted(by_service.items())}


def _summary(usages: Sequence[Usage]) -> ServiceUsage:
    cpu = [usage.cpu for usage in usages if usage.cpu is not None]
    memory = [usage.rss_bytes for usage in usages if usage.rss_bytes is not None]
    return ServiceUsage(
        cpu_mean=_mean(cpu, 4),
        cpu_max=max(cpu, default=None),
        memory_max_bytes=max(memory, default=None),
        memory_mean_bytes=_mean(memory),
        read_bytes_s_mean=_mean(usage.read_bytes_s for usage in usages),
        write_bytes_s_mean=_mean(usage.write_bytes_s for usage in usages),
        rx_bytes_s_mean=_mean(usage.rx_bytes_s for usage in usages),
        tx_bytes_s_mean=_mean(usage.tx_bytes_s for usage in usages),
        samples=len(usages),
    )


def _mean(values: Iterable[float | None], digits: int = 0) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), digits) if known else None


def lag(samples: Iterable[RunSample]) -> Lag:
    """The lag over the samples; null where it was never read."""
    read = [sample.lag for sample in samples if sample.lag is not None]
    if not read:
        return Lag()
    return Lag(
        events_max=max(each.events for each in read),
        events_mean=round(sum(each.events for each in read) / len(read), 1),
        ms_max=max((each.ms for each in read if each.ms is not None), default=None),
        samples=len(read),
    )


def generator(spools: Mapping[int, Sequence[SpoolLine]], sent: int, duration_s: float) -> Generator:
    """Cost and punctuality of all producers, from what each last spooled."""
    last = [lines[-1] for lines in spools.values() if lines]
    late = sum(line.late for line in last)
    cpu_s = sum(line.cpu_s for line in last)
    return Generator(
        producers=len(spools),
        late=late,
        late_share=round(late / sent, 6) if sent else None,
        late_max_ms=milliseconds(max(line.late_max_us for line in last)) if last else None,
        cpu_s=round(cpu_s, 3) if last else None,
        cpu_mean=round(cpu_s / duration_s, 4) if last and duration_s else None,
    )
