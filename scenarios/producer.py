"""A producer process: sends its share of the load, each event at its due time, and spools what became of it.

`python -m scenarios.producer` reads orders from stdin and ends with it: a producer never outlives its run process.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import sys
import time
from collections import deque
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
from confluent_kafka import KafkaException, Producer

from measure.errors import LatencyError
from scenarios.agenda import Agenda, OwnAgenda, RateAgenda
from scenarios.client import connect
from scenarios.draft import Draft, EventSource
from scenarios.ledger import UNSENT_US, Ledger
from scenarios.model import ReplaySource, ShopSource
from scenarios.orders import Amend, Broken, Done, Finish, Inbox, Load, Notice, Order, Ready, read_source
from scenarios.replay import Replay
from scenarios.shop import Shop
from stack.access import Access

_CONNECT_S = 30.0
_SPOOL_US = 200_000
_IDLE_S = 0.02
_MARGIN_US = 300
_LEAST_US = 250
"""Between two looks at what is due: a sleep for each event of a burst would cost more than the event."""
_PREPARED_AT_ONCE = 16
_SENT_AT_ONCE = 500
"""A few ms of work. An overloaded producer, too, must hear orders and the broker's answers, and spool."""
_ORPHAN_FLUSH_S = 5.0
_FINISH_FLUSH_S = 1.0


def now_us() -> int:
    """The wall clock in µs of the epoch: due times are points on it."""
    return time.time_ns() // 1_000


def source_of(load: Load) -> EventSource:
    """The events that a load asks for."""
    match read_source(load.source):
        case ShopSource() as shop:
            return Shop(shop, load.seed, load.producer)
        case ReplaySource() as replay:
            return Replay(Path(load.file or replay.file), replay, load.producer, load.producers)


def agenda_of(load: Load) -> Agenda:
    """What of the load this producer sends, and when."""
    drafts = iter(source_of(load))
    if load.first_us is not None:
        return OwnAgenda(load.spans, load.first_us, load.speed, drafts)
    return RateAgenda(load.spans, load.producer, load.producers, drafts)


class _Clockface:
    """Writes µs of the epoch as ISO 8601, remembering the second."""

    def __init__(self) -> None:
        self._second = -1
        self._text = b""

    def __call__(self, us: int) -> bytes:
        second, rest = divmod(us, 1_000_000)
        if second != self._second:
            self._second = second
            self._text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
        return b"%b.%06dZ" % (self._text, rest)


class Delivery:
    """One load under way: its agenda, its ledger, and the stamp of its events."""

    def __init__(self, load: Load, producer: Producer, topic: str) -> None:
        self.run = load.run
        self.agenda = agenda_of(load)
        self.ledger = Ledger(Path(load.spool), time.process_time())
        self._producer = producer
        self._topic = topic
        self._iso = _Clockface()
        self._id = b"%b.%d." % (load.run.encode(), load.producer)
        self._stamp = [("run", load.run.encode()), ("producer", b"%d" % load.producer)]

    def send_due(self) -> bool:
        """Hand over what is due, up to 500 events; give up those that are a second late. Whether to come back at once:
        more is due, and the client takes it."""
        agenda = self.agenda
        for _ in range(_SENT_AT_ONCE):
            if agenda.next_us is None:
                return False
            due_us, seq, at_us = agenda.next_us, agenda.next_seq, now_us()
            late_us = at_us - due_us
            if late_us < 0:
                return False
            if late_us > UNSENT_US:
                agenda.take()
                self.ledger.given_up(seq)
            elif self._hand_over(agenda.peek(), seq, due_us, at_us):
                agenda.take()
                self.ledger.handed_over(seq, late_us)
            else:
                return False
        return True

    def is_over(self) -> bool:
        """Whether nothing is due any more, and no amendment can change that."""
        return self.agenda.next_us is None and now_us() >= self.agenda.end_us

    def close(self) -> None:
        """Spool what is not yet spooled."""
        self.ledger.spool(now_us(), time.process_time())
        self.ledger.close()

    def _hand_over(self, draft: Draft, seq: int, due_us: int, at_us: int) -> bool:
        headers: list[tuple[str, str | bytes | None]] = [
            *self._stamp,
            ("seq", b"%d" % seq),
            ("due", b"%d" % due_us),
            ("sent", b"%d" % at_us),
        ]
        if draft.expect_dead:
            headers.append(("expect", b"dead"))
        try:
            self._producer.produce(
                self._topic,
                draft.value(b"%b%d" % (self._id, seq), self._iso(due_us)),
                draft.key,
                headers=headers,
                on_delivery=partial(self.ledger.reported, seq),
            )
        except BufferError:  # the client's queue is full: the broker is away, and the event gets later
            return False
        except KafkaException as refused:  # such as an event that is larger than the client may send
            self.ledger.reported(seq, refused, None)
        return True


