"""Profile `realtime`: Spark's Real-Time Mode reads events, validates them, and routes each on within milliseconds.

A "batch" here is only the interval between two checkpoints. Windows and figures are the sink's work.
"""

from __future__ import annotations

import os

from jobs import session
from jobs.ground import Ground
from jobs.routing import routed
from jobs.stopping import StopFlag, serve
from jobs.validation import judged
from jobs.watch import watch
from stack.services.spark import CHECKPOINT_VARIABLE

PROFILE = "realtime"


def main() -> int:
    """Run until stopped; the process's exit code."""
    stop = StopFlag()
    ground = Ground.find(PROFILE)
    # Real-Time Mode holds one task slot for each partition.
    settings = session.TUNED | {"spark.sql.streaming.realTimeMode.minBatchDuration": "5s"}
    spark = session.start(f"latency {PROFILE}", ground.topic.partitions + 1, settings)
    interval = os.environ.get(CHECKPOINT_VARIABLE, "60 seconds")
    writer = (
        routed(judged(ground.records(spark)), ground.access.names, ground.topic.id)
        .writeStream.format("kafka")
        .options(**session.sink_options(ground.access, ground.checkpoint))
        .queryName(PROFILE)
        .outputMode("update")
        .trigger(realTime=interval)  # type: ignore[call-overload]  # the stubs do not know it yet
    )
    anew = ground.anew
    code = watch(writer.start, stop, lambda _: anew(), lambda had_begun: not had_begun and ground.give_up_checkpoint())
    spark.stop()
    return code


if __name__ == "__main__":
    serve(main)
