"""What the operator sees: the Textual app and the `latency` command."""
