"""Assembles an image from `docker image inspect` and cached layers, without `docker save`.

`docker save` writes the whole image, which is slow. A changed CMD, for example, changes no layer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from workshop.analysis.image.image import Image, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workshop.analysis.image.layers import Layer

# Instructions that create a layer; all others only change the configuration. Older builders write
# `/bin/sh -c #(nop)  CMD`, and `/bin/sh -c COMMAND` for RUN.
_CREATES_LAYER = re.compile(
    r"(?:/bin/sh -c )?(?:#\(nop\) +)?(?:RUN|COPY|ADD|WORKDIR)\b"
    r"|/bin/sh -c (?!#\(nop\))"
    r"|\|\d"
)


def assemble(
    inspected: Mapping[str, Any],
    created_by: Sequence[str],
    known: Callable[[str], Layer | None],
    secret: str,
) -> Image | None:
    """Return the image with this `docker image inspect` output and history, oldest step first.

    Return None if a layer is not `known`, if the history does not match the layers, or if the
    output or the history contains `secret`: then the whole image has to be read.
    """
    layers = [known(diff_id) for diff_id in inspected["RootFS"].get("Layers") or ()]
    creates = [bool(_CREATES_LAYER.match(step)) for step in created_by]
    if None in layers or sum(creates) != len(layers) or secret in f"{inspected}{created_by}":
        return None
    numbers = iter(range(len(layers)))
    history = tuple(
        Step(step, not creates_layer, next(numbers) if creates_layer else None)
        for step, creates_layer in zip(created_by, creates, strict=True)
    )
    found = tuple(layer for layer in layers if layer is not None)
    return Image(inspected["Id"], inspected["Config"] or {}, history, found)
