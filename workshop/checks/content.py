"""What an image holds, and what it must not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.checks.history import instruction, short
from workshop.model import Check, Failed, check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workshop.analysis.image.image import Image
    from workshop.analysis.image.rebuild import Rebuild
    from workshop.analysis.source import Source


def contains(*paths: str, lesson: str, what: str = "The application is in the image") -> Check:
    """These files are in the image."""

    @check(
        points=1,
        lesson=lesson,
        name="contains-the-application",
        title=what,
        why="A container sees what was copied into its image, and nothing of your folder.",
        hint="COPY the folder after WORKDIR, and look whether .dockerignore leaves too much out.",
    )
    def contains_the_application(image: Image) -> None:
        for path in paths:
            if path.lstrip("/") not in image.tree:
                raise Failed(f"{path} is not in the image", f"{path} in the image")

    return contains_the_application


def contains_no_secrets(lesson: str, points: int = 2) -> Check:
    """What .dockerignore has to hold back is in no layer."""
    local = ".env"

    def said(source: Source) -> None:
        copies_all = any(
            step.keyword in {"COPY", "ADD"}
            and not any(name == "from" for name, _ in step.flags)
            and any(value.rstrip("/") in {".", "*"} for value in step.values[:-1])
            for step in source.final().instructions
        )
        if copies_all and not source.ignores(local, source.recipe.context):
            raise Failed(f"the whole folder is copied, {local} with it", f"{local} ignored")

    @check(
        points=points,
        lesson=lesson,
        text=said,
        why="Whoever gets the image can read every file of every layer, deleted ones too.",
        hint="List .env, .git and .venv in .dockerignore (lower case); copy only what is needed.",
    )
    def contains_no_secrets(image: Image) -> None:
        """No secret or local file (.env, .git, .venv) gets into the image."""
        if image.found:
            places = sorted({_place(found.where, found.path) for found in image.found})
            raise Failed(
                f"what was in .env, .git and .venv is in the image: {'; '.join(places[:3])}",
                "those files kept out by .dockerignore",
            )

    return contains_no_secrets


def leaves_nothing(  # noqa: PLR0913 - the parts of a check, and a pattern
    name: str, title: str, pattern: str, lesson: str, hint: str, *, points: int = 1
) -> Check:
    """No layer of the learner's own holds a file whose path matches `pattern`."""
    matches = re.compile(pattern).search

    @check(
        points=points,
        lesson=lesson,
        name=name,
        title=title,
        why="A layer keeps what it was made with: what a later layer deletes is only hidden.",
        hint=hint,
    )
    def leaves(image: Image) -> None:
        for number in image.own:
            kept = [e for e in image.layers[number].entries if e.kind == "file" and matches(e.path)]
            if size := sum(entry.size for entry in kept):
                raise Failed(
                    f"{size / 1e6:.1f} MB in {len(kept)} files such as /{kept[0].path}, stored by "
                    f"{instruction(image, number)}",
                    "no such file in any layer",
                    layer=number,
                )

    return leaves


def installs(packages: Mapping[str, str], lesson: str, points: int = 1) -> Check:
    """These Python packages are installed, in these versions (empty: in any)."""
    listed = ", ".join(f"{name} {version}".strip() for name, version in packages.items())

    @check(
        points=points,
        lesson=lesson,
        name="installs-packages",
        title=f"Installed: {listed}",
        why="A version that is not written down is another one next month.",
        hint="Name each package with its version (PACKAGE==VERSION), or install what is locked.",
    )
    def installs_packages(image: Image) -> None:
        found = image.packages()
        for name, version in packages.items():
            versions = {item[1] for item in found.get(name.lower(), ())}
            if not versions or (version and version not in versions):
                actual = f"{name} {' and '.join(sorted(versions)) or 'is not installed'}"
                raise Failed(actual, f"{name} {version}".strip())

    return installs_packages


def leaves_out(*packages: str, lesson: str, points: int = 1) -> Check:
    """None of these Python packages can be imported."""

    @check(
        points=points,
        lesson=lesson,
        name="no-development-packages",
        title="Packages for development are not installed",
        why="They make the image larger, and every one is one more thing that can be attacked.",
        hint="Install with --only main (poetry), --no-dev (uv), or from a list without them.",
    )
    def no_development_packages(image: Image) -> None:
        found = image.packages()
        if extra := [name for name in packages if name in found]:
            raise Failed(
                f"{', '.join(extra)} can be imported", "the packages of the application alone"
            )

    return no_development_packages


def caches_dependencies(lesson: str, points: int = 2) -> Check:
    """An edited line of the source leaves every layer with installed packages as it was."""

    @check(
        points=points,
        lesson=lesson,
        why="Docker makes a layer anew when a file it copies, or any layer before it, has changed.",
        hint="Copy the list of packages first, install them, and copy the source after that.",
    )
    def caches_dependencies(rebuild: Rebuild) -> None:
        """After an edit of the source, installed packages come from the cache."""
        image, own = rebuild.image, set()
        for key, versions in image.packages().items():
            for name, _, path in versions:
                layer = image.layer_of(path) or 0
                if layer not in image.own or name == rebuild.project:
                    continue
                own.add(key)
                # What is copied from an earlier stage was not installed here.
                copied = instruction(image, layer).startswith(("COPY ", "ADD "))
                if not copied and not rebuild.reuses(layer):
                    raise Failed(
                        f"after one changed line in {rebuild.edited}, {name} was installed anew by "
                        f"{instruction(image, layer)}",
                        "the layers with packages reused, and only the source copied anew",
                        layer=layer,
                    )
        for key in sorted(own & rebuild.installed.keys()):
            raise Failed(
                f"after one changed line in {rebuild.edited}, {key} was installed anew by "
                f"{short(rebuild.installed[key])}",
                "no package installed again, and only the source copied anew",
            )

    return caches_dependencies


def _place(where: object, path: str) -> str:
    return f"/{path} in layer {where}" if isinstance(where, int) else f"the image's {where}"
