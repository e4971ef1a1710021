"""The manifest of a pack: its images, and every file with its size and digest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "manifest.json"
# A relative POSIX path without `.`, `..` and empty parts.
_PATH = re.compile(r"(?!\.{1,2}(/|$))[^/\0]+(/(?!\.{1,2}(/|$))[^/\0]+)*")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class File(_Record):
    """One file of a pack: its path, its size in bytes, and its SHA-256 digest in hex."""

    path: str
    size: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        if not _PATH.fullmatch(path) or path == NAME:
            raise ValueError(f"not a path inside a pack: {path}")
        return path


class Image(_Record):
    """A base image for one architecture, and the digests of its manifest and its blobs.

    `codename` names its Debian or Ubuntu release, such as `bookworm`.
    """

    name: str
    architecture: str
    codename: str
    manifest: str
    blobs: tuple[str, ...]


class Manifest(_Record):
    """The content of `manifest.json`, the first file of a pack."""

    format: Literal["workshop/pack/v1"] = "workshop/pack/v1"
    commit: str
    architectures: tuple[str, ...]
    images: tuple[Image, ...]
    files: tuple[File, ...]

    @property
    def size(self) -> int:
        """The size of all files in bytes, without the manifest."""
        return sum(file.size for file in self.files)

    def to_json(self) -> bytes:
        """Return the one way to write this manifest."""
        return self.model_dump_json(indent=1).encode() + b"\n"

    def below(self, folder: str) -> Iterator[File]:
        """Yield the files in a folder of the pack."""
        return (file for file in self.files if file.path.startswith(f"{folder}/"))


def parse(data: bytes, thing: str) -> Manifest:
    """Read a manifest; raise a `UserError` about `thing` if it is invalid."""
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        found = f"its manifest is invalid: {where}: {first['msg']}"
        raise UserError(thing, found, "Copy the pack again, or make it again") from None
