"""An image put together from what the engine says of it, where all of its layers are known.

`docker save` writes the whole image for each question. Whoever changes a CMD and checks again has
changed no layer, and need not wait for that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from workshop.analysis.image.image import Image, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workshop.analysis.image.layers import Layer

# Instructions that make a layer; all others only change the configuration. Older builders write
# `/bin/sh -c #(nop)  CMD`, and what RUN executed as `/bin/sh -c`.
_MAKES_LAYER = re.compile(
    r"(?:/bin/sh -c )?(?:#\(nop\) +)?(?:RUN|COPY|ADD|WORKDIR)\b"
    r"|/bin/sh -c (?!#\(nop\))"
    r"|\|\d"
)


def assemble(
    said: Mapping[str, Any],
    created_by: Sequence[str],
    known: Callable[[str], Layer | None],
    secret: str,
) -> Image | None:
    """The image of which `docker image inspect` says this, and whose history is `created_by`.

    The history begins with the oldest. None where a layer is not `known`, where the history does
    not fit the layers, or where the `secret` stands in any of it: then the image has to be looked
    at as a whole.
    """
    layers = [known(diff_id) for diff_id in said["RootFS"].get("Layers") or ()]
    makers = [bool(_MAKES_LAYER.match(step)) for step in created_by]
    if None in layers or sum(makers) != len(layers) or secret in f"{said}{created_by}":
        return None
    numbers = iter(range(len(layers)))
    history = tuple(
        Step(step, not makes, next(numbers) if makes else None)
        for step, makes in zip(created_by, makers, strict=True)
    )
    found = tuple(layer for layer in layers if layer is not None)
    return Image(said["Id"], said["Config"] or {}, history, found)
