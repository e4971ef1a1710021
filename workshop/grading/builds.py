"""Builds the images of one evaluation, and reads what they contain."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from workshop.analysis.dockerfile import frontend
from workshop.analysis.dockerfile.build_step import find_line
from workshop.analysis.dockerfile.parser import parse
from workshop.analysis.image import assembly, docker_save
from workshop.analysis.image.rebuild import find_installed
from workshop.core.errors import UserError
from workshop.core.sanitise import plain
from workshop.engine import Build, BuildError, Engine, EngineUnavailableError
from workshop.grading import cache_scope
from workshop.grading.cache_scope import CacheScope
from workshop.grading.containment import Containment
from workshop.grading.references import check_addresses, check_base_names, check_references
from workshop.model import Failed, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from workshop.analysis.compose import BuildSpec
    from workshop.analysis.dockerfile.parser import Dockerfile
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source
    from workshop.grading.cache import Cache
    from workshop.grading.cleanup import ResourceRecord


@dataclass(frozen=True)
class Builder:
    """Builds images whose tags begin with `prefix`, and records each tag before it is used.

    `folder` receives the image ids; `on_line` receives BuildKit's output. If the engine `is_shared`
    with the submissions of others, they share no cache that one of them could have prepared.
    """

    engine: Engine
    source: Source
    cache: Cache
    record: ResourceRecord
    prefix: str
    folder: Path
    on_line: Callable[[str], None]
    timeout: float
    containment: Containment = field(default_factory=Containment)
    is_shared: bool = False

    def build(
        self,
        recipe: Recipe,
        folder: Path,
        purpose: str,
        arguments: Mapping[str, str] | None = None,
        on_json: Callable[[str], None] | None = None,
    ) -> str:
        """Build an image; return its id. `on_json` receives the progress as JSON lines."""
        tag = f"{self.prefix}-{purpose}{recipe.name and '-'}{recipe.name}"
        self.record.record("images", tag)
        id_file = self.folder / f"{tag}.id"
        context = folder / recipe.context
        file = context / recipe.dockerfile
        parsed = parse(file.read_bytes(), arguments) if file.is_file() else None
        if parsed:
            self._check_file(file, parsed)
        scope = CacheScope()
        if parsed and self.is_shared:
            # Of what was handed in: the scope stays when a check edits the copy, and builds again.
            scope = cache_scope.find(self.source.folder / recipe.context, recipe.dockerfile, parsed)
        build = Build(
            tag,
            context,
            file,
            recipe.target,
            {**(arguments or {}), **self.containment.build_arguments(scope)},
            id_file=id_file,
            progress="rawjson" if on_json else "plain",
            options=self.containment.build_options(scope),
        )
        try:
            self.engine.build(build, on_json or self.on_line, self.timeout)
        except BuildError as failed:
            raise self._failure(failed, parsed) from None
        except EngineUnavailableError:
            raise
        except UserError:
            # Docker pulls an unknown stage name from a registry, which may be out of reach.
            if not self.source.task.compose:
                self.source.check_stage_names(recipe)
            if parsed:
                check_base_names(parsed)
            raise
        return id_file.read_text(encoding="ascii")

    def _check_file(self, file: Path, parsed: Dockerfile) -> None:
        """Raise `Failed` if a Dockerfile must not reach the engine."""
        # Docker Engine 26 crashes if a file contains ARG alone.
        if not parsed.stages:
            line = None if self.source.task.compose else 1
            raise Failed("no FROM instruction", "a FROM that names the base image", line=line)
        # BuildKit would expand them in the memory of the engine: 30 lines `ENV A=$A$A` fill it.
        if parsed.excess:
            line = None if self.source.task.compose else parsed.excess.line
            raise Failed(parsed.excess.text, "variables with short values", line=line)
        self._check_frontend(file)
        if not self.containment.limits.network:
            check_addresses(parsed)
        check_references(self.engine, parsed)

    def _failure(self, failed: BuildError, parsed: Dockerfile | None) -> Failed:
        """Return the learner's failure: the limit that a build exceeded, or its last error."""
        failed.line = failed.line or (find_line(parsed, failed.output) if parsed else None)
        if self.source.task.compose:
            failed.line = None
        reason, expected = plain(failed.found), "a build that succeeds"
        found = Failed(reason, expected, line=failed.line, output=failed.output)
        return self.containment.explain(failed) or found

    def _check_frontend(self, file: Path) -> None:
        """Remove a `syntax` directive from `file`, a copy; raise `Failed` for a stranger's.

        BuildKit would pull the image that it names, and execute it. Docker's own is built in.
        """
        text = file.read_bytes().decode("utf-8", errors="surrogateescape")
        syntax = frontend.find_syntax(text)
        if not syntax or ("labs" in syntax and self.containment.limits.network):
            return
        if not frontend.is_official(syntax):
            line = None if self.source.task.compose else 1
            hint = "Remove the line: Docker needs none."
            raise Failed(f"syntax={syntax}", "syntax=docker/dockerfile:1", line=line, hint=hint)
        # A second build may read the file at the same time.
        draft = self.folder / f"{secrets.token_hex(4)}.draft"
        text = frontend.without_syntax(text)
        draft.write_bytes(text.encode("utf-8", errors="surrogateescape"))
        draft.replace(file)

    def build_service(self, number: int, spec: BuildSpec, folder: Path) -> str:
        """Build the image of a compose service; return its id."""
        # A service name may have capital letters, which a tag must not have.
        recipe = Recipe(f"{number}", spec.dockerfile, spec.context, spec.target)
        try:
            return self.build(recipe, folder, "stack", spec.args)
        except Failed as failed:
            failed.line = spec.line
            raise

    def build_after_edit(self, recipe: Recipe, folder: Path) -> tuple[list[str], dict[str, str]]:
        """Build after a change to `recipe.edit` in `folder`.

        Return the diff IDs of the layers, and the installed packages with their build steps.
        """
        # A random line cannot have been built before, so it is not cached.
        with (folder / recipe.context / recipe.edit).open("a", encoding="utf-8") as file:
            file.write(f"\n# {secrets.token_hex(8)}\n")
        lines: list[str] = []
        image_id = self.build(recipe, folder, "rebuild", on_json=lines.append)
        layers = json.loads(self.engine.inspect(image_id, "{{json .RootFS.Layers}}"))
        return layers, find_installed("\n".join(lines))

    def read_image(self, recipe: Recipe, image_id: str) -> Image:
        """Read an image from the cache, or else from the engine."""
        image = self.cache.image(image_id)
        if image is None:
            image = self._assemble(image_id) or self._read_saved(image_id)
            self.cache.save_image(image_id, image)
        return replace(image, base=self._count_base_layers(image, self.source.final(recipe).base))

    def _assemble(self, image_id: str) -> Image | None:
        inspected = json.loads(self.engine.inspect(image_id, "{{json .}}"))
        history = self.engine.history(image_id)
        return assembly.assemble(inspected, history, self.cache.layer, self.cache.canary)

    def _read_saved(self, image_id: str) -> Image:
        with self.engine.save(image_id) as stream:
            return docker_save.read(stream, canaries=[self.cache.canary.encode()])

    def _count_base_layers(self, image: Image, base: str) -> int:
        """Count the layers that come from the base image; `scratch` has none."""
        count = self.cache.get_value("base", image.id, base)
        if count is None:
            layers = json.loads(self.engine.inspect(base, "{{json .RootFS.Layers}}") or "[]")
            count = image.shared(layers)
            self.cache.put_value(count, "base", image.id, base)
        return int(count)
