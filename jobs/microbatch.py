"""Profile `microbatch`: the reference design made right. Kafka → micro-batches → one bulk of fenced upserts each.

Rows come to the driver by Arrow and are added up there: a second Spark plan in each batch cost ten times as much.
By default nothing is dropped, however late. With LATENCY_STATEFUL=1 Spark's own state and watermark stand between,
and what they drop is counted `late`. docs/profiles.md has the figure behind each setting.
"""

from __future__ import annotations

import os

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.batchrun import BatchProfile, run
from jobs.session import TUNED
from jobs.stopping import serve
from stack.services.spark import STATEFUL_VARIABLE

WATERMARK = "10 minutes"
_STATEFUL = os.environ.get(STATEFUL_VARIABLE) == "1"
_LOGGED_BESIDE = {
    # Spark logs a batch's offsets and its commit beside it, once a second: positions say what is done, not the log.
    "asyncProgressTrackingEnabled": "true",
    # Spark allows it where batches that come again do no harm. It cannot know that of foreachBatch: fences see to it.
    "_asyncProgressTrackingOverrideSinkSupportCheck": "true",
}


def deduplicated(events: DataFrame) -> DataFrame:
    """Each source record once by Spark's state, and none whose event time the watermark has passed. A dead letter has
    no event time to go by: when it was appended stands for it."""
    occurred = F.when(F.col("reason").isNull(), F.col("moment")).otherwise(F.col("timestamp"))
    timed = events.withColumn("occurred", occurred).withWatermark("occurred", WATERMARK)
    return timed.dropDuplicatesWithinWatermark(["partition", "offset"])


PROFILE = BatchProfile(
    name="microbatch",
    settings=TUNED
    | {
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.adaptive.enabled": "false",
    },
    task_slots=2,
    trigger=None,
    stateful=deduplicated if _STATEFUL else None,
    options={} if _STATEFUL else _LOGGED_BESIDE,
    plan="stateful" if _STATEFUL else "",
)

if __name__ == "__main__":
    serve(lambda: run(PROFILE))
