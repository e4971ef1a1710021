"""The command `image`: the layers of an image and their sizes."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

from workshop.analysis.image import docker_save
from workshop.analysis.image.store import Store
from workshop.core.errors import UserError
from workshop.core.paths import ROOT, cache_folder
from workshop.engine import Engine
from workshop.reports import layers

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image
    from workshop.core.process import SubprocessRunner


def describe(reference: str, kind: str, run: SubprocessRunner) -> str:
    """Return an image's layers as `text`, a table with one row for its base, or as `json`."""
    engine = Engine(run)
    engine.require(f"image {reference}")
    identity = engine.inspect(reference, "{{.Id}}")
    if not identity:
        fix = "Look up its name with `docker images`, or build it"
        raise UserError(f"image {reference}", "the engine has no image with that name", fix)
    store = Store(cache_folder() / "images")
    found = store.image(identity)
    if found is None:
        with engine.save(identity) as stream:
            found = docker_save.read(stream, known=store.layer)
        store.save(found, identity)
    base, name = _find_base(engine, found)
    if kind == "json":
        document = {"id": identity, **layers.document(found, base, name)}
        return json.dumps(document, ensure_ascii=False) + "\n"
    return layers.format_layers(found, base, name)


def _find_base(engine: Engine, found: Image) -> tuple[list[str], str]:
    """Return the diff IDs and the name of the image's base if it is one of the course's."""
    pins = tomllib.loads((ROOT / "versions.toml").read_text(encoding="utf-8"))
    best: tuple[list[str], str] = ([], "")
    for name in (base["image"] for base in pins["base"]):
        known = json.loads(engine.inspect(name, "{{json .RootFS.Layers}}") or "[]")
        if len(known) > len(best[0]) and found.shared(known) == len(known):
            best = (known, name)
    return best
