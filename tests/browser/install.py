"""Install Chromium if it is missing and may be installed. Run by `make test-all`."""

from __future__ import annotations

import sys

from workshop.core.errors import UserError
from workshop.core.process import SubprocessRunner
from workshop.machine import apt, host

BROWSERS = ("chromium", "google-chrome")


def main() -> int:
    """Print in one line what is done; return 2 if the installation failed."""
    machine = host.detect()
    if len(apt.find_missing(BROWSERS)) < len(BROWSERS):
        return 0
    if machine.obstacle:
        _print("the pages are not tested. Install Debian's package chromium")
        return 0
    _print("installing it from Debian packages (WORKSHOP_NO_INSTALL=1 forbids it)")
    try:
        apt.install(["chromium"], machine.codename, SubprocessRunner())
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _print(text: str) -> None:
    sys.stdout.write(f"No Chromium: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
