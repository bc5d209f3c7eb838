"""How a job's process lives: it runs its query until it is told to stop, to start anew, or the query dies."""

from __future__ import annotations

from collections.abc import Callable

from py4j.protocol import Py4JJavaError
from pymongo.errors import PyMongoError
from pyspark.errors import PySparkException
from pyspark.sql.streaming.query import StreamingQuery

from jobs import control
from jobs.control import RESTART_ME, Generation
from jobs.stopping import StopFlag, narrate
from jobs.topics import Topic, TopicGoneError, Topics
from measure.store import Store

_POLL_S = 1
_CRASHED = 1


def watch(
    start: Callable[[], StreamingQuery],
    stop: StopFlag,
    why_anew: Callable[[StreamingQuery], str | None],
    died: Callable[[bool], bool],
) -> int:
    """Start the query and wait for its end; the exit code. `why_anew` is asked each second whether the job must start
    anew; `died` is told whether the query had done anything before it died, and says whether to start anew at once."""
    query = None
    try:
        query = start()
        return _until_told(query, stop, why_anew)
    except (PySparkException, Py4JJavaError) as broken:  # not each Java exception has a twin in pyspark
        narrate(f"Caused by: {last_cause(str(broken))}")
        if not died(query is not None and query.lastProgress is not None):
            return _CRASHED
        narrate("starting anew, behind what is measured")
        return RESTART_ME


def _until_told(query: StreamingQuery, stop: StopFlag, why_anew: Callable[[StreamingQuery], str | None]) -> int:
    while not stop():
        if query.awaitTermination(_POLL_S):
            return _CRASHED
        if reason := why_anew(query):
            narrate(f"starting anew: {reason}")
            query.stop()
            return RESTART_ME
    query.stop()
    return 0


def last_cause(trace: str) -> str:
    """The innermost cause in a Java stack trace, or its first line."""
    causes = [line.split("Caused by:", 1)[1].strip() for line in trace.splitlines() if "Caused by:" in line]
    return causes[-1] if causes else trace.strip().splitlines()[0]


class Anew:
    """Whether the job's ground has changed since its start."""

    def __init__(self, database: Store, topics: Topics, topic: Topic, generation: Generation) -> None:
        self._database = database
        self._topics = topics
        self._topic = topic
        self._generation = generation

    def __call__(self) -> str | None:
        """Why to start anew. A database or broker that does not answer is no reason."""
        try:
            asked = control.current(self._database)
            found = self._topics.find(self._topic.name)
        except (PyMongoError, TopicGoneError):
            return None
        if asked is not None and asked != self._generation:
            return f"generation {asked.number} ({asked.profile}) is asked for, this is {self._generation.number}"
        if found.id != self._topic.id:
            return f"topic {found.name} was made anew: its id is {found.id}, was {self._topic.id}"
        return None
