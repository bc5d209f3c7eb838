"""Which topics these are: a topic that was made anew under its old name has another id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # its stubs leave it out

from measure.errors import NotReadyError

_TIMEOUT_S = 10
_URL_SAFE = str.maketrans("+/", "-_", "=")
"""As Kafka's own tools write an id; librdkafka's has slashes, which no folder's name can have."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the broker knows it now."""

    name: str
    id: str
    partitions: int


class TopicGoneError(NotReadyError):
    """A topic that the job needs is not there."""


class Topics:
    """Asks the broker about topics, with the connection properties of one role."""

    def __init__(self, connection: dict[str, Any]) -> None:
        self._admin = AdminClient(connection)

    def find(self, name: str) -> Topic:
        """The topic of this name. TopicGoneError where the broker has none, or does not answer in 10 s."""
        try:
            asked = self._admin.describe_topics(TopicCollection([name]), request_timeout=_TIMEOUT_S)
            found = asked[name].result()
        except KafkaException as refused:
            raise TopicGoneError(f"topic {name}: {refused.args[0].str()}. `latency up` makes it.") from None
        return Topic(name, str(found.topic_id).translate(_URL_SAFE), len(found.partitions))

    def is_same(self, topic: Topic) -> bool:
        """Whether the topic was not made anew since; true where nobody can say."""
        try:
            return self.find(topic.name).id == topic.id
        except TopicGoneError:
            return True

    def earliest(self, topic: Topic) -> dict[int, int]:
        """Partition → the first offset that the topic still holds."""
        return self._offsets(topic, OffsetSpec.earliest())  # type: ignore[no-untyped-call]

    def latest(self, topic: Topic) -> dict[int, int]:
        """Partition → the offset that the next record will get."""
        return self._offsets(topic, OffsetSpec.latest())  # type: ignore[no-untyped-call]

    def _offsets(self, topic: Topic, which: OffsetSpec) -> dict[int, int]:
        places = [TopicPartition(topic.name, partition) for partition in range(topic.partitions)]
        asked = self._admin.list_offsets(dict.fromkeys(places, which), request_timeout=_TIMEOUT_S)
        try:
            return {place.partition: answer.result().offset for place, answer in asked.items()}
        except KafkaException as refused:
            raise TopicGoneError(f"topic {topic.name}: no offsets: {refused.args[0].str()}.") from None
