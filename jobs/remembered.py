"""Documents that a process remembers as MongoDB holds them, so that it can write them whole without reading them.

True as long as nobody else writes them: each belongs to a partition, and its owner writes it in the transaction that
moves the partition's position.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from pymongo.collection import Collection

from measure.store import Document


class Key(Protocol):
    """Which document; hashable."""

    @property
    def id(self) -> str:
        """The document's `_id`."""

    @property
    def partition(self) -> int:
        """Whose owner writes it."""


K = TypeVar("K", bound=Key)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """The documents of one collection."""

    def __init__(
        self, collection: Collection[Document], read: Callable[[Mapping[str, Any] | None], V], largest: int
    ) -> None:
        """`read` makes what is remembered of a document, or of None where there is none; `largest`: how many `trim`
        leaves."""
        self._collection = collection
        self._read = read
        self._largest = largest
        self._known: OrderedDict[K, V] = OrderedDict()

    def bring(self, keys: Iterable[K]) -> None:
        """Read those that are not remembered."""
        wanted = {key.id: key for key in keys if key not in self._known}
        if not wanted:
            return
        found = {document["_id"]: document for document in self._collection.find({"_id": {"$in": list(wanted)}})}
        for name, key in wanted.items():
            self._known[key] = self._read(found.get(name))

    def __getitem__(self, key: K) -> V:
        """One that was brought."""
        return self._known[key]

    def forget(self, partition: int | None = None) -> None:
        """Forget those of a partition, or all: MongoDB may say something else by now."""
        for key in [key for key in self._known if partition in (None, key.partition)]:
            del self._known[key]

    def trim(self) -> None:
        """Forget those that were brought the longest time ago."""
        while len(self._known) > self._largest:
            self._known.popitem(last=False)
