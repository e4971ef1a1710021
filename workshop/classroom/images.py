"""Copies base images between an engine, a registry and a pack, with skopeo.

skopeo's `dir:` layout is a folder with the manifest and one file for each blob.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.classroom.file_store import FileStore, digest
from workshop.classroom.manifest import File, Image
from workshop.core.errors import UserError

if TYPE_CHECKING:
    from workshop.classroom.manifest import Manifest
    from workshop.core.process import Runner
    from workshop.engine import Engine

FOLDER = "images"
_SKOPEO = ("skopeo", "--insecure-policy")
_VERSION = "Directory Transport Version: 1.1\n"
INSTALL = "Install it: sudo apt-get install --no-install-recommends skopeo"


def repository(name: str, architecture: str) -> str:
    """Return the repository and tag in a classroom, as on Docker Hub: `amd64/python:3.13`."""
    return f"{architecture}/{name}"


class ImageCopier:
    """Copies images into a `store`; `run` executes skopeo."""

    def __init__(self, engine: Engine, run: Runner, store: FileStore) -> None:
        self._engine, self._run, self._store = engine, run, store

    def collect(
        self, name: str, architecture: str, codename: str, *, local: bool
    ) -> tuple[Image, list[File]]:
        """Copy an image from this machine's engine if `local`, or from its registry."""
        with tempfile.TemporaryDirectory(dir=self._store.folder, prefix="image-") as parent:
            folder = Path(parent, "layout")
            source = self._save(name, Path(parent, "saved.tar")) if local else f"docker://{name}"
            _skopeo(
                self._run,
                f"base image {name} for {architecture}",
                *("--override-os=linux", f"--override-arch={architecture}", "copy"),
                *("--dest-compress", source, f"dir:{folder}"),
            )
            files = []
            content = json.loads(Path(folder, "manifest.json").read_text(encoding="utf-8"))
            blobs = [content["config"], *content["layers"]]
            names = [blob["digest"].removeprefix("sha256:") for blob in blobs]
            manifest = digest(Path(folder, "manifest.json"))
            Path(folder, "manifest.json").rename(Path(folder, manifest))
            for blob in dict.fromkeys([manifest, *names]):
                sha256, size = self._store.adopt(Path(folder, blob))
                files.append(File(path=f"{FOLDER}/{sha256}", size=size, sha256=sha256))
        image = Image(
            name=name,
            architecture=architecture,
            codename=codename,
            manifest=manifest,
            blobs=tuple(dict.fromkeys(names)),
        )
        return image, files

    def _save(self, name: str, target: Path) -> str:
        """Save an image of the engine, and return skopeo's name for the file.

        Debian 12's skopeo speaks a version of the engine's API that is too old.
        """
        with self._engine.save(name) as stream, target.open("wb") as file:
            shutil.copyfileobj(stream, file)
        return f"docker-archive:{target}"


def upload(run: Runner, manifest: Manifest, folder: Path, registry: str) -> None:
    """Copy every image of an unpacked pack to a registry without TLS on this machine."""
    for image in manifest.images:
        with tempfile.TemporaryDirectory(dir=folder, prefix="upload-") as layout:
            for blob in image.blobs:
                _link(folder / FOLDER / blob, Path(layout, blob))
            _link(folder / FOLDER / image.manifest, Path(layout, "manifest.json"))
            Path(layout, "version").write_text(_VERSION, encoding="utf-8")
            target = f"docker://{registry}/{repository(image.name, image.architecture)}"
            _skopeo(
                run,
                f"base image {image.name}",
                *("copy", "--quiet", "--dest-tls-verify=false", f"dir:{layout}", target),
            )


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # not every file system has links
        shutil.copyfile(source, target)


def _skopeo(run: Runner, thing: str, *arguments: str) -> None:
    done = run([*_SKOPEO, *arguments])
    if done.code:
        missing = done.code == 127  # noqa: PLR2004 - the runner's code for a missing program
        found = "skopeo is missing" if missing else done.last_line[-200:]
        raise UserError(thing, found, INSTALL if missing else "Run: make bases")
