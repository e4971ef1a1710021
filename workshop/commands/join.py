"""The command `join`: use a classroom instead of the internet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from workshop.classroom.membership import Membership
from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.core.progress import ProgressDisplay, print_plain
from workshop.engine import Engine
from workshop.stack import versions

if TYPE_CHECKING:
    from workshop.core.process import Runner


def join(url: str, fingerprint: str, run: Runner) -> None:
    """Join the classroom at `url`, whose certificate must have the fingerprint."""
    for name, value in (("URL", url), ("--fingerprint", fingerprint)):
        if not value:
            raise UserError(f"workshop join {name}", "it is missing", "See the classroom's page")
    pins = versions.read(ROOT / "versions.toml")
    console = Console()
    with ProgressDisplay(console) as display:
        Membership(Engine(run), display, ROOT).join(url, fingerprint, pins.standin.mirror_plugin)
    print_plain(console, f"Joined {url}: images and packages come from there. Next: make up")


def leave(run: Runner) -> None:
    """Leave the classroom that this checkout has joined."""
    console = Console()
    with ProgressDisplay(console) as display:
        url = Membership(Engine(run), display, ROOT).leave()
    print_plain(console, f"Left {url}: packages come from the internet again, after: make bases")
