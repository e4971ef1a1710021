"""The disk, and the images on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.core.errors import UserError
from workshop.machine import base_images, disk
from workshop.machine.doctor.finding import Finding, Repair, State, from_error, ok
from workshop.stack.images import IMAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.engine import Info
    from workshop.machine.doctor.subject import Subject


def check_disk(subject: Subject) -> Iterator[Finding]:
    """Check that the engine has space for what `make up` still has to build."""
    if not (info := subject.info):
        return
    needed = disk.FIRST_TIME if subject.missing_bases else disk.AGAIN
    try:
        disk.check(info, needed)
    except UserError as full:
        yield from_error(full, "disk", f"{needed / disk.GB:.0f} GB free")
    else:
        yield ok("disk", "enough free space", f"{needed / disk.GB:.0f} GB free")


def check_base_images(subject: Subject) -> Iterator[Finding]:
    """Check that the engine has every base image."""
    thing, info = "base images", subject.info
    if not info:
        return
    if missing := subject.missing_bases:
        repair = Repair("Pull or build the missing base images", lambda: _provide(subject, info))
        found = f"missing: {', '.join(missing)}"
        yield Finding(thing, State.PROBLEM, found, "all present", "Run: workshop bases", repair)
        return
    standins = sum(bool(subject.engine.standin_for(b.image)) for b in subject.pins.base)
    kind = f"{standins} of them stand-ins" if standins else "pulled"
    yield ok(thing, f"all present, {kind}", "all present")


def _provide(subject: Subject, info: Info) -> None:
    base_images.ensure_images(subject.machine, subject.pins, info)


def check_course_images(subject: Subject) -> Iterator[Finding]:
    """Report how many images of the course are built."""
    if subject.info:
        built = sum(subject.engine.has(image.name) for image in IMAGES)
        yield ok("images of the course", f"{built} of {len(IMAGES)} built")
