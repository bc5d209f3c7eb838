"""Profile `reference`: what the reference report describes, with Spark's defaults: the baseline of every comparison.

A batch each 200 ms, state with a watermark in 200 shuffle partitions, and one upsert a row. Slow, but right.
"""

from __future__ import annotations

from jobs.batchrun import BatchProfile, run
from jobs.microbatch import deduplicated
from jobs.session import PLAIN
from jobs.stopping import serve

PROFILE = BatchProfile(
    name="reference",
    settings=PLAIN,
    task_slots=2,
    trigger="200 milliseconds",
    one_by_one=True,
    stateful=deduplicated,
)

if __name__ == "__main__":
    serve(lambda: run(PROFILE))
