"""Measures the image sizes of the FastAPI tasks and writes them to the READMEs.

Run as `make image-sizes`.
"""

from __future__ import annotations

import json
import re
import sys

from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.engine import Engine
from workshop.stack import versions
from workshop.stack.images import IMAGES

READMES = (ROOT / "README.md", ROOT / "services/fastapi/README.md")
_MARKED = re.compile(r"(<!-- image-sizes -->\n).*?(<!-- /image-sizes -->)", re.DOTALL)


def measure(engine: Engine, bases: list[str]) -> str:
    """Return a Markdown table: sizes in decimal megabytes, layers above the base image."""
    base_layers = [_read_layers(engine, base) for base in bases]
    lines = ["| task | Dockerfile | image | MB | layers added |", "|---|---|---|---|---|"]
    for image in (image for image in IMAGES if image.service.startswith("task-")):
        layers = _read_layers(engine, image.name)
        if not layers:
            raise UserError(f"image {image.name}", "it is not built", "Build it with: make build")
        base = max((b for b in base_layers if layers[: len(b)] == b), key=len)
        number, megabytes = image.service.removeprefix("task-"), engine.size(image.name) / 1e6
        lines.append(
            f"| {number} | `{image.dockerfile}` | `{image.name}` "
            f"| {megabytes:.0f} | {len(layers) - len(base)} |"
        )
    return "\n".join(lines) + "\n"


def _read_layers(engine: Engine, image: str) -> list[str]:
    """Return the digests of an image's layers, lowest first; none if there is no such image."""
    layers: list[str] = json.loads(engine.inspect(image, "{{json .RootFS.Layers}}") or "[]")
    return layers


def main() -> None:
    """Measure the images and write the table between the markers of each README."""
    pins = versions.read(ROOT / "versions.toml")
    try:
        table = measure(Engine(), [base.image for base in pins.base])
    except UserError as error:
        sys.exit(str(error))
    for readme in READMES:
        text = readme.read_text(encoding="utf-8")
        readme.write_text(_MARKED.sub(rf"\g<1>{table}\g<2>", text), encoding="utf-8")


if __name__ == "__main__":
    main()
