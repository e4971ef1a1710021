"""Removes the containers, images, networks and volumes that a lesson creates.

They are found by the names in its commands, so that other programs' objects stay. An image that
had a name before the lesson gets it back.
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
_SEPARATORS = re.compile(r"&&|\|\||[;|\n]")
_PROJECT = "label=com.docker.compose.project="


class Cleanup:
    """Tracks the containers, images, networks and volumes that commands name."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._tags_before = _read_tags()
        self._names_before = {kind: set(_read_names(kind)) for kind in KINDS}
        self._named: dict[str, set[str]] = {kind: set() for kind in (*KINDS, "image")}
        self._ids: set[str] = set()

    def record_names(self, command: str) -> None:
        """Record the names in a command before it runs."""
        for kind, name in read_names(command):
            self._named[kind].add(name)

    def record_images(self) -> None:
        """Record the images with these names, because the next build may reuse the names."""
        tags = _read_tags()
        self._ids |= {tags[name] for name in self._own_tags(tags)}

    def remove(self) -> None:
        """Remove everything that the lesson created."""
        own = f"{_PROJECT}{self._project}"
        for kind in KINDS:
            new = self._named[kind] - self._names_before[kind]
            new |= set(_read_names(kind, "--filter", own))
            options = ("--force", "--volumes") if kind == "container" else ("--force",)
            for name in sorted(new & set(_read_names(kind))):
                docker(kind, "rm", *options, name, check=False)
        self.record_images()
        for name in self._own_tags(_read_tags()):
            if name in self._tags_before:
                docker("tag", self._tags_before[name], name, check=False)
            else:
                docker("image", "rm", name, check=False)
        for image in self._ids - set(self._tags_before.values()):
            # An image that still has a name or a container stays.
            docker("image", "rm", image, check=False)

    def _own_tags(self, tags: dict[str, str]) -> list[str]:
        """Return the tags that the lesson named, or that its compose project built."""
        named = {
            name if ":" in name.rpartition("/")[2] else f"{name}:latest"
            for name in self._named["image"]
        }
        form = "{{.Repository}}:{{.Tag}}"
        built = docker("images", "--filter", f"{_PROJECT}{self._project}", "--format", form)
        return sorted((named | set(built.splitlines())) & set(tags))


def read_names(command: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and the name of every object that a command line may create."""
    for part in _SEPARATORS.split(command.replace("\\\n", " ")):
        try:
            argv = shlex.split(part)
        except ValueError:
            continue
        if "docker" in argv:
            yield from _read_docker_names(argv[argv.index("docker") + 1 :])


def _read_docker_names(argv: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the objects that one docker command may create."""
    argv = [part for arg in argv for part in (arg.split("=", 1) if arg[:2] == "--" else [arg])]
    builds = {"build", "buildx"} & set(argv[:2])
    for option, value in pairwise(argv):
        if builds and option in {"-t", "--tag"}:
            yield "image", value
        elif option == "--name":
            yield "container", value
        elif option in {"-v", "--volume"} and re.match(r"[\w.-]+:", value):
            yield "volume", value.partition(":")[0]
        elif option == "--mount" and (found := re.search(r"(?:source|src)=([\w.-]+)(,|$)", value)):
            yield "volume", found[1]
        elif option == "create" and argv[0] in {"network", "volume"}:
            yield argv[0], argv[-1]
    if argv[:1] in (["tag"], ["commit"], ["pull"]) or argv[:2] == ["image", "tag"]:
        yield "image", argv[-1]


def _read_tags() -> dict[str, str]:
    """Return the id of each image by name."""
    output = docker("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}")
    pairs = (line.split() for line in output.splitlines())
    return {name: image for name, image in pairs if "<none>" not in name}


def _read_names(kind: str, *options: str) -> list[str]:
    form = "{{.Names}}" if kind == "container" else "{{.Name}}"
    every = ["--all"] if kind == "container" else []
    return docker(kind, "ls", *every, *options, "--format", form).splitlines()
