"""YAML by hand: what the writer makes, a reader of its own shape gives back."""

from __future__ import annotations

from stack.docker.yaml_text import yaml_text

TEXT = """\
services:
  kafka:
    image: "apache/kafka:4.3.1"
    command:
      - "bash"
      - "-c"
    ports: []
    secrets:
      - source: "a"
        target: "/b"
      - source: "c"
        target: "/d: e"
    cpus: 2.0
    more: {}
"""


def test_mappings_lists_and_scalars_stand_in_block_style() -> None:
    secrets: list[object] = [{"source": "a", "target": "/b"}, {"source": "c", "target": "/d: e"}]
    kafka = {"image": "apache/kafka:4.3.1", "command": ["bash", "-c"], "ports": [], "secrets": secrets}
    assert yaml_text({"services": {"kafka": kafka | {"cpus": 2.0, "more": {}}}}) == TEXT  # type: ignore[dict-item]
