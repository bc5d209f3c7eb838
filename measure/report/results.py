"""What the run showed: average, peak, errors, rates, lag, stability, recovery, and what it used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from measure.figures import RunDocument, ServiceUsage, Spread, Stability
from measure.report.blocks import Block, ChartPlace, Column, Facts, Paragraph, Section, Table, numbers
from measure.report.opening import load_in_words
from measure.report.percentile import percentile
from measure.report.reference import ScenarioClaim, reference
from measure.report.wording import UNKNOWN, bytes_, cores, count, ms, rate, seconds, share, significant, with_unit


def results(document: RunDocument) -> list[Section]:
    """The sections on what was measured besides latency by stage."""
    return [
        Section("Performance Results", []),
        Section(f"Scenario {document.scenario} ({load_in_words(document)})", [Facts(list(facts(document)))], level=2),
        Section("Rate and Lag", [ChartPlace("rates", "Rate due and stored"), ChartPlace("lag", "Lag")], level=2),
        Section("Recovery", list(_recovery(document)), level=2),
        Section("Resource Usage", list(_resources(document)), level=2),
    ]


def facts(document: RunDocument) -> Iterator[tuple[str, str]]:
    """The scenario's result, one figure a line, with what the reference report says of the same scenario."""
    e2e = document.latency_ms.get("e2e")
    claim = reference().scenario.get(document.scenario) or ScenarioClaim()
    yield "Average latency", percentile(e2e, "mean", True) + _claimed(claim.mean_ms, "ms")
    yield "P95 latency", percentile(e2e, "p95", True) + _claimed(claim.p95_ms, "ms")
    yield "Peak latency", percentile(e2e, "max", True) + _claimed(claim.max_ms, "ms")
    yield "Error rate", share(document.error_rate) + _claimed_share(claim.error_rate)
    yield "Rate", _rates(document)
    yield "Availability", share(document.availability, 3)
    yield "Lag", _lag(document)
    yield "Bulk write", spread(document.commit_ms)
    yield "Batch", spread(document.batch_ms) if document.batch_ms else f"{UNKNOWN} (the profile has no micro-batches)"
    yield "Stability", stability(document.stability)
    yield "Recovery", recovered(document) + _claimed(claim.recovery_s, "s")
    yield "Resource usage", resource_usage(document)
    yield "Generator", _generator(document)
    yield "Clock", _clock(document)
    yield "Warm-up", _warmup(document)


def _claimed(value: float | None, unit: str) -> str:
    return "" if value is None else f" (the reference report, to its dashboard: {significant(value)} {unit})"


def _claimed_share(value: float | None) -> str:
    return "" if value is None else f" (the reference report: {share(value)})"


def _rates(document: RunDocument) -> str:
    held = document.rate
    if held.target is None:
        return UNKNOWN
    return f"{rate(held.target)} due, {rate(held.achieved)} stored, {rate(held.in_time)} within 5 s of being due"


def _lag(document: RunDocument) -> str:
    lag = document.lag
    if lag.events_max is None:
        return f"{UNKNOWN} (never read)"
    oldest = "" if lag.ms_max is None else f", oldest record {ms(lag.ms_max)} ms"
    return f"at most {count(lag.events_max)} events, {count(lag.events_mean)} on average{oldest}"


def spread(held: Spread | None) -> str:
    """A duration's P50, P95 and maximum."""
    if held is None:
        return UNKNOWN
    return f"P50 {ms(held.p50)}, P95 {ms(held.p95)}, max {ms(held.max)} ms (n {count(held.n)})"


def stability(held: Stability) -> str:
    """Whether P95 rose or fell, with the interval of its slope."""
    if held.slope_ms_per_min is None or held.low is None or held.high is None:
        return f"not judged: {held.reason}"
    slope, interval = held.slope_ms_per_min, f"(95 % interval {signed(held.low)} to {signed(held.high)})"
    if held.low <= 0 <= held.high:
        return f"no trend of P95 shown: {signed(slope)} ms a minute {interval}"
    return f"P95 {'rose' if held.low > 0 else 'fell'} by {significant(abs(slope))} ms a minute {interval}"


def signed(value: float) -> str:
    """A number with its sign."""
    return f"+{significant(value)}" if value > 0 else significant(value).replace("-", "−")


