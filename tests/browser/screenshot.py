"""Draw docs/images/report.png, the report of a made-up class."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from browser.install import BROWSERS
from playwright.sync_api import sync_playwright
from unit.cohort import classes

from workshop.cohort.exports import html_report
from workshop.core.paths import ROOT

IMAGE = ROOT / "docs/images/report.png"
LEARNERS = 20
SIZE = {"width": 1100, "height": 720}


def main() -> int:
    """Write the image; return 2 if there is no browser."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        sys.stderr.write(f"none of {', '.join(BROWSERS)} is on the PATH: install chromium\n")
        return 2
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        (report,) = html_report.write(classes.large(LEARNERS), Path(folder))
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(report.as_uri())
        page.screenshot(path=IMAGE)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
