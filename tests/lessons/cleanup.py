"""What a lesson makes in the engine, and how it goes again.

Known by the names in its commands, so that nothing is removed that somebody else made meanwhile.
What had a name before the lesson has it again afterwards.
"""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from typing import TYPE_CHECKING

from harness import docker

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("container", "network", "volume")
_ENDS = re.compile(r"&&|\|\||[;|\n]")
_PROJECT = "label=com.docker.compose.project="


class Leftovers:
    """The containers, images, networks and volumes that commands name."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._before = _tags()
        self._there = {kind: set(_names(kind)) for kind in KINDS}
        self._named: dict[str, set[str]] = {kind: set() for kind in (*KINDS, "image")}
        self._ids: set[str] = set()

    def heed(self, command: str) -> None:
        """Take note of the names in a command that is about to run."""
        for kind, name in names(command):
            self._named[kind].add(name)

    def put_value(self) -> None:
        """Take note of the images that now have those names: the next build may take them over."""
        tags = _tags()
        self._ids |= {tags[name] for name in self._images(tags)}

    def remove(self) -> None:
        """Remove it all, whether the lesson went well or not."""
        mine = f"{_PROJECT}{self._project}"
        for kind in KINDS:
            known = self._named[kind] - self._there[kind] | set(_names(kind, "--filter", mine))
            for name in sorted(known & set(_names(kind))):
                docker(
                    kind,
                    "rm",
                    "--force",
                    *(["--volumes"] * (kind == "container")),
                    name,
                    check=False,
                )
        self.put_value()
        tags = _tags()
        for name in self._images(tags):
            if name in self._before:
                docker("tag", self._before[name], name, check=False)
            else:
                docker("image", "rm", name, check=False)
        for image in self._ids - set(self._before.values()):
            # One that still has a name, or a container, stays.
            docker("image", "rm", image, check=False)

    def _images(self, tags: dict[str, str]) -> list[str]:
        """The tags that are the lesson's: it named them, or its compose project built them."""
        named = {
            name if ":" in name.rpartition("/")[2] else f"{name}:latest"
            for name in self._named["image"]
        }
        form = "{{.Repository}}:{{.Tag}}"
        mine = docker("images", "--filter", f"{_PROJECT}{self._project}", "--format", form)
        return sorted((named | set(mine.splitlines())) & set(tags))


def names(command: str) -> Iterator[tuple[str, str]]:
    """The kind and the name of all that a command line may make."""
    for part in _ENDS.split(command.replace("\\\n", " ")):
        try:
            words = shlex.split(part)
        except ValueError:
            continue
        if "docker" in words:
            yield from _made(words[words.index("docker") + 1 :])


def _made(words: list[str]) -> Iterator[tuple[str, str]]:
    """What one docker command may make."""
    words = [
        piece for word in words for piece in (word.split("=", 1) if word[:2] == "--" else [word])
    ]
    builds = {"build", "buildx"} & set(words[:2])
    for option, value in pairwise(words):
        if builds and option in {"-t", "--tag"}:
            yield "image", value
        elif option == "--name":
            yield "container", value
        elif option in {"-v", "--volume"} and re.match(r"[\w.-]+:", value):
            yield "volume", value.partition(":")[0]
        elif option == "--mount" and (found := re.search(r"(?:source|src)=([\w.-]+)(,|$)", value)):
            yield "volume", found[1]
        elif option == "create" and words[0] in {"network", "volume"}:
            yield words[0], words[-1]
    if words[:1] in (["tag"], ["commit"]) or words[:2] == ["image", "tag"] or words[:1] == ["pull"]:
        yield "image", words[-1]


def _tags() -> dict[str, str]:
    """The id of each image by each of its names."""
    lines = docker(
        "images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"
    ).splitlines()
    pairs = (line.split() for line in lines)
    return {name: image for name, image in pairs if "<none>" not in name}


def _names(kind: str, *words: str) -> list[str]:
    form = "{{.Names}}" if kind == "container" else "{{.Name}}"
    every = ["--all"] if kind == "container" else []
    return docker(kind, "ls", *every, *words, "--format", form).splitlines()
