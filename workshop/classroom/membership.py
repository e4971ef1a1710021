"""A learner's side of a classroom: trust, settings, and base images that use its packages."""

from __future__ import annotations

import json
import shutil
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from pydantic import BaseModel, ConfigDict, ValidationError

from workshop.classroom import join as joining
from workshop.core.errors import UserError
from workshop.engine import STANDIN_LABEL, Build

if TYPE_CHECKING:
    from workshop.core.progress import ProgressDisplay
    from workshop.engine import Engine

OVERLAY = Path(__file__).parent / "overlay.Dockerfile"
# Docker trusts the certificates that it finds here for each registry, without a restart.
DOCKER_CERTIFICATES = Path("/etc/docker/certs.d")
_LABEL = "workshop.classroom"
_SECONDS = 20
_AGAIN = "Check that the classroom runs, then run this again"


class BaseImage(NamedTuple):
    """A base image that a classroom has, for one architecture."""

    name: str
    architecture: str
    codename: str


class Room(BaseModel):
    """What a classroom says about itself in `room.json`."""

    model_config = ConfigDict(frozen=True)

    push: str
    images: tuple[BaseImage, ...]


class Membership:
    """Joins the checkout at `root` to a classroom, and leaves it."""

    def __init__(
        self,
        engine: Engine,
        display: ProgressDisplay,
        root: Path,
        certificates: Path = DOCKER_CERTIFICATES,
    ) -> None:
        self._engine, self._display, self._root = engine, display, root
        self._certificates = certificates

    def join(self, url: str, fingerprint: str, plugin: str) -> None:
        """Trust the classroom, and take images and packages from it.

        Raises a `UserError` if the certificate has another fingerprint, or if the classroom lacks
        the images of this machine's architecture.
        """
        url = url.rstrip("/")
        try:
            pem = joining.fetch_certificate(url, fingerprint)
        except joining.JoinError as error:
            thing, _, rest = str(error).partition(": ")
            found, _, fix = rest.rpartition(". ")
            raise UserError(thing, found, fix) from None
        room = _read_room(url, pem)
        images = self._choose(room, url)
        self._trust((urlsplit(url).netloc, room.push), pem)
        with tempfile.TemporaryDirectory(prefix="workshop-join-") as context:
            Path(context, joining.PEM).write_text(pem, encoding="ascii")
            for image in images:
                self._provide(image, url, Path(context), plugin)
        # Written last: with these settings the kit takes packages from the classroom.
        joining.write_settings(str(self._root), url, pem)
        record = {"url": url, "images": images, "registries": [urlsplit(url).netloc, room.push]}
        text = json.dumps(record, indent=1)
        (self._root / joining.ROOM / "joined.json").write_text(text, encoding="utf-8")

    def leave(self) -> str:
        """Forget the classroom, and return its address. The base images stay, without it."""
        folder = self._root / joining.ROOM
        try:
            record = json.loads((folder / "joined.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise UserError(
                "classroom", "this checkout has joined none", "Join one: workshop join URL"
            ) from None
        registry = urlsplit(record["url"]).netloc
        for name, architecture, _ in record["images"]:
            original = f"{registry}/{architecture}/{name}"
            if self._engine.has(original):
                self._engine.tag(original, name)
                self._engine.remove_images(original)
        for each in record["registries"]:
            shutil.rmtree(self._certificates / each, ignore_errors=True)
        shutil.rmtree(folder)
        return str(record["url"])

    def _choose(self, room: Room, url: str) -> list[BaseImage]:
        self._engine.require(f"classroom {url}")
        architecture = self._engine.architecture
        images = [image for image in room.images if image.architecture == architecture]
        if not images:
            known = ", ".join(sorted({image.architecture for image in room.images}))
            found = f"its pack has images for {known}, and this computer needs {architecture}"
            fix = f"Ask for a pack that was made with: workshop pack --arch {known},{architecture}"
            raise UserError(f"classroom {url}", found, fix)
        return images

    def _trust(self, registries: tuple[str, ...], pem: str) -> None:
        """Let Docker trust the classroom's registries; only root may."""
        for registry in registries:
            file = self._certificates / registry / "ca.crt"
            try:
                if file.exists() and file.read_text(encoding="ascii") == pem:
                    continue
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(pem, encoding="ascii")
            except OSError as error:
                fix = "Run the same command with sudo, once"
                raise UserError(str(file), error.strerror or "not writable", fix) from None

    def _provide(self, image: BaseImage, url: str, context: Path, plugin: str) -> None:
        """Pull a base image, and build on it one that uses the classroom's packages."""
        original = f"{urlsplit(url).netloc}/{image.architecture}/{image.name}"
        with self._display.job(image.name, "pulling") as job:
            done = self._engine.pull(original, on_line=job.line)
            if "x509:" in done.output:
                found = "Docker does not trust the classroom's certificate"
                raise UserError(f"image {original}", found, "Restart Docker, then run this again")
            self._engine.check(f"image {original}", done, _AGAIN)
            labels = {_LABEL: url}
            if standin := self._engine.standin_for(original):
                labels[STANDIN_LABEL] = standin
            arguments = {
                "BASE": original,
                "CODENAME": image.codename,
                "URL": url,
                "MIRROR_PLUGIN": plugin,
            }
            build = Build(image.name, context, OVERLAY, "", arguments, labels)
            self._engine.build(build, on_line=job.step)


def _read_room(url: str, pem: str) -> Room:
    context = ssl.create_default_context(cadata=pem)
    try:
        with urlopen(f"{url}/room.json", timeout=_SECONDS, context=context) as answer:  # noqa: S310
            return Room.model_validate_json(answer.read())
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise UserError(f"classroom {url}", str(reason), _AGAIN) from None
    except ValidationError:
        found = "it is no classroom of this version of the course"
        raise UserError(f"classroom {url}", found, "Copy the address from its page") from None
