"""One module for each family of `latency` commands; loaded only when one of them is called."""
