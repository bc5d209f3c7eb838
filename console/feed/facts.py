"""What a run's folder says of it: what it was planned to be, and how it ended."""

from __future__ import annotations

from console.feed.record import Facts, Standing
from measure.folder import RunFolder
from measure.load import schedule_of
from measure.schedule import Schedule


def facts_of(folder: RunFolder, warming: bool | None = None) -> Facts:
    """What the run was planned to be; while it warms up, the warm-up."""
    plan = folder.plan()
    warm = plan.t0_us is None if warming is None else warming
    schedule = schedule_of(folder, warmup=warm)
    return Facts(
        run=folder.warmup_run if warm else folder.run,
        scenario=plan.scenario,
        profile=plan.profile,
        schedule=schedule if schedule.spans else Schedule((), plan.producers),
        tier=plan.sla,
        warm_up=warm,
    )


def ended_standing(folder: RunFolder) -> Standing:
    """How a run ended whose process is gone."""
    document = folder.document()
    verdict = document.verdict.value if document and document.verdict else None
    return Standing(folder.status().value, "done", verdict)
