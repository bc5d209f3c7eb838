"""Pictures of the console as it stands now on the stack that is up, for the documents.

    latency run peak --detach && python -m bench.pictures docs/images

Wants Chromium, which draws the SVG that Textual exports.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from console.app import console_on
from stack.settings import Settings

SIZE = (120, 40)
SCREENS = {"live": "1", "latency": "2", "scenarios": "4", "runs": "5"}
LOOK_S = 4.0
"""What is read in a thread has come by then."""


async def take(folder: Path) -> None:
    """Every screen, one after the other."""
    app = console_on(Settings.load(), read_only=False)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(LOOK_S)
        for name, key in SCREENS.items():
            await pilot.press(key)
            await pilot.pause(LOOK_S)
            draw(app.export_screenshot(title=f"latency · {name}"), folder / f"console-{name}.png")


def draw(svg: str, to: Path) -> None:
    """The SVG as a PNG of its own size."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("no Chromium is there: install it, or convert the SVG by other means")
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if size is None:
        raise SystemExit("the SVG states no size")
    width, height = (int(float(each)) for each in size.groups())
    with tempfile.NamedTemporaryFile("w", suffix=".svg") as file:
        file.write(svg)
        file.flush()
        arguments = ("--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},{height}")
        subprocess.run(
            [chromium, *arguments, f"--screenshot={to}", f"file://{file.name}"], check=True, capture_output=True
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    asyncio.run(take(options.parse_args().folder))


if __name__ == "__main__":
    main()
