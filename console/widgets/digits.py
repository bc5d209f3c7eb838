"""Numbers three rows high."""

from __future__ import annotations

_GLYPHS = {
    "0": ("┏━┓", "┃ ┃", "┗━┛"),
    "1": (" ╻ ", " ┃ ", " ╹ "),
    "2": ("╺━┓", "┏━┛", "┗━╸"),
    "3": ("╺━┓", " ━┫", "╺━┛"),
    "4": ("╻ ╻", "┗━┫", "  ╹"),
    "5": ("┏━╸", "┗━┓", "╺━┛"),
    "6": ("┏━╸", "┣━┓", "┗━┛"),
    "7": ("╺━┓", "  ┃", "  ╹"),
    "8": ("┏━┓", "┣━┫", "┗━┛"),
    "9": ("┏━┓", "┗━┫", "╺━┛"),
    ".": (" ", " ", "."),
    ",": (" ", " ", ","),
    "–": ("   ", "╺━╸", "   "),
}


def tall(number: str) -> tuple[str, str, str]:
    """`number` as three lines of equal width; a sign without a shape is left out."""
    shapes = [_GLYPHS[sign] for sign in number if sign in _GLYPHS]
    first, second, third = ("".join(shape[row] for shape in shapes) for row in range(3))
    return first, second, third
