"""What a compose file names on the disk: proven to lie in the learner's folder."""

from __future__ import annotations

import os
import posixpath
import stat
from typing import TYPE_CHECKING

from workshop.analysis.compose.dotenv import EnvFileError, read_env
from workshop.analysis.compose.interpolation import InterpolationError
from workshop.analysis.compose.model import Refusal
from workshop.analysis.compose.reader import OUTSIDE, relative_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from workshop.analysis.compose.model import Compose, Service

MAX_ENV_BYTES = 100_000


class RefusedError(ValueError):
    """What the kit does not run for a learner, or could not; `refusals` is never empty."""

    def __init__(self, *refusals: Refusal) -> None:
        self.refusals = refusals
        super().__init__("; ".join(f"{each.where}: {each.found}: {each.why}" for each in refusals))


def resolve_inside(
    folder: Path, path: str, where: str, line: int, *, missing: bool = False
) -> Path:
    """`path` in `folder`, absolute: a file or a folder that no symbolic link leads to.

    What is not there is `Refused` too, but with `missing`.
    """
    short = relative_path(path)
    if short is None:
        raise RefusedError(Refusal(where, line, path, OUTSIDE))
    # The folder itself is ours, and may stand behind a link; what is in it is not ours.
    found = folder.resolve()
    for part in short.split("/"):
        found = found if part == "." else found / part
        try:
            mode = os.lstat(found).st_mode
        except FileNotFoundError:
            if missing:
                return folder.resolve() / short
            raise RefusedError(Refusal(where, line, path, "it is not there")) from None
        except (OSError, ValueError) as error:
            raise RefusedError(Refusal(where, line, path, f"it cannot be read: {error}")) from None
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            kind = "a symbolic link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
            raise RefusedError(Refusal(where, line, path, f"{found.name} is {kind}"))
    return found


def variables(service: Service, folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a container of `service`: its files' first, its own wins.

    Raises `Refused` where a file is missing that is required, or is not the folder's own.
    """
    found: dict[str, str] = {}
    where = f"services.{service.name}.env_file"
    for file in service.env_files:
        path = resolve_inside(folder, file.path, where, service.line, missing=not file.required)
        if not path.exists() and not file.required:
            continue
        try:
            text = _text(path)
            found |= read_env(text, {**found, **environment})
        except (OSError, UnicodeDecodeError, EnvFileError, InterpolationError) as error:
            raise RefusedError(Refusal(where, service.line, file.path, str(error))) from None
    return {**found, **service.environment}


def on_disk(compose: Compose, folder: Path) -> tuple[Refusal, ...]:
    """What `compose` names that is no file or folder of `folder`'s own."""
    found: list[Refusal] = []
    for service in compose.services.values():
        for check in (_sources, _built_from):
            try:
                check(service, folder)
            except RefusedError as refused:
                found += refused.refusals
        try:
            variables(service, folder, {})
        except RefusedError as refused:
            found += refused.refusals
    return tuple(found)


def resolve_build(service: Service, folder: Path) -> tuple[Path, Path]:
    """The context and the Dockerfile that `service` is built from, both absolute."""
    spec = service.build
    assert spec is not None  # noqa: S101 - the caller has looked
    where = f"services.{service.name}.build"
    context = resolve_inside(folder, spec.context, where, spec.line)
    dockerfile = posixpath.join(spec.context, spec.dockerfile)
    return context, resolve_inside(folder, dockerfile, f"{where}.dockerfile", spec.line)


def _built_from(service: Service, folder: Path) -> None:
    if service.build:
        resolve_build(service, folder)


def _sources(service: Service, folder: Path) -> None:
    for mount in service.mounts:
        if mount.kind == "bind":
            where = f"services.{service.name}.volumes"
            resolve_inside(folder, mount.source, where, mount.line, missing=mount.create)


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_ENV_BYTES + 1)
    if len(data) > MAX_ENV_BYTES:
        raise OSError(f"it has more than {MAX_ENV_BYTES:,} bytes")
    return data.decode("utf-8")
