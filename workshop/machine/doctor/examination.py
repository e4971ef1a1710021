"""Examines a machine with every check."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from workshop.core.errors import UserError
from workshop.machine.doctor import (
    certificates,
    internet,
    line_endings,
    platforms,
    ports,
    programs,
    proxy,
    storage,
)
from workshop.machine.doctor.finding import from_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from workshop.machine.doctor.finding import Finding
    from workshop.machine.doctor.subject import Subject

    Check: TypeAlias = Callable[[Subject], Iterator[Finding]]

# The facts about a `Subject` that take long to look up.
_ANSWERS = ("index", "registry_answer")

LOCAL = (
    programs.check_python,
    programs.check_command,
    programs.check_engine,
    programs.check_plugins,
    platforms.check_architecture,
    platforms.check_limits,
    platforms.check_wsl,
    storage.check_disk,
    storage.check_base_images,
    storage.check_course_images,
    ports.check_settings,
    ports.check_service_ports,
    ports.check_lesson_ports,
    line_endings.check_line_endings,
    proxy.check_proxy,
    certificates.check_files,
)
# These use what servers answer.
NETWORK = (
    internet.check_names,
    certificates.check_trust,
    internet.check_index,
    internet.check_registry,
    internet.check_clock,
)


def examine(subject: Subject) -> Iterator[Finding]:
    """Check everything that the course needs, without changing anything."""
    with ThreadPoolExecutor(2) as threads:
        # Servers take longest to answer: ask them while the other checks run.
        answers = [threads.submit(getattr, subject, name) for name in _ANSWERS if subject.online]
        yield from _run(LOCAL, subject)
        wait(answers)
        yield from _run(NETWORK, subject)


def _run(checks: Iterable[Check], subject: Subject) -> Iterator[Finding]:
    for check in checks:
        try:
            yield from check(subject)
        except UserError as error:
            yield from_error(error)
