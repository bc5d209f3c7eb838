"""The stack in containers, by an engine's own interface."""
