"""Reads a learner's compose file, and plans what `docker compose up` would start."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workshop.analysis import compose, starter
from workshop.analysis.compose.dotenv import read_env
from workshop.core.paths import ROOT, is_local
from workshop.core.sanitise import plain
from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workshop.analysis.compose import BuildSpec, Compose, Refusal
    from workshop.analysis.source import Source
    from workshop.model import Task

TEMPLATE = ".env.template"

# Names of variables that hold a secret.
SECRET = re.compile(r"(?i)secret|token|passw|api_?key")
_SETTING = re.compile(r"^(?P<name>\w+)=(?P<value>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Plan:
    """The services that `docker compose up` would start, and how their images are built.

    `environment` has the variables that are interpolated in the file; `folder` is the file's.
    """

    compose: Compose
    services: tuple[str, ...]
    builds: Mapping[str, BuildSpec]
    environment: Mapping[str, str]
    folder: Path

    def emit(self, images: Mapping[str, str], limits: Mapping[str, Any]) -> str:
        """Return a safe compose file, in which each service has `limits`.

        Raise `Failed` if a path in the learner's is missing.
        """
        try:
            return compose.emit(
                self.compose,
                self.services,
                images=images,
                folder=self.folder,
                environment=self.environment,
                limits=limits,
            )
        except compose.RefusedError as refused:
            raise _refusal_failed(refused.refusals[0]) from None


def read(source: Source, secret: str = "secret") -> Compose:  # noqa: S107 - a placeholder
    """Read the learner's file, with variables from the template, and `secret` for each secret."""
    text = source.read(source.task.compose)
    return compose.read(text, read_env(_env_file(source.task, secret), {}))


def read_valid(source: Source, secret: str = "secret") -> Compose:  # noqa: S107 - a placeholder
    """As `read`; raise `Failed` if docker compose could not read the file."""
    found = read(source, secret)
    for problem in found.problems:
        if problem.text != compose.OBSOLETE:
            raise Failed(problem.text, "a file that docker compose can read", line=problem.line)
    return found


def check_harmless(found: Compose) -> None:
    """Raise `Failed` if the file uses anything that the kit refuses to run."""
    if found.refusals:
        raise _refusal_failed(found.refusals[0])


def make_plan(source: Source, folder: Path, secret: str) -> Plan:
    """Plan what to start from a copy of the learner's folder.

    Every container user can read and write the copy, as on many learners' machines.
    """
    found = read_valid(source, secret)
    check_harmless(found)
    active = tuple(name for name, service in found.services.items() if not service.profiles)
    if not active:
        raise Failed("every service has a profile", "services that `docker compose up` starts")
    text = _env_file(source.task, secret)
    _write_env_files(found, folder, text)
    _open_permissions(folder)
    return Plan(found, active, dict(_builds(found, active)), read_env(text, {}), folder)


def _env_file(task: Task, secret: str) -> str:
    """Return a learner's `.env`: the starter's template, with `secret` for each secret."""

    def fill_in(setting: re.Match[str]) -> str:
        return f"{setting['name']}={secret}" if SECRET.search(setting["name"]) else setting[0]

    root = ROOT / task.folder
    texts = [
        (root / path).read_text(encoding="utf-8")
        for path in starter.files(task)
        if Path(path).name == TEMPLATE
    ]
    return _SETTING.sub(fill_in, "\n".join(texts))


def _refusal_failed(refusal: Refusal) -> Failed:
    actual = f"{refusal.where}: {refusal.found}: {refusal.why}"
    return Failed(plain(actual), "only files in the folder, no host access", line=refusal.line)


def _builds(found: Compose, active: tuple[str, ...]) -> Iterator[tuple[str, BuildSpec]]:
    """Yield how each service's image is built; a service may use an image that another builds."""
    built = {
        service.image: service.build
        for service in found.services.values()
        if service.build and service.image
    }
    for name in active:
        service = found.services[name]
        if spec := service.build or built.get(service.image):
            yield name, spec


def _write_env_files(found: Compose, folder: Path, text: str) -> None:
    """Write the env files that the learner's file names and that no submission contains."""
    for service in found.services.values():
        for env_file in service.env_files:
            path = folder / env_file.path
            if is_local(path.name) and path.parent.is_dir() and not path.exists():
                path.write_text(text, encoding="utf-8")


def _open_permissions(folder: Path) -> None:
    """Let every user read and write in `folder`, whose parent only the owner can enter."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o777 if path.is_dir() else path.stat().st_mode | 0o666)
