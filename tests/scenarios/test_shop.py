"""The made-up shop: the mix that the file asks for, sessions that walk, products by Zipf's law, one seed one load."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import islice
from typing import Any

import pytest

from scenarios.draft import Draft
from scenarios.model import MIXES, ShopSource
from scenarios.shop import Shop


def drafts(source: ShopSource, n: int, seed: int = 1, producer: int = 0) -> list[Draft]:
    return list(islice(Shop(source, seed, producer), n))


def events(source: ShopSource, n: int, seed: int = 1) -> list[dict[str, Any]]:
    return [json.loads(draft.value(b"e", b"2026-01-01T00:00:00.000000Z")) for draft in drafts(source, n, seed)]


def test_an_event_has_what_the_contract_names() -> None:
    event = events(ShopSource(), 1)[0]
    assert set(event) == {
        "event_id", "event_type", "user_id", "session_id", "product_id",
        "category", "price", "quantity", "currency", "event_time",
    }  # fmt: skip
    assert event["price"] > 0
    assert event["quantity"] >= 1


@pytest.mark.parametrize("mix", ["report", "otto"])
def test_the_mix_comes_out_as_asked(mix: str) -> None:
    found = Counter(event["event_type"] for event in events(ShopSource(mix=mix), 30_000))  # type: ignore[arg-type]
    whole = sum(MIXES[mix].values())
    for name, share in MIXES[mix].items():
        assert found[name] / 30_000 == pytest.approx(share / whole, abs=0.01)


def test_sessions_walk_from_view_to_cart_to_purchase() -> None:
    seen: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    openings: Counter[str] = Counter()
    broken = []
    # Sessions that were open before the first event have views that nobody saw: only later ones are followed.
    found = events(ShopSource(), 40_000)
    early = {event["session_id"] for event in found[:8_000]}
    for event in found[8_000:]:
        session, product, kind = event["session_id"], event["product_id"], event["event_type"]
        if session in early:
            continue
        openings[session] += 1
        held = seen[session]
        if kind == "add_to_cart" and held["page_view", product] <= held["add_to_cart", product]:
            broken.append(event)
        if kind == "purchase" and held["add_to_cart", product] <= held["purchase", product]:
            broken.append(event)
        held[kind, product] += 1
    assert len(openings) > 1_000
    assert not broken


def test_products_follow_zipf() -> None:
    views = Counter(e["product_id"] for e in events(ShopSource(products=100), 40_000) if e["event_type"] == "page_view")
    ranked = [n for _, n in views.most_common()]
    assert ranked[0] / ranked[9] == pytest.approx(10, rel=0.3)
    even = events(ShopSource(products=100, skew=0), 40_000)
    counted = Counter(e["product_id"] for e in even if e["event_type"] == "page_view").most_common()
    assert counted[0][1] / counted[-1][1] < 2


def test_one_seed_gives_one_load_and_another_gives_another() -> None:
    assert drafts(ShopSource(), 500) == drafts(ShopSource(), 500)
    assert drafts(ShopSource(), 500) != drafts(ShopSource(), 500, seed=2)
    assert drafts(ShopSource(), 500) != drafts(ShopSource(), 500, producer=1)


def test_all_producers_of_a_run_sell_from_one_catalogue() -> None:
    def prices(producer: int) -> dict[str, float]:
        found = [json.loads(d.value(b"e", b"t")) for d in drafts(ShopSource(products=20), 2_000, producer=producer)]
        return {event["product_id"]: event["price"] for event in found}

    one, other = prices(0), prices(1)
    shared = one.keys() & other.keys()
    assert len(shared) == 20
    assert all(one[name] == other[name] for name in shared)
