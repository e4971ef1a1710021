"""Finds the image in an archive of OCI's layout: `index.json` lists manifests, or further indexes.

Source: the OCI image specification, "Image Layout" and "Image Index".
"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from workshop.analysis.image.documents import get, parse_json
from workshop.analysis.image.limits import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = "index.json"
BLOBS = "blobs/"

_MAX_MANIFESTS = 1000
# BuildKit lists its attestations beside the images, for a platform that no machine has.
_UNKNOWN = "unknown"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def find_parts(documents: Mapping[str, bytes]) -> tuple[str, list[str]]:
    """Return the names of the config and of the layers, lowest first, of the only image.

    An image for several platforms counts as one: that for this machine, or else the first.
    """
    top = get(parse_json(documents[NAME], dict, NAME), "manifests", list)
    if len(top) != 1:
        raise unreadable(f"{NAME} lists {len(top)} images, not 1")
    found = list(_find_manifests(top, documents))
    if not found:
        raise unreadable(f"{NAME} leads to no image")
    manifest = next((one for architecture, one in found if architecture == _own()), found[0][1])
    config = get(manifest, "config", dict)
    return blob_name(config), [blob_name(layer) for layer in get(manifest, "layers", list)]


def blob_name(descriptor: object) -> str:
    """Return the name in the archive of what a descriptor names by its digest."""
    digest = descriptor.get("digest") if isinstance(descriptor, dict) else None
    algorithm, _, value = str(digest).partition(":")
    if not value.isalnum() or not algorithm.isalnum():
        raise unreadable("a descriptor without a digest")
    return f"{BLOBS}{algorithm}/{value}"


def _find_manifests(
    descriptors: list[Any], documents: Mapping[str, bytes]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the architecture and the manifest of each image, in order, also from nested indexes."""
    pending, seen = descriptors[::-1], 0
    while pending:
        descriptor = pending.pop()
        name = blob_name(descriptor)
        seen += 1
        # A nested index may list itself.
        if seen + len(pending) > _MAX_MANIFESTS:
            raise unreadable(f"{NAME} leads to more than {_MAX_MANIFESTS} manifests")
        architecture = str(get(descriptor, "platform", dict).get("architecture", ""))
        if architecture == _UNKNOWN:
            continue
        document = parse_json(documents.get(name), dict, name)
        if nested := get(document, "manifests", list):
            pending += nested[::-1]
        else:
            yield architecture, document


def _own() -> str:
    """Return the architecture of this machine, in OCI's terms."""
    machine = platform.machine().lower()
    return _ARCHITECTURES.get(machine, machine)
