"""Runs once, while the image is built: `python class_archive.py FILE` leaves there the classes that a Spark JVM loads.

A JVM that maps such an archive (JEP 350) is spared finding, reading and verifying thousands of classes at each start: 4
of 11 s for a session, on two cores, and six JVMs begin beside each other. It holds as long as the class path is the
same, so the connector's jars lie among Spark's own.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from pyspark import SparkContext
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.streaming.query import StreamingQuery

_BATCHES = 4
_EXIT_S = 300
_BYTES = "org.apache.kafka.common.serialization.ByteArray"
_CLIENT = {
    "bootstrap.servers": "127.0.0.1:9",  # nobody: to be loaded it need not be reached
    "group.id": "nobody",
    "security.protocol": "SASL_PLAINTEXT",
    "sasl.mechanism": "SCRAM-SHA-512",
    "sasl.jaas.config": 'org.apache.kafka.common.security.scram.ScramLoginModule required username="a" password="b";',
    "key.deserializer": f"{_BYTES}Deserializer",
    "value.deserializer": f"{_BYTES}Deserializer",
    "key.serializer": f"{_BYTES}Serializer",
    "value.serializer": f"{_BYTES}Serializer",
}
_ELSEWHERE = (
    "org.apache.spark.deploy.master.Master",
    "org.apache.spark.deploy.worker.Worker",
    "org.apache.spark.executor.CoarseGrainedExecutorBackend",
    "org.apache.spark.scheduler.cluster.StandaloneSchedulerBackend",
    "org.apache.spark.sql.kafka010.KafkaMicroBatchStream",
    "org.apache.spark.sql.kafka010.KafkaBatchPartitionReader",
)
"""What a session in one process does not come by."""


def main(archive: str) -> None:
    """Do what jobs do, in one JVM that writes down its classes when it exits."""
    os.environ |= {
        "SPARK_LOCAL_IP": "127.0.0.1",  # a build may have no network
        "PYSPARK_SUBMIT_ARGS": f"--driver-java-options -XX:ArchiveClassesAtExit={archive} pyspark-shell",
    }
    builder = SparkSession.builder.master("local[2]").config("spark.ui.port", "0")
    session = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    _load(session)
    query = _windows(session)
    while query.isActive and len(query.recentProgress) < _BATCHES:
        time.sleep(0.2)
    query.stop()
    session.stop()
    _exit()


def _load(session: SparkSession) -> None:
    java: Any = session._jvm  # noqa: SLF001 (the only way to Kafka's classes)
    for name in _ELSEWHERE:
        java.java.lang.Class.forName(name)
    properties = java.java.util.Properties()
    for key, value in _CLIENT.items():
        properties.put(key, value)
    clients = java.org.apache.kafka.clients
    clients.consumer.KafkaConsumer(properties).close()
    clients.producer.KafkaProducer(properties).close()
    clients.admin.AdminClient.create(properties).close()


def _windows(session: SparkSession) -> StreamingQuery:
    """Events parsed, checked, counted by the minute and collected."""
    rate = session.readStream.format("rate").option("rowsPerSecond", "50").load()
    texts = rate.select("timestamp", f.to_json(f.struct("value", f.lit("view").alias("kind"))).alias("text"))
    events = texts.select("timestamp", f.from_json("text", "value long, kind string").alias("event"))
    valid = events.where("event.value is not null and length(event.kind) > 0").withWatermark("timestamp", "10 seconds")
    counted = valid.groupBy(f.window("timestamp", "1 minute"), "event.kind").agg(f.count("*"), f.sum("event.value"))
    return counted.writeStream.outputMode("update").foreachBatch(_collect).start()


def _collect(batch: DataFrame, _: int) -> None:
    batch.collect()


def _exit() -> None:
    """The JVM goes when its input ends; the archive is whole when it is gone."""
    gateway: Any = SparkContext._gateway  # noqa: SLF001 (pyspark has no other way to wait for its JVM)
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(_EXIT_S)


if __name__ == "__main__":
    main(sys.argv[1])
