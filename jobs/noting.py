"""What a sink does once a second beside its work: write its note, and look whether its topic is still the same.

Both are round trips, and events would wait for them in the main loop. A micro-batch job, which looks after its topic
elsewhere, only writes its notes so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from pymongo.errors import PyMongoError

from jobs.beside import Beside
from measure.store import SAMPLES, Document, Store


class Noting(Beside):
    """Runs as long as the process; an error of its own the next `give` raises."""

    def __init__(self, database: Store, is_same_topic: Callable[[], bool] = lambda: True) -> None:
        super().__init__("noting")
        self._samples = database[SAMPLES]
        self._is_same_topic = is_same_topic
        self._notes: SimpleQueue[Document] = SimpleQueue()
        self._anew = threading.Event()

    def give(self, note: Document) -> bool:
        """Hand over the note of the last second; whether the topic is still the one that it was."""
        self.check()
        self._notes.put(note)
        return not self._anew.is_set()

    def work(self) -> None:
        """Take notes until the topic is another one."""
        while not self._anew.is_set():
            self._write(self._notes.get())
            if self._notes.empty() and not self._is_same_topic():
                self._anew.set()

    def _write(self, note: Document) -> None:
        try:
            self._samples.replace_one({"_id": note["_id"]}, note, upsert=True)
        except PyMongoError:
            return  # told by what needs it
