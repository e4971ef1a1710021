"""What an image must contain, and what it must not."""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from workshop.analysis.unwanted_files import SECRETS
from workshop.checks.history import instruction, short
from workshop.model import Check, Failed, check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workshop.analysis.dockerfile.instructions import Instruction
    from workshop.analysis.image.image import Image
    from workshop.analysis.image.rebuild import Rebuild
    from workshop.analysis.source import Source


def _secrets_by_text(source: Source) -> None:
    context = source.recipe.context
    secrets = [secret for secret in SECRETS if not source.ignores(secret, context)]
    for step in source.final().instructions:
        for path in _copied_paths(step):
            if found := next((secret for secret in secrets if _covers(path, secret)), ""):
                name = found.partition("/")[0]
                what = name if path == name else f"{path or 'the whole folder'}, including {name}"
                actual, expected = f"{step.keyword} copies {what}", f"{name} in .dockerignore"
                raise Failed(actual, expected, line=step.line)


def _copied_paths(step: Instruction) -> Iterator[str]:
    """Yield the patterns of the paths that an instruction copies from the build context."""
    flags = {name for name, _ in step.flags}
    # With --exclude, only the build knows which files remain.
    if step.keyword in {"COPY", "ADD"} and not flags & {"from", "exclude"}:
        for path in step.values[:-1]:
            yield posixpath.normpath(f"/{path}").lstrip("/")


def _covers(pattern: str, path: str) -> bool:
    """Whether a pattern of COPY matches `path` or a folder that contains it."""
    parts = pattern.split("/") if pattern else []
    names = path.split("/")
    return len(parts) <= len(names) and all(
        # Go writes [^a] for what is [!a] in Python.
        fnmatchcase(name, part.replace("[^", "[!"))
        for name, part in zip(names, parts, strict=False)
    )


@check(
    points=2,
    text=_secrets_by_text,
    why="Anyone with the image can read every file in every layer, deleted files included. "
    "The check writes its own test secrets to these names, in every folder.",
    hint="List **/.env, **/.git and **/.venv in .dockerignore (lower case), and copy only what is "
    "needed. Without **/, a pattern matches only at the top of the folder.",
)
def contains_no_secrets(image: Image) -> None:
    """The image contains no secrets (.env, .git, .venv)."""
    if image.found:
        places = sorted({_place(found.where, found.path) for found in image.found})
        raise Failed(
            f"content of .env, .git or .venv is in the image: {'; '.join(places[:3])}",
            "these files excluded by .dockerignore",
        )


def no_files(name: str, title: str, pattern: str, hint: str, *, points: int = 1) -> Check:
    """Require that no layer added to the base contains a file whose path matches `pattern`."""
    matches = re.compile(pattern).search

    @check(
        points=points,
        name=name,
        title=title,
        why="A later layer only hides the files that it deletes, so the image stays just as large.",
        hint=hint,
    )
    def no_files(image: Image) -> None:
        for number in image.own:
            kept = [e for e in image.layers[number].entries if e.kind == "file" and matches(e.path)]
            if size := sum(entry.size for entry in kept):
                raise Failed(
                    f"{size / 1e6:.1f} MB in {len(kept)} files such as /{kept[0].path}, added by "
                    f"{instruction(image, number)}",
                    "no such file in any layer",
                    layer=number,
                )

    return no_files


def installs(packages: Mapping[str, str], points: int = 1) -> Check:
    """Require these Python packages in these versions (an empty string allows any version)."""
    names = ", ".join(f"{name} {version}".strip() for name, version in packages.items())

    @check(
        points=points,
        title=f"Installs {names}",
        why="An unpinned package can change with any release.",
        hint="Name each package with its version (PACKAGE==VERSION), or install from a lock file.",
    )
    def installs_packages(image: Image) -> None:
        found = image.packages()
        for name, version in packages.items():
            versions = {item[1] for item in found.get(name.lower(), ())}
            if not versions or (version and version not in versions):
                actual = f"{name} {' and '.join(sorted(versions)) or 'is not installed'}"
                raise Failed(actual, f"{name} {version}".strip())

    return installs_packages


def no_development_packages(*packages: str, points: int = 1) -> Check:
    """Require that none of these Python packages can be imported."""

    @check(
        points=points,
        title="Development packages are not installed",
        why="Development packages make the image larger and give attackers more to exploit.",
        hint="Install with --only main (poetry), --no-dev (uv), or from a list without them.",
    )
    def no_development_packages(image: Image) -> None:
        found = image.packages()
        if extra := [name for name in packages if name in found]:
            raise Failed(f"installed: {', '.join(extra)}", "only the application's packages")

    return no_development_packages


@check(
    points=2,
    why="Docker rebuilds a layer when a file that it copies, or any earlier layer, has changed.",
    hint="Copy the list of packages first, install them, and copy the source afterwards.",
)
def caches_dependencies(rebuild: Rebuild) -> None:
    """Installed packages stay in the build cache after a source edit."""
    image, added = rebuild.image, set()
    edit = f"after one changed line in {rebuild.edited}"
    for key, versions in image.packages().items():
        for name, _, path in versions:
            layer = image.layer_of(path) or 0
            if layer not in image.own or name == rebuild.project:
                continue
            added.add(key)
            # A package copied from an earlier stage was not installed by this layer.
            copied = instruction(image, layer).startswith(("COPY ", "ADD "))
            if not copied and not rebuild.reuses(layer):
                raise Failed(
                    f"{edit}, {name} was reinstalled by {instruction(image, layer)}",
                    "layers with packages from the cache, and only the source copied again",
                    layer=layer,
                )
    for key in sorted(added & rebuild.installed.keys()):
        raise Failed(
            f"{edit}, {key} was reinstalled by {short(rebuild.installed[key])}",
            "no package reinstalled, and only the source copied again",
        )


def _place(where: object, path: str) -> str:
    return f"/{path} in layer {where}" if isinstance(where, int) else f"the image's {where}"