def recovered(document: RunDocument) -> str:
    """The recoveries in one line."""
    held = document.recovery_summary
    if not held.cycles:
        return "nothing to recover from"
    if held.worst_s is None:
        return f"{held.recovered} of {held.cycles} recovered, median {seconds(held.median_s)}"
    return f"{held.cycles} of {held.cycles} recovered, median {seconds(held.median_s)}, worst {seconds(held.worst_s)}"


def _generator(document: RunDocument) -> str:
    held = document.generator
    if held.cpu_s is None:
        return UNKNOWN
    late = f"{count(held.late)} events late ({share(held.late_share)}), at worst {ms(held.late_max_ms)} ms"
    return f"{held.producers} process{'es' if held.producers != 1 else ''}, {cores(held.cpu_mean)} cores; {late}"


def _clock(document: RunDocument) -> str:
    held = document.clock
    if held.step_max_ms is None:
        return f"{UNKNOWN} (not read)"
    word = "stepped" if held.stepped else "steady"
    return f"{word}: largest change {ms(held.step_max_ms)} ms, drift {ms(held.drift_ms)} ms"


def _warmup(document: RunDocument) -> str:
    held = document.warmup
    if held is None:
        return "none"
    reason = f" ({held.reason})" if held.reason else ""
    return f"{seconds(held.seconds)}, {'steady' if held.steady else 'no steady state'}{reason}"


def _recovery(document: RunDocument) -> Iterator[Block]:
    if not document.recovery:
        yield Paragraph("There was no burst of 5 s or more and no fault to recover from.")
        return
    summary = document.recovery_summary
    yield Paragraph(
        f"{recovered(document)[0].upper()}{recovered(document)[1:]}. Calm is P95 at most 1.5 times that of the calm "
        f"before it ({with_unit(summary.baseline_p95_ms, 'ms')}, n {count(summary.baseline_n)}) or 20 ms above it, "
        "with at most a second of load behind, for three seconds in a row."
    )
    yield Table(
        columns=(Column("Cause"), *numbers("At", "Recovered after"), Column("Note")),
        rows=[
            [each.cause, f"{each.at_s:,.1f} s", seconds(each.seconds), each.reason or ""] for each in document.recovery
        ],
        name="recovery",
    )
    yield ChartPlace("recovery", "Recovery after each disturbance")


def _resources(document: RunDocument) -> Iterator[Block]:
    if not document.resources:
        yield Paragraph("No resources were sampled.")
        return
    yield Paragraph(f"All services together: {resource_usage(document)}.")
    yield Table(
        columns=(
            Column("Service"),
            *numbers("CPU mean", "CPU max", "Memory max", "Read", "Written", "Net in", "Net out"),
        ),
        rows=_usage_rows(document.resources),
        name="resources",
    )
    yield ChartPlace("cpu", "CPU by service")
    yield ChartPlace("memory", "Memory by service")


def resource_usage(document: RunDocument) -> str:
    """CPU on average and memory at most of all services and the generator, as shares of the machine."""
    if not document.resources:
        return f"{UNKNOWN} (not sampled)"
    cpu = sum(usage.cpu_mean or 0.0 for usage in document.resources.values())
    memory = sum(usage.memory_max_bytes or 0 for usage in document.resources.values())
    if document.environment is None:
        return f"CPU {cores(cpu)} cores on average, memory {bytes_(memory)} at most"
    machine = document.environment
    return (
        f"CPU {cores(cpu)} of {machine.cores} cores on average ({share(cpu / machine.cores, 0)}), memory "
        f"{bytes_(memory)} of {bytes_(machine.memory)} at most ({share(memory / machine.memory, 0)})"
    )


def _usage_rows(resources: Mapping[str, ServiceUsage]) -> list[list[str]]:
    return [
        [
            service,
            cores(usage.cpu_mean),
            cores(usage.cpu_max),
            bytes_(usage.memory_max_bytes),
            *(
                UNKNOWN if flow is None else f"{bytes_(flow)}/s"
                for flow in (
                    usage.read_bytes_s_mean,
                    usage.write_bytes_s_mean,
                    usage.rx_bytes_s_mean,
                    usage.tx_bytes_s_mean,
                )
            ),
        ]
        for service, usage in resources.items()
    ]
