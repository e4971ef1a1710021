"""What the words for the whole course do: ready this machine, build, start and stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rich.console import Console

from workshop.core.paths import ROOT
from workshop.core.progress import ProgressDisplay
from workshop.engine import Engine
from workshop.machine import base_images, daemon, disk, doctor, host
from workshop.machine.machine import Machine
from workshop.stack import services, settings, versions
from workshop.stack.images import EXTRA_IMAGES, IMAGES

if TYPE_CHECKING:
    from workshop.core.process import Runner
    from workshop.engine import Info


@dataclass(frozen=True)
class Kit:
    """A checkout, the engine it is built with, and the terminal it speaks on."""

    console: Console
    run: Runner
    engine: Engine
    pins: versions.Versions

    @classmethod
    def here(cls, run: Runner) -> Self:
        """The kit that this file belongs to, which runs other programs with `run`."""
        return cls(Console(), run, Engine(run), versions.read(ROOT / "versions.toml"))

    def doctor(self) -> bool:
        """Say what is good and what is bad here; whether all of it is good."""
        good = True
        for finding in doctor.examine(self.engine, host.look(), self.pins, ROOT):
            mark = "ok " if finding.good else "BAD"
            self._say(f"{mark} {finding.thing}: {finding.found}")
            if not finding.good:
                good = False
                self._say(f"    {finding.fix}")
        return good

    def bases(self, *, ask_registry: bool) -> None:
        """Make every base image present, and list them."""
        with ProgressDisplay(self.console) as display:
            self._provide(display, ask_registry=ask_registry)
        for base in self.pins.base:
            if self.engine.has(base.image):
                kind = "stand-in" if self.engine.standin_for(base.image) else ""
                size = self.engine.size(base.image) / 1e6
                self._say(
                    f"{base.image:<28} {size:5.0f} MB  supported until {base.ends}  {kind}".rstrip()
                )

    def up(self, *, tests: bool, start: bool) -> None:
        """Build every image, those for tests too if asked; start the web services if asked."""
        settings.check(ROOT)
        with ProgressDisplay(self.console) as display:
            disk.check(self._provide(display), disk.AGAIN)
            settings.write_missing(ROOT, display.say)
            images = IMAGES + (EXTRA_IMAGES if tests else ())
            built = services.build(self.engine, ROOT, images, display)
            addresses = services.start(self.engine, ROOT, display) if start else {}
        self.console.print()
        self.console.print(services.table(built, addresses), highlight=False)
        if any(self.engine.standin_for(base.image) for base in self.pins.base):
            self._say(
                "\nBase images are stand-ins from Debian's packages: no image registry answered."
            )

    def down(self, *, everything: bool) -> None:
        """Stop and remove what `up` started, with its data if `everything`."""
        if self.engine.info() is None:
            self._say("No Docker engine answers: nothing of the kit runs")
            return
        services.down(self.engine, ROOT, everything=everything)

    def _provide(self, display: ProgressDisplay, *, ask_registry: bool = True) -> Info:
        """An engine that answers, and every base image in it."""
        machine = Machine(host.look(), self.engine, self.run, display)
        info = daemon.ready(machine)
        base_images.ready(machine, self.pins, info, ask_registry=ask_registry)
        return info

    def _say(self, line: str) -> None:
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)
