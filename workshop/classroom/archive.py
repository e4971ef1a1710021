"""The archive of a pack: a tar file with its manifest first, and a seal over all bytes at its end.

The same files give the same bytes: they are in the manifest's order, without owners and times.
The seal is the SHA-256 digest of everything before it, in hex. tar ignores it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
import tarfile
from typing import IO, TYPE_CHECKING, cast

from workshop.classroom import manifest as manifests
from workshop.core.errors import UserError
from workshop.core.sizes import format_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from workshop.classroom.manifest import Manifest

SEAL = 64
_CHUNK = 1 << 20
_MAX_MANIFEST = 64 << 20
_AGAIN = "Copy the pack again, or make it again with: workshop pack"


def write(
    manifest: Manifest,
    sources: Mapping[str, Path],
    out: Path,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> str:
    """Write a pack to `out`, and return its seal; `sources` maps digests to files.

    `on_bytes` gets the number of bytes of each file. An interrupted pack leaves no file.
    """
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("wb") as target:
            seal = _write_sealed(manifest, sources, target, on_bytes)
        part.replace(out)
    except OSError as error:
        fix = f"Free {format_bytes(manifest.size)}, or choose another folder with --out"
        raise UserError(f"pack {out}", error.strerror or "it cannot be written", fix) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return seal


def _write_sealed(
    manifest: Manifest,
    sources: Mapping[str, Path],
    target: IO[bytes],
    on_bytes: Callable[[int], None],
) -> str:
    hashing = _HashingWriter(target)
    with tarfile.open(
        fileobj=cast("IO[bytes]", hashing), mode="w|", format=tarfile.GNU_FORMAT
    ) as tar:
        head = manifest.to_json()
        tar.addfile(_header(manifests.NAME, len(head)), io.BytesIO(head))
        for file in manifest.files:
            with sources[file.sha256].open("rb") as source:
                tar.addfile(_header(file.path, file.size), source)
            on_bytes(file.size)
    seal = hashing.digest.hexdigest()
    target.write(seal.encode())
    return seal


def _header(path: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(path)
    header.size, header.mode = size, 0o644
    return header


def read_manifest(pack: Path) -> Manifest:
    """Return the manifest of a pack without checking the rest."""
    with _open(pack) as file, _explain(pack), tarfile.open(fileobj=file, mode="r|") as tar:
        return _first(tar, pack)


def check(pack: Path, on_bytes: Callable[[int], None] = lambda _: None) -> Manifest:
    """Verify every byte of a pack; a damaged one is a `UserError` that names the first bad file."""
    return _walk(pack, None, on_bytes)


def unpack(pack: Path, folder: Path, on_bytes: Callable[[int], None] = lambda _: None) -> Manifest:
    """Verify a pack and write its files below `folder`; a damaged pack leaves no folder."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        manifest = _walk(pack, part, on_bytes)
        (part / manifests.NAME).write_bytes(manifest.to_json())
        part.rename(folder)
    except OSError as error:
        needed = format_bytes(pack.stat().st_size)
        fix = f"Free {needed}, or choose another folder with --folder"
        raise UserError(f"folder {folder}", error.strerror or "not writable", fix) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return manifest


def _walk(pack: Path, folder: Path | None, on_bytes: Callable[[int], None]) -> Manifest:
    with _open(pack) as file:
        sealed = _SealedReader(file, pack.stat().st_size - SEAL)
        with _explain(pack), tarfile.open(fileobj=cast("IO[bytes]", sealed), mode="r|") as tar:
            manifest = _first(tar, pack)
            for expected in manifest.files:
                member = tar.next()
                if not member or (member.name, member.size) != (expected.path, expected.size):
                    raise _damaged(pack, f"{expected.path} is missing or has another size")
                target = folder / expected.path if folder else None
                if _copy(tar.extractfile(member), target) != expected.sha256:
                    raise _damaged(pack, f"{expected.path} has changed")
                on_bytes(expected.size)
            if extra := tar.next():
                raise _damaged(pack, f"{extra.name} is not in its manifest")
        sealed.drain()
        if file.read() != sealed.digest.hexdigest().encode():
            raise _damaged(pack, "its seal does not match its content")
    return manifest


def _first(tar: tarfile.TarFile, pack: Path) -> Manifest:
    member = tar.next()
    content = tar.extractfile(member) if member and member.name == manifests.NAME else None
    if not member or not content or member.size > _MAX_MANIFEST:
        found = f"it does not start with {manifests.NAME}, so it is no pack"
        raise UserError(f"pack {pack}", found, "Name a file that workshop pack has made")
    return manifests.parse(content.read(), f"pack {pack}")


def _copy(source: IO[bytes] | None, target: Path | None) -> str:
    """Copy a file if there is a `target`, and return its digest."""
    digest = hashlib.sha256()
    with contextlib.ExitStack() as stack:
        if target:
            target.parent.mkdir(parents=True, exist_ok=True)
        out = stack.enter_context(target.open("xb")) if target else None
        while source and (chunk := source.read(_CHUNK)):
            digest.update(chunk)
            if out:
                out.write(chunk)
    return digest.hexdigest()


def _open(pack: Path) -> IO[bytes]:
    try:
        return pack.open("rb")
    except OSError as error:
        fix = "Name a file that workshop pack has made"
        raise UserError(f"pack {pack}", error.strerror or "it cannot be read", fix) from None


@contextlib.contextmanager
def _explain(pack: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError) as error:
        found = f"it is cut short or damaged after {format_bytes(pack.stat().st_size)} ({error})"
        raise UserError(f"pack {pack}", found, _AGAIN) from None


def _damaged(pack: Path, what: str) -> UserError:
    return UserError(f"pack {pack}", f"it is damaged: {what}", _AGAIN)


class _HashingWriter:
    """Hashes what is written to a file."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target, self.digest = target, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._target.write(data)


class _SealedReader:
    """Reads the first `size` bytes of a file, and hashes them."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        self._source, self._left, self.digest = source, size, hashlib.sha256()

    def read(self, size: int) -> bytes:
        data = self._source.read(max(0, min(size, self._left)))
        self._left -= len(data)
        self.digest.update(data)
        return data

    def drain(self) -> None:
        """Read what tar leaves: zeros after the last file."""
        while self.read(_CHUNK):
            pass
