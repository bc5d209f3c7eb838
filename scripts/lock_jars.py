"""Writes stack/jars.lock: every jar that the broker and Spark's connector need, with its SHA-256."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

from stack.ivy import Coordinate, ivy_jar, trust_options
from stack.jars import KAFKA, SPARK
from stack.java import find_java

ROOTS = {
    KAFKA: Coordinate("org.apache.kafka", "kafka_2.13", "4.3.1"),
    SPARK: Coordinate("org.apache.spark", "spark-sql-kafka-0-10_2.13", "4.2.0"),
}
HEADER = "# The jars of the broker and of Spark's connector: coordinate and SHA-256. `make lock` writes this file.\n"


def resolve(root: Coordinate, scratch: Path) -> dict[Coordinate, Path]:
    """`root` and all that it needs to run, downloaded."""
    pattern = scratch / "[organisation]" / "[artifact]" / "[revision].[ext]"
    subprocess.run(  # noqa: S603 (our own arguments)
        [
            *(find_java(), *trust_options(scratch), "-jar", ivy_jar(), "-cache", scratch / "cache", "-warn"),
            *("-dependency", root.group, root.artifact, root.version, "-confs", "default", "-types", "jar", "bundle"),
            *("-retrieve", pattern),
        ],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return {
        Coordinate(jar.parent.parent.name, jar.parent.name, jar.stem): jar
        for jar in scratch.glob("*/*/*.jar")
        if jar.parent.parent.parent == scratch and jar.parent.parent.name != "cache"
    }


def is_in_pyspark(coordinate: Coordinate) -> bool:
    """Spark brings most of what its connector needs, in the version that it was built with."""
    return any(ivy_jar().parent.glob(f"{coordinate.artifact}-[0-9]*.jar"))


def section(part: str, root: Coordinate) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        found = resolve(root, Path(scratch))
        rows = sorted(
            f"{coordinate} {hashlib.sha256(jar.read_bytes()).hexdigest()}\n"
            for coordinate, jar in found.items()
            if part == KAFKA or not is_in_pyspark(coordinate)
        )
    return f"[{part}]\n{''.join(rows)}"


def main() -> None:
    text = HEADER + "".join(section(part, root) for part, root in ROOTS.items())
    Path(__file__).parent.parent.joinpath("stack", "jars.lock").write_text(text)


if __name__ == "__main__":
    main()
