"""The images that a Dockerfile takes files from, and those that a submission must not reach."""

from __future__ import annotations

import functools
import json
import re
import tomllib
from typing import TYPE_CHECKING

from workshop.analysis.dockerfile.parser import split_reference
from workshop.core.paths import ROOT
from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.analysis.dockerfile.instructions import Instruction
    from workshop.analysis.dockerfile.parser import Dockerfile
    from workshop.engine import Engine

_NUMERIC = re.compile(r"[\d.]+|\[.*\]|0x[\da-f]+", re.IGNORECASE)
_REMOTE = re.compile(
    r"[a-z][a-z\d+.-]*://|[\w.-]+@[\w.-]+:|github\.com/|\S*\.git(#|$)|.*\$", re.IGNORECASE
)
_LOCAL_REGISTRIES = ("localhost", "127.", "[::1]", "0.0.0.0")  # noqa: S104 - compared, not bound


def check_references(engine: Engine, parsed: Dockerfile) -> None:
    """Raise `Failed` if a Dockerfile takes files from an image that was built on this machine.

    Such an image belongs to the kit, to another submission or to the user. Base images, and
    images pulled from a registry, are allowed.
    """
    bases = base_images()
    for reference, line in external(parsed):
        if _familiar(reference) not in bases and _is_local(engine, reference):
            actual = f"{reference} is an image that was built on this machine"
            hint = f"Use a base image, such as {max(bases)}, and copy only your own files."
            raise Failed(actual, "only base images", line=line, hint=hint)


def _familiar(reference: str) -> str:
    """Return a name without Docker's own registry: `docker.io/library/x:1` is `x:1`.

    A name with a digest stays as it is: the digest, not the tag, selects the image.
    """
    return reference if "@" in reference else ":".join(split_reference(reference))


def check_base_names(parsed: Dockerfile) -> None:
    """Raise `Failed` if a Dockerfile names an image that is no official base of the course.

    Call this if no registry answers: an unknown name is then more likely a wrong name.
    """
    known = sorted({split_reference(image)[0] for image in base_images()})
    for reference, line in external(parsed):
        if split_reference(reference)[0] not in known:
            actual = f"no image {reference} on this machine, and no registry answers"
            expected = f"an existing image; the course uses {', '.join(known)}"
            hint = f"Check the name {reference}. If it is right, connect to the internet."
            raise Failed(actual, expected, line=line, hint=hint)


def check_addresses(parsed: Dockerfile) -> None:
    """Raise `Failed` if the engine itself would ask an address that the Dockerfile chooses.

    The engine can reach more than a container: this machine's own ports, and its network.
    """
    for reference, line in external(parsed):
        registry, slash, _ = reference.partition("/")
        if slash and (":" in registry or registry == "localhost" or _NUMERIC.fullmatch(registry)):
            actual = f"{reference} is in the registry {registry}"
            raise Failed(actual, "only images of public registries", line=line)
    for stage in parsed.stages:
        for step in (*stage.triggers, *stage.instructions):
            for source in step.values[:-1] if step.keyword == "ADD" else ():
                if _REMOTE.match(source):
                    hint = "Download it in a RUN, or add the file to your folder."
                    actual = f"ADD downloads {source}"
                    raise Failed(actual, "ADD of files in your folder", line=step.line, hint=hint)


def external(parsed: Dockerfile) -> Iterator[tuple[str, int]]:
    """Yield the images that a Dockerfile names, except its own stages, each with its line."""
    names: set[str] = set()
    for stage in parsed.stages:
        if stage.parent is None and stage.base and stage.base != "scratch":
            yield stage.base, stage.line
        for step in (*stage.triggers, *stage.instructions):
            for reference in _from(step):
                if reference.lower() not in names and not reference.isdigit():
                    yield reference, step.line
        names.add(stage.name.lower())


def _from(step: Instruction) -> Iterator[str]:
    """Yield the stages or images that an instruction copies from, or mounts."""
    yield from (value for name, value in step.flags if name == "from")
    yield from (mount["from"] for mount in step.mounts if mount.get("from"))


def _is_local(engine: Engine, reference: str) -> bool:
    """Whether the engine has an image that was not pulled under this name."""
    found = engine.inspect(reference, "{{json .RepoDigests}}")
    if not found:
        return False
    repository, _ = split_reference(reference)
    pulled = {digest.partition("@")[0] for digest in json.loads(found) or ()}
    return repository not in pulled or repository.startswith(_LOCAL_REGISTRIES)


@functools.cache
def base_images() -> frozenset[str]:
    """Return the base images of the course."""
    # Without `stack.versions`, which validates the file and takes longer to import than to run.
    rows = tomllib.loads((ROOT / "versions.toml").read_text(encoding="utf-8"))["base"]
    return frozenset(row["image"] for row in rows)
