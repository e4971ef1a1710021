"""The bench on which a submission is taken apart: what can be known of it, each fact made once.

Facts are made side by side, each when another or a check asks for it. Whatever they leave in the
engine or on the disk is gone when the bench is closed.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shutil
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

from workshop.analysis.built_source import BuiltSource
from workshop.analysis.container import app
from workshop.analysis.container.health_check import health
from workshop.analysis.container.shutdown import KILLED, SECONDS_TO_STOP
from workshop.analysis.image import assembly, docker_save
from workshop.analysis.image.rebuild import Rebuild, installed
from workshop.core.errors import UserError
from workshop.core.sanitise import plain
from workshop.engine import STANDIN_LABEL, Build, BuildError, Engine, EngineUnavailableError
from workshop.grading import cleanup
from workshop.grading.build_context import stage
from workshop.model import Failed, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from workshop.analysis.compose import BuildSpec
    from workshop.analysis.container.app import App, Prober, Run
    from workshop.analysis.container.health_check import HealthResult
    from workshop.analysis.container.shutdown import Shutdown
    from workshop.analysis.container.stack import Plan, Stack
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source
    from workshop.grading.cache import Cache
    from workshop.model import Task

SECONDS_TO_BUILD = 900.0
_WORKERS = 32
_PLAIN = re.compile(r"[\w./-]+")


class Evaluation:
    """The facts of one submission, by the names that checks ask for them."""

    def __init__(  # noqa: PLR0913 - what it works with, and how patient it is
        self,
        engine: Engine,
        source: Source,
        cache: Cache,
        *,
        say: Callable[[str], None] = lambda _: None,
        build_seconds: float = SECONDS_TO_BUILD,
        start_seconds: float = app.SECONDS_TO_START,
    ) -> None:
        self.engine, self.source, self.cache, self._say = engine, source, cache, say
        self._build_seconds, self._start_seconds = build_seconds, start_seconds
        self._name = f"workshop-check-{secrets.token_hex(6)}"
        self._ledger = cleanup.ledger(cache.runs, self._name)
        self._facts: dict[tuple[str, str], Future[Any]] = {}
        self._lock = Lock()
        self._threads = ThreadPoolExecutor(_WORKERS)
        self._end = contextlib.ExitStack()

    @property
    def task(self) -> Task:
        """What is graded."""
        return self.source.task

    def __enter__(self) -> Self:
        self._folder = Path(
            self._ledger.note("folders", tempfile.mkdtemp(prefix="workshop-check-"))
        )
        self._threads.submit(cleanup.sweep, self.cache.runs, self.engine)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A door of its own: after an interruption, the other one starts no more programs.
        cleaner = Engine()
        try:
            # Whoever waits for a container, waits no longer.
            cleaner.remove(*self._ledger.containers)
            self._threads.shutdown(wait=True, cancel_futures=True)
            self._end.close()
        finally:
            self._ledger.tidy(cleaner)

    def prepare(self, needs: str, of: str) -> Future[Any]:
        """Begin to make a fact, where nobody has yet."""
        with self._lock:
            key = (needs, of)
            if key not in self._facts:
                make = self.task.facts.get(needs) or getattr(type(self), f"_make_{needs}")
                self._facts[key] = self._threads.submit(make, self, of)
            return self._facts[key]

    def fact(self, needs: str, of: str) -> Any:  # noqa: ANN401 - as many types as names
        """The fact; whatever went wrong in its making is raised."""
        return self.prepare(needs, of).result()

    def made(self, needs: str, of: str) -> Any:  # noqa: ANN401 - as `fact`
        """The fact where it was made, and came to be; else None."""
        future = self._facts.get((needs, of))
        return future.result() if future and future.done() and not future.exception() else None

    @property
    def on_standins(self) -> bool:
        """Whether an image was built on a stand-in: they say so themselves, in a label."""
        read = [self.made("image", recipe.name) for recipe in self.task.recipes]
        if any(read):
            return any(STANDIN_LABEL in image.labels for image in read if image)
        with contextlib.suppress(UserError):
            return any(self.engine.standin_for(image) for image in self._ledger.images)
        return False

    # For the facts that tasks make themselves.

    def run(self, of: str, purpose: str, *, mount: Path | None = None) -> Run:
        """Run an image to its end, with `mount` over its own copy of that folder."""
        recipe = self._recipe(of)
        options = [*_options(recipe), *self._mounted(of, mount)]
        name = self._container(f"{of}-{purpose}")
        built = self.fact("built", of)
        return app.run_to_end(self.engine, name, built, options=options, seconds=recipe.seconds)

    def start(self, of: str, mount: Path | None = None, purpose: str = "app") -> App:
        """Run an image as a server, and do not wait for it."""
        recipe, prober = self._recipe(of), self.prepare("prober", of)
        built = self.fact("built", of)
        options = [*_options(recipe), *self._mounted(of, mount)]
        running = app.App(self.engine, self._container(f"{of}-{purpose}"), prober.result(), mount)
        running.start(built, options, recipe.command)
        return running

    def copy(self, purpose: str) -> Path:
        """One more copy of the folder that is built, to be changed."""
        folder = self._folder / f"{self.task.name}-{purpose}"
        shutil.copytree(self.fact("staged", ""), folder, symlinks=True)
        return folder

    def build(self, of: str, folder: Path, purpose: str) -> Image:
        """What a changed copy of the folder becomes."""
        return self._read(of, self._build(self._recipe(of), folder, purpose))

    def build_as(self, recipe: Recipe, purpose: str) -> str:
        """The id of what the folder becomes by another recipe than the task's."""
        return self._build(recipe, self.fact("staged", ""), purpose)

    def container(self, purpose: str) -> str:
        """A container's name, which is removed in the end."""
        return self._container(purpose)

    def volume(self, purpose: str) -> str:
        """A volume's name, which is removed in the end."""
        return self._ledger.note("volumes", f"{self._name}-{purpose}")

    def _mounted(self, of: str, folder: Path | None) -> list[str]:
        """The options that mount a folder where the image has the one of that name."""
        if folder is None:
            return []
        image: Image = self.fact("image", of)
        places = {path.rpartition("/")[0] for path in image.find(f"**/{self._recipe(of).edit}")}
        targets = places or {f"{image.workdir}/{folder.name}".lstrip("/")}
        # A comma in a folder's name would add words of its own to the option.
        plain = sorted(target for target in targets if _PLAIN.fullmatch(target))
        return [f"--mount=type=bind,source={folder},target=/{target}" for target in plain]

    def _recipe(self, of: str) -> Recipe:
        return self.task.recipe(of)

    def _container(self, purpose: str) -> str:
        return self._ledger.note("containers", f"{self._name}-{purpose}")

    # Each _make_NAME makes the fact called NAME.

    def _make_source(self, of: str) -> Source:
        return self.source._replace(of=of)

    def _make_staged(self, _of: str) -> Path:
        """The folder as it is built: the learner's files, the starter's, and secrets to lose."""
        folder = self._folder / self.task.name
        folder.mkdir()
        stage(self.source, folder, self.cache.canary)
        return folder

    def _make_built(self, of: str) -> str:
        """The id of the built image."""
        recipe = self._recipe(of)
        base = self.source.final(recipe).base
        built = self._build(recipe, self.fact("staged", ""), "image")
        if base == "scratch" and self.engine.inspect(built, "{{len .RootFS.Layers}}") == "0":
            raise Failed("the image is empty: there is not one file in it", "a program to run")
        return built

    def _make_image(self, of: str) -> Image:
        return self._read(of, self.fact("built", of))

    def _read(self, of: str, built: str) -> Image:
        found = self.cache.image(built)
        if found is None:
            found = self._assembled(built) or self._saved(built)
            self.cache.keep(built, found)
        return replace(found, base=self._base(found, self.source.final(self._recipe(of)).base))

    def _assembled(self, built: str) -> Image | None:
        said = json.loads(self.engine.inspect(built, "{{json .}}"))
        history = self.engine.history(built)
        return assembly.assemble(said, history, self.cache.layer, self.cache.canary)

    def _saved(self, built: str) -> Image:
        with self.engine.save(built) as stream:
            return docker_save.read(stream, canaries=[self.cache.canary.encode()])

    def _make_built_source(self, of: str) -> BuiltSource:
        return BuiltSource(self.fact("source", of), self.fact("image", of))

    def _base(self, built: Image, name: str) -> int:
        """How many layers came with the base image; nothing does with `scratch`."""
        known = self.cache.get_value("base", built.id, name)
        if known is None:
            layers = json.loads(self.engine.inspect(name, "{{json .RootFS.Layers}}") or "[]")
            known = built.shared(layers)
            self.cache.put_value(known, "base", built.id, name)
        return int(known)

    def _make_rebuild(self, of: str) -> Rebuild:
        recipe, before = self._recipe(of), self.fact("image", of)
        # All that the outcome depends on.
        text = self.source.read(self.source.path(recipe))
        key = ("remade", before.id, text, recipe.target, recipe.edit)
        known = self.cache.get_value(*key)
        if known is None:
            known = self._after_edit(recipe)
            self.cache.put_value(known, *key)
        layers, again = known
        return Rebuild(before, recipe.edit, recipe.project, tuple(layers), again)

    def _after_edit(self, recipe: Recipe) -> tuple[list[str], dict[str, str]]:
        """The digests of the layers, and the packages that were installed again."""
        folder = self.copy(f"edited{recipe.name}")
        # What nobody has built before cannot come from a cache.
        with (folder / recipe.context / recipe.edit).open("a", encoding="utf-8") as file:
            file.write(f"\n# {secrets.token_hex(8)}\n")
        lines: list[str] = []
        built = self._build(recipe, folder, "rebuild", facts=lines.append)
        layers = json.loads(self.engine.inspect(built, "{{json .RootFS.Layers}}"))
        return layers, installed("\n".join(lines))

    def _make_prober(self, of: str) -> Prober:
        name = self._container(f"{of or 'app'}-prober")
        return self._end.enter_context(app.probing(self.engine, name))

    def _make_app(self, of: str) -> App:
        recipe = self._recipe(of)
        mount = self.copy(of) / recipe.context / recipe.edit if recipe.mount else None
        running = self.start(of, mount and mount.parent)
        running.wait_for(recipe.port, self._start_seconds)
        return running

    def _make_run(self, of: str) -> Run:
        recipe, built = self._recipe(of), self.fact("built", of)
        name = self._container(of or "run")
        done = app.run_to_end(
            self.engine,
            name,
            built,
            options=_options(recipe),
            command=recipe.command,
            seconds=recipe.seconds,
        )
        config = json.loads(self.engine.inspect(built, "{{json .Config}}"))
        words = [*(config.get("Entrypoint") or ()), *(recipe.command or config.get("Cmd") or ())]
        return replace(done, command=" ".join(words))

    def _make_health(self, of: str) -> HealthResult:
        built, image, running = (self.fact(needs, of) for needs in ("built", "image", "app"))
        return health(self.engine, self._container(f"{of or 'app'}-health"), built, image, running)

    def _make_shutdown(self, of: str) -> Shutdown:
        running: App = self.fact("app", of)
        shutdown = running.stop()
        if shutdown.seconds <= SECONDS_TO_STOP or shutdown.code == KILLED:
            return shutdown
        # A machine with much to do takes its time with everything: once more.
        again = self.start(of, running.folder, "again")
        again.wait_for(self._recipe(of).port, self._start_seconds)
        return min(shutdown, again.stop(), key=lambda shutdown: shutdown.seconds)

    def _make_stack(self, _of: str) -> Stack:
        from workshop.analysis.container import stack  # noqa: PLC0415 - most tasks have no compose file

        plan = stack.plan(self.source, self.fact("staged", ""), self.cache.canary)
        images = self._build_services(plan)
        project = self._ledger.note("projects", f"{self._name}-stack")
        running = stack.Stack(self.engine, project, plan, self._probe)
        for service in plan.services:
            # Killed one by one, they need not be waited for.
            self._ledger.note("containers", running.container(service))
        running.up(images)
        return running

    def _build_services(self, plan: Plan) -> dict[str, str]:
        """The image of each service, built side by side."""

        def build(number: int, spec: BuildSpec) -> str:
            # Not the service's own name, which may have capitals.
            recipe = Recipe(f"{number}", spec.dockerfile, spec.context, spec.target)
            try:
                return self._build(recipe, plan.folder, "stack", spec.args)
            except Failed as failed:
                failed.line = spec.line
                raise

        built = self._threads.map(build, range(len(plan.builds)), plan.builds.values())
        return dict(zip(plan.builds, built, strict=True))

    def _probe(self, container: str) -> Prober:
        """A prober on the network of a container that runs."""
        name = self._container(f"prober-{secrets.token_hex(2)}")
        return self._end.enter_context(app.probing(self.engine, name, f"container:{container}"))

    def _build(
        self,
        recipe: Recipe,
        folder: Path,
        purpose: str,
        arguments: Mapping[str, str] | None = None,
        facts: Callable[[str], None] | None = None,
    ) -> str:
        tag = f"{self._name}-{purpose}{recipe.name and '-'}{recipe.name}"
        self._ledger.note("images", tag)
        id_file = self._folder / f"{tag}.id"
        context = folder / recipe.context
        file = context / recipe.dockerfile
        progress = "rawjson" if facts else "plain"
        build = Build(
            tag, context, file, recipe.target, arguments or {}, id_file=id_file, progress=progress
        )
        try:
            self.engine.build(build, facts or self._say, self._build_seconds)
        except BuildError as failed:
            raise Failed(plain(failed.found), "a build that comes to its end") from None
        except EngineUnavailableError:
            raise
        except UserError:
            # A name that no stage has is asked of a registry, which may not be there.
            if not self.task.compose:
                self.source.check_stage_names(recipe)
            raise
        return id_file.read_text(encoding="ascii")


def _options(recipe: Recipe) -> list[str]:
    return [f"--env={name}={value}" for name, value in recipe.environment.items()]
