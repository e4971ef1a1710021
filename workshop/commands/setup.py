"""The commands `bases`, `up` and `down`, which set up the course."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rich.console import Console

from workshop.core.paths import ROOT
from workshop.core.progress import ProgressDisplay, print_plain
from workshop.engine import Engine
from workshop.machine import base_images, daemon, disk, host
from workshop.machine.machine import Machine
from workshop.stack import services, settings, versions
from workshop.stack.images import EXTRA_IMAGES, IMAGES

if TYPE_CHECKING:
    from workshop.core.process import Runner
    from workshop.engine import Info


@dataclass(frozen=True)
class Setup:
    """The engine, the pinned versions and the console that the commands use."""

    console: Console
    run: Runner
    engine: Engine
    pins: versions.Versions

    @classmethod
    def create(cls, run: Runner) -> Self:
        """Return the setup of this checkout, with `run` to run programs."""
        return cls(Console(), run, Engine(run), versions.read(ROOT / "versions.toml"))

    def bases(self, *, ask_registry: bool, again: bool = False) -> None:
        """Provide every base image, or pull the newest ones `again`, and list them."""
        with ProgressDisplay(self.console) as display:
            if again:
                machine = self._machine(display)
                disk.check(daemon.ensure_engine(machine), disk.FIRST_TIME)
                base_images.pull_again(machine, self.pins)
            else:
                self.provide(display, ask_registry=ask_registry)
        for base in self.pins.base:
            if self.engine.has(base.image):
                kind = "  stand-in" if self.engine.standin_for(base.image) else ""
                size = f"{self.engine.size(base.image) / 1e6:5.0f} MB"
                self._print(f"{base.image:<28} {size}  supported until {base.ends}{kind}")

    def up(self, *, tests: bool, start: bool) -> None:
        """Build the images, with those for `tests`, and `start` the web services."""
        settings.check(ROOT)
        with ProgressDisplay(self.console) as display:
            disk.check(self.provide(display), disk.AGAIN)
            settings.adopt(ROOT, display.print)
            settings.write_missing(ROOT, display.print)
            images = IMAGES + (EXTRA_IMAGES if tests else ())
            built = services.build(self.engine, ROOT, images, display)
            addresses = services.start(self.engine, ROOT, display) if start else {}
        self.console.print()
        self.console.print(services.make_table(built, addresses), highlight=False)
        if any(self.engine.standin_for(base.image) for base in self.pins.base):
            self._print(
                "\nBase images are stand-ins from Debian packages: no image registry answered."
            )

    def down(self, *, everything: bool) -> None:
        """Stop and remove what `up` started, with its data if `everything`."""
        if self.engine.info() is None:
            self._print("No Docker engine answers, so no service is running")
            return
        # The services of the other checkout keep running.
        settings.adopt(ROOT, self._print)
        services.down(self.engine, ROOT, everything=everything)

    def provide(self, display: ProgressDisplay, *, ask_registry: bool = True) -> Info:
        """Provide a running engine with every base image."""
        machine = self._machine(display)
        info = daemon.ensure_engine(machine)
        base_images.ensure_images(machine, self.pins, info, ask_registry=ask_registry)
        return info

    def _machine(self, display: ProgressDisplay) -> Machine:
        return Machine(host.detect(), self.engine, self.run, display)

    def _print(self, line: str) -> None:
        print_plain(self.console, line)
