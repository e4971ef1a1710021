"""Install Chromium, where it is missing and this may be done. Run by `make course`."""

from __future__ import annotations

import sys

from workshop.core.errors import UserError
from workshop.core.process import SubprocessRunner
from workshop.machine import apt, host

BROWSERS = ("chromium", "google-chrome")


def main() -> int:
    """Say in one line what is done; 2 where it could not be."""
    machine = host.detect()
    if len(apt.missing(BROWSERS)) < len(BROWSERS):
        return 0
    if machine.obstacle:
        _say("the pages are not looked at. Install Debian's package chromium")
        return 0
    _say("installing it from Debian's packages (WORKSHOP_NO_INSTALL=1 forbids it)")
    try:
        apt.install(["chromium"], machine.codename, SubprocessRunner())
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _say(what: str) -> None:
    sys.stdout.write(f"No Chromium: {what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