class ProducerProcess:
    """The loop: orders, due events, the broker's answers, the spool."""

    def __init__(self, producer: Producer, topic: str, inbox: Inbox) -> None:
        self._producer, self._topic, self._inbox = producer, topic, inbox
        self._loads: deque[Delivery] = deque()
        """The load under way and those that begin after it."""
        self._closing: list[Delivery] = []
        self._spool_at_us = 0
        self._finished = False

    def work(self) -> None:
        """Until the run process says so or is gone."""
        behind = False
        while not (self._finished or self._inbox.closed):
            for order in self._inbox.wait(0.0 if behind else self._sleep_s()):
                self._obey(order)
            behind = bool(self._loads) and self._loads[0].send_due()
            self._producer.poll(0)
            self._advance()
            self._spool_if_time()
            self._prepare()
        self._end()

    def _sleep_s(self) -> float:
        next_us = self._loads[0].agenda.next_us if self._loads else None
        if next_us is None:
            return _IDLE_S
        return min(_IDLE_S, max(_LEAST_US, next_us - now_us()) / 1e6)

    def _obey(self, order: Order) -> None:
        match order:
            case Load():
                self._loads.append(Delivery(order, self._producer, self._topic))
            case Amend(run=run, at_us=at_us, spans=spans):
                for delivery in self._loads:
                    if delivery.run == run:
                        delivery.agenda.amend(at_us, spans)
            case Finish():
                self._finished = True

    def _advance(self) -> None:
        """From a load that is through to the next one, and out with those whose answers are all in."""
        if self._loads and self._loads[0].is_over():
            self._closing.append(self._loads.popleft())
        for delivery in [closing for closing in self._closing if not closing.ledger.outstanding]:
            self._closing.remove(delivery)
            delivery.close()
            tell(Done(delivery.run))

    def _spool_if_time(self) -> None:
        at_us = now_us()
        if at_us < self._spool_at_us:
            return
        self._spool_at_us = at_us + _SPOOL_US
        cpu_s = time.process_time()
        for delivery in (*self._closing, *self._loads):
            delivery.ledger.spool(at_us, cpu_s)

    def _prepare(self) -> None:
        """Make events ahead while nothing is due, a few at a time."""
        for delivery in self._loads:
            for _ in range(_PREPARED_AT_ONCE):
                next_us = self._loads[0].agenda.next_us
                if next_us is not None and next_us - now_us() < _MARGIN_US:
                    return
                if not delivery.agenda.prepare():
                    break

    def _end(self) -> None:
        self._producer.flush(_ORPHAN_FLUSH_S if self._inbox.closed else _FINISH_FLUSH_S)
        self._producer.purge()
        self._producer.poll(0)
        for delivery in (*self._closing, *self._loads):
            delivery.close()


def tell(notice: Notice) -> None:
    """One line to the run process; nobody listens any more when it has died."""
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), msgspec.json.encode(notice) + b"\n")


def main() -> int:
    """Connect, say that we are ready, work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the run process says when to end
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="producer: %(message)s")
    try:
        access = Access.from_environment()
        producer = connect(access, _CONNECT_S, logging.getLogger("producer"))
        gc.collect()
        gc.freeze()  # a collection of what is there to stay would make events late
        tell(Ready())
        ProducerProcess(producer, access.names.events, Inbox(sys.stdin.fileno())).work()
    except LatencyError as error:
        tell(Broken(str(error)))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
