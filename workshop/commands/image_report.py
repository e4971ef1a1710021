"""The word `image`: where the bytes of an image come from."""

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


def describe(reference: str, run: SubprocessRunner) -> str:
    """The layers of an image, with those of a base image of the course in one row."""
    engine = Engine(run)
    engine.require(f"image {reference}")
    identity = engine.inspect(reference, "{{.Id}}")
    if not identity:
        fix = "Look at `docker images` for its name, or build it"
        raise UserError(f"image {reference}", "the engine has no image of that name", fix)
    store = Store(cache_folder() / "images")
    found = store.image(identity)
    if found is None:
        with engine.save(identity) as stream:
            found = docker_save.read(stream, known=store.layer)
        store.save(found, identity)
    base, name = _base(engine, found)
    return layers.layers(found, base, name)


def _base(engine: Engine, found: Image) -> tuple[list[str], str]:
    """The diff IDs and the name of the course's base image that this one builds on, if any."""
    pins = tomllib.loads((ROOT / "versions.toml").read_text(encoding="utf-8"))
    best: tuple[list[str], str] = ([], "")
    for name in (base["image"] for base in pins["base"]):
        known = json.loads(engine.inspect(name, "{{json .RootFS.Layers}}") or "[]")
        if len(known) > len(best[0]) and found.shared(known) == len(known):
            best = (known, name)
    return best
