"""A made-up shop: visitors whose sessions walk from view to cart to purchase, so that the mix comes out as asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from random import Random

import numpy as np

from scenarios.draft import Draft
from scenarios.model import ShopSource

_CATEGORIES: dict[str, tuple[float, float]] = {
    "books": (12.0, 0.4),
    "toys": (18.0, 0.5),
    "garden": (35.0, 0.7),
    "kitchen": (28.0, 0.6),
    "beauty": (16.0, 0.5),
    "fashion": (45.0, 0.6),
    "sports": (55.0, 0.7),
    "electronics": (180.0, 0.9),
    "furniture": (240.0, 0.8),
    "grocery": (6.0, 0.5),
}
"""Category → median price in pounds and the sigma of its log-normal spread."""

_SESSIONS = 400
_DRAWN = 4_096
_VIEWS = 6
"""Mean views of a session."""
_SETTLING = 20 * _SESSIONS
"""Events that nobody sees: the shop is already full of visitors, some with a cart, when it opens."""


@dataclass(slots=True)
class _Session:
    head: bytes
    key: bytes
    views: int
    basket: list[bytes] = field(default_factory=list)
    """Products in the cart that will be bought, once the views are over."""
    next_cart: bytes | None = None


@dataclass(slots=True)
class _Share:
    """Says yes for a share of the times it is asked: at random, yet never more than one away from the exact share."""

    share: float
    asked: int = 0
    granted: int = 0

    def grant(self, chance: float) -> bool:
        self.asked += 1
        if self.granted + chance < self.asked * self.share:
            self.granted += 1
            return True
        return False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Products by popularity, each as the JSON members that name it, with its category and price."""

    products: tuple[bytes, ...]
    cumulative: np.ndarray[tuple[int], np.dtype[np.float64]]
    """Share of the demand that the products up to this one have."""

    @classmethod
    def of(cls, source: ShopSource, seed: int) -> Catalogue:
        """The catalogue of a shop with this seed: the same one for each producer of a run."""
        random = Random(f"catalogue {seed}")  # noqa: S311 - nobody's secret
        names = list(_CATEGORIES)
        products = []
        for number in range(source.products):
            category = random.choice(names)
            median, sigma = _CATEGORIES[category]
            price = max(0.5, median * random.lognormvariate(0, sigma))
            products.append(
                b'"product_id":"p%05d","category":"%b","price":%.2f,"currency":"GBP"'
                % (number, category.encode(), price)
            )
        weights = 1.0 / np.arange(1, source.products + 1) ** source.skew
        return cls(tuple(products), np.cumsum(weights) / weights.sum())


@dataclass(frozen=True, slots=True)
class Shop:
    """The visitors whom one producer plays. Endless; the same events for the same source, seed and producer."""

    source: ShopSource
    seed: int
    producer: int = 0

    def __iter__(self) -> Iterator[Draft]:
        return _Floor(self.source, self.seed, self.producer).events()


class _Floor:
    """The shop floor: the sessions in progress, and who does what next."""

    def __init__(self, source: ShopSource, seed: int, producer: int) -> None:
        self._catalogue = Catalogue.of(source, seed)
        self._drawn = np.random.default_rng([seed, producer])
        self._random = Random(f"visitors {seed} {producer}")  # noqa: S311
        self._users = source.users
        self._producer = producer
        views, carts, purchases = (source.mix[name] for name in ("page_view", "add_to_cart", "purchase"))
        self._to_cart = _Share(carts / views)
        self._to_purchase = _Share(purchases / carts if carts else 0.0)
        self._opened = 0
        self._products: Iterator[bytes] = iter(())

    def events(self) -> Iterator[Draft]:
        return islice(self._walk(), _SETTLING, None)

    def _walk(self) -> Iterator[Draft]:
        random = self._random.random
        sessions = [self._open() for _ in range(_SESSIONS)]
        while True:
            at = int(random() * _SESSIONS)
            session = sessions[at]
            yield self._step(session)
            if not (session.views or session.next_cart or session.basket):
                sessions[at] = self._open()

    def _step(self, session: _Session) -> Draft:
        random = self._random.random
        if session.next_cart:
            product, session.next_cart = session.next_cart, None
            quantity = 1 + int(random() * random() * 4)
            line = b'%b,"quantity":%d' % (product, quantity)
            if self._to_purchase.grant(random()):
                session.basket.append(line)
            return Draft(session.key, b'"event_type":"add_to_cart",%b,%b' % (session.head, line))
        if session.views:
            session.views -= 1
            product = self._product()
            if self._to_cart.grant(random()):
                session.next_cart = product
            return Draft(session.key, b'"event_type":"page_view",%b,%b,"quantity":1' % (session.head, product))
        return Draft(session.key, b'"event_type":"purchase",%b,%b' % (session.head, session.basket.pop()))

    def _open(self) -> _Session:
        random = self._random.random
        user = b"u%06d" % int(random() * self._users)
        head = b'"user_id":"%b","session_id":"s%d-%d"' % (user, self._producer, self._opened)
        self._opened += 1
        return _Session(head, user, 1 + int(random() * (2 * _VIEWS - 1)))

    def _product(self) -> bytes:
        product = next(self._products, None)
        if product is None:
            ranks = np.searchsorted(self._catalogue.cumulative, self._drawn.random(_DRAWN), side="right")
            last = len(self._catalogue.products) - 1
            self._products = iter([self._catalogue.products[min(rank, last)] for rank in ranks.tolist()])
            product = next(self._products)
        return product
