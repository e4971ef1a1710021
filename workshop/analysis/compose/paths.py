"""Resolve the files that a compose file refers to, and refuse any outside the folder."""

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

    from workshop.analysis.compose.model import Service

MAX_ENV_BYTES = 100_000


class RefusedError(ValueError):
    """A compose file that the grader refuses to run; `refusals` is never empty."""

    def __init__(self, *refusals: Refusal) -> None:
        self.refusals = refusals
        super().__init__("; ".join(f"{item.where}: {item.found}: {item.why}" for item in refusals))


def resolve_inside(
    folder: Path, path: str, where: str, line: int, *, missing: bool = False
) -> Path:
    """Return the absolute path of `path` in `folder`: a file or folder, without symbolic links.

    Raises `RefusedError` otherwise; with `missing`, the path need not exist.
    """
    short = relative_path(path)
    if short is None:
        raise RefusedError(Refusal(where, line, path, OUTSIDE))
    # The folder itself is trusted and may be reached through a link; its content is not.
    found = folder.resolve()
    for part in short.split("/"):
        found = found if part == "." else found / part
        try:
            mode = os.lstat(found).st_mode
        except FileNotFoundError:
            if missing:
                return folder.resolve() / short
            raise RefusedError(Refusal(where, line, path, "no such file or folder")) from None
        except (OSError, ValueError) as error:
            raise RefusedError(Refusal(where, line, path, f"cannot be read: {error}")) from None
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            kind = "a symbolic link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
            raise RefusedError(Refusal(where, line, path, f"{found.name} is {kind}"))
    return found


def read_environment(
    service: Service, folder: Path, environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of a service's container; its own variables override env files.

    Raises `RefusedError` if a required env file is missing, or one is invalid or outside `folder`.
    """
    found: dict[str, str] = {}
    where = f"services.{service.name}.env_file"
    for file in service.env_files:
        path = resolve_inside(folder, file.path, where, service.line, missing=not file.required)
        if not path.exists() and not file.required:
            continue
        try:
            found |= read_env(_read_text(path), {**found, **environment})
        except (OSError, UnicodeDecodeError, EnvFileError, InterpolationError) as error:
            raise RefusedError(Refusal(where, service.line, file.path, str(error))) from None
    return {**found, **service.environment}


def resolve_build(service: Service, folder: Path) -> tuple[Path, Path]:
    """Return the absolute paths of a service's build context and Dockerfile."""
    spec = service.build
    assert spec is not None  # noqa: S101 - the caller checks
    where = f"services.{service.name}.build"
    context = resolve_inside(folder, spec.context, where, spec.line)
    dockerfile = posixpath.join(spec.context, spec.dockerfile)
    return context, resolve_inside(folder, dockerfile, f"{where}.dockerfile", spec.line)


def _read_text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_ENV_BYTES + 1)
    if len(data) > MAX_ENV_BYTES:
        raise OSError(f"the file has more than {MAX_ENV_BYTES:,} bytes")
    return data.decode("utf-8")
