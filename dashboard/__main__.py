"""`python -m dashboard --server.port=8501 …`: the pages' server. Arguments are Streamlit's own options.

What a page needs is imported, and the first page rehearsed, before the server listens, so that the first visitor does
not wait for it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

SERVER = Path(__file__).with_name("server.py")
_NEEDED = ("pyarrow", *(f"dashboard.views.{page}" for page in ("business", "operations", "runs")))


def main() -> None:
    """Serve until SIGTERM."""
    from streamlit.web import cli

    for module in _NEEDED:
        import_module(module)
    from dashboard.rehearsal import rehearse

    rehearse()
    sys.argv = ["streamlit", "run", str(SERVER), *sys.argv[1:]]
    cli.main()


if __name__ == "__main__":
    main()
