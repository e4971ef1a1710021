"""The command `image`: the layers, lines and files of an image, and how two images differ."""

from __future__ import annotations

import contextlib
import json
import sys
import tomllib
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from workshop.analysis.dockerfile import effective, parser
from workshop.analysis.image import docker_save
from workshop.analysis.image.difference import compare
from workshop.analysis.image.layers import DIGEST_SIZE
from workshop.analysis.image.limits import MAX_BYTES
from workshop.analysis.image.store import Store
from workshop.core.errors import UserError
from workshop.core.paths import MAX_TEXT, ROOT, cache_folder
from workshop.engine import Engine
from workshop.reports import difference, layers
from workshop.reports.dockerfile_lines import format_lines, measure_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workshop.analysis.dockerfile.effective import Effective
    from workshop.analysis.image.image import Image
    from workshop.analysis.image.tar_stream import Readable
    from workshop.core.process import SubprocessRunner

    GetRunner = Callable[[], SubprocessRunner]

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.zst")
_SHOWN_BYTES = 10_000_000  # the progress changes after so many


class Options(NamedTuple):
    """What to print: `kind` is `text` or `json`; `html` is the page to write instead, or empty.

    `other` is the image to compare with, or empty. `dockerfile` is the file that the image was
    built from, up to the stage `target`; both may be empty.
    """

    name: str
    other: str = ""
    kind: str = "text"
    html: str = ""
    dockerfile: str = ""
    target: str = ""


class Found(NamedTuple):
    """An image with its id in the engine, and the diff IDs and the name of its base, if known."""

    name: str
    image: Image
    id: str
    base: tuple[str, ...] = ()
    base_name: str = ""


def describe(options: Options, runner: GetRunner) -> str:
    """Return what the options ask for; with `html`, write the page and return where it is."""
    final = _read_dockerfile(options) if options.dockerfile else None
    names = [name for name in (options.name, options.other) if name]
    # The digests of large files take time, and only a difference needs them.
    found = [_find(name, runner, whole=len(names) > 1) for name in names]
    if options.html:
        return _write_page(options, found, final)
    if options.kind == "json":
        return json.dumps(_document(found, final), ensure_ascii=False) + "\n"
    if len(found) > 1:
        both = compare(found[0].image, found[1].image)
        return difference.format_difference(both, (found[0].name, found[1].name))
    one = found[0]
    if final:
        return format_lines(measure_lines(one.image, one.base, one.base_name, final))
    return layers.format_layers(one.image, one.base, one.base_name)


def _document(found: list[Found], final: Effective | None) -> dict[str, object]:
    """Return the layers of one image, or the difference of two, as JSON."""
    if len(found) > 1:
        both = compare(found[0].image, found[1].image)
        return difference.document(both, (found[0].name, found[1].name))
    one = found[0]
    document = {"id": one.id, **layers.document(one.image, one.base, one.base_name)}
    if final:
        lines = measure_lines(one.image, one.base, one.base_name, final)
        document["lines"] = [line._asdict() for line in lines]
    return document


def _write_page(options: Options, found: list[Found], final: Effective | None) -> str:
    """Write the page about the last image, with its difference from the first."""
    from workshop.reports.image_page import format_page

    one = found[-1]
    lines = measure_lines(one.image, one.base, one.base_name, final)
    both = compare(found[0].image, one.image) if len(found) > 1 else None
    page = format_page(one.name, one.image, lines, both, found[0].name if both else "")
    file = Path(options.html)
    try:
        file.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        fix = "Name a file in a folder that exists and that you may write to"
        raise UserError(str(file), error.strerror or "cannot be written", fix) from None
    return f"{file}: open it in a browser\n"


def _find(name: str, runner: GetRunner, *, whole: bool) -> Found:
    """Read an image of the engine, or an archive; with `whole`, with the digests of all files."""
    if is_archive(name):
        with _open_archive(name) as stream, _counted(stream, name) as counted:
            image = docker_save.read(counted, digest_size=MAX_BYTES)
        return Found(name, image, image.id)
    engine = Engine(runner())
    identity = engine.inspect(name, "{{.Id}}")
    if not identity:
        fix = "Look up its name with `docker images`, or build it"
        raise UserError(f"image {name}", "the engine has no image with that name", fix)
    image = _read_image(engine, identity, name, whole=whole)
    return Found(name, image, identity, *_find_base(engine, image))


def is_archive(name: str) -> bool:
    """Whether a name is that of an archive on the disk, not of an image in the engine."""
    is_path = name.startswith((".", "/", "~")) or "\\" in name
    return is_path or (name.endswith(ARCHIVES) and Path(name).is_file())


@contextlib.contextmanager
def _open_archive(name: str) -> Iterator[IO[bytes]]:
    try:
        file = Path(name).expanduser().open("rb")
    except OSError as error:
        fix = "Name an archive that `docker save` wrote, or an image"
        raise UserError(name, error.strerror or "cannot be read", fix) from None
    with file:
        yield file


def _read_image(engine: Engine, identity: str, name: str, *, whole: bool) -> Image:
    store = Store(cache_folder() / ("whole-images" if whole else "images"))
    found = store.image(identity)
    if found is None:
        with engine.save(identity) as stream, _counted(stream, name) as counted:
            size = MAX_BYTES if whole else DIGEST_SIZE
            found = docker_save.read(counted, known=store.layer, digest_size=size)
        store.save(found, identity)
    return found


class _Counted:
    """A stream that reports how many bytes were read."""

    def __init__(self, stream: IO[bytes], report: Callable[[str], None]) -> None:
        self._stream, self._report = stream, report
        self._read = self._shown = 0

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes."""
        data = self._stream.read(size)
        self._read += len(data)
        if self._read - self._shown >= _SHOWN_BYTES:
            self._shown = self._read
            self._report(f"{layers.format_megabytes(self._read)} MB read")
        return data


@contextlib.contextmanager
def _counted(stream: IO[bytes], name: str) -> Iterator[Readable]:
    """Show how much was read if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield stream
        return
    from rich.console import Console

    from workshop.core.progress import ProgressDisplay

    with ProgressDisplay(Console(stderr=True)) as display, display.job(name, "reading") as job:
        yield _Counted(stream, job.line)


def _read_dockerfile(options: Options) -> Effective:
    """Return the stage of a Dockerfile that the image was built from."""
    file = Path(options.dockerfile)
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_TEXT)
    except OSError as error:
        fix = "Name the Dockerfile of the image"
        raise UserError(str(file), error.strerror or "cannot be read", fix) from None
    final = effective.effective(parser.parse(text), options.target)
    if final is None:
        found = f"no stage named {options.target}" if options.target else "no FROM instruction"
        raise UserError(str(file), found, "Name the Dockerfile and the stage of the image")
    return final


def _find_base(engine: Engine, found: Image) -> tuple[tuple[str, ...], str]:
    """Return the diff IDs and the name of the image's base if it is one of the course's."""
    pins = tomllib.loads((ROOT / "versions.toml").read_text(encoding="utf-8"))
    best: tuple[tuple[str, ...], str] = ((), "")
    names = [base["image"] for base in pins["base"]]
    known = engine.layers(names)
    for name in names:
        own = tuple(known.get(name, ()))
        if len(own) > len(best[0]) and found.shared(own) == len(own):
            best = (own, name)
    return best
