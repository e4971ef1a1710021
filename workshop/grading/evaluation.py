"""Builds and runs one submission, and provides the facts that its checks need.

Each fact is made at most once, in a thread, when a check or another fact needs it.
"""

from __future__ import annotations

import contextlib
import functools
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

from workshop.analysis.build_progress import find_started
from workshop.analysis.built_source import BuiltSource
from workshop.analysis.container import app
from workshop.analysis.container.health_check import run_health_check
from workshop.analysis.container.prober_client import run_prober
from workshop.analysis.container.shutdown import KILLED, SECONDS_TO_STOP
from workshop.analysis.image.rebuild import Rebuild
from workshop.core.errors import UserError
from workshop.engine import STANDIN_LABEL, Engine
from workshop.grading import cleanup
from workshop.grading.build_context import create_build_context
from workshop.grading.builds import Builder
from workshop.grading.containment import Containment
from workshop.grading.limits import OWN
from workshop.model import Failed, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.analysis.container.app import App, Run
    from workshop.analysis.container.health_check import HealthResult
    from workshop.analysis.container.prober_client import Prober
    from workshop.analysis.container.shutdown import Shutdown
    from workshop.analysis.container.stack import Stack
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source
    from workshop.grading.cache import Cache
    from workshop.grading.limits import Limits
    from workshop.grading.package_hosts import PackageHosts
    from workshop.grading.proxy import Origin
    from workshop.model import Task

_WORKERS = 32
_SAFE_PATH = re.compile(r"[\w./-]+")


class Evaluation:
    """The facts of one submission, by name.

    A context manager: when the block ends, everything is removed that was created in the engine
    and on the disk. `on_line` receives BuildKit's output. `is_shared` tells that the engine grades
    others' submissions too. `build_seconds` replaces the time in `limits`.
    """

    def __init__(  # noqa: PLR0913 - its parts, and two time-outs
        self,
        engine: Engine,
        source: Source,
        cache: Cache,
        *,
        on_line: Callable[[str], None] = lambda _: None,
        limits: Limits = OWN,
        is_shared: bool = False,
        build_seconds: float | None = None,
        start_seconds: float = app.SECONDS_TO_START,
    ) -> None:
        self.engine, self.source, self.cache, self._on_line = engine, source, cache, on_line
        self._build_seconds, self._start_seconds = build_seconds or limits.seconds, start_seconds
        self._name = f"workshop-check-{secrets.token_hex(6)}"
        self._record = cleanup.new_record(cache.runs, self._name)
        self._containment = Containment(engine, self._record, limits, self._allows)
        self._is_shared = is_shared
        self._facts: dict[tuple[str, str], Future[Any]] = {}
        self._lock = Lock()
        self._threads = ThreadPoolExecutor(_WORKERS)
        self._probers = contextlib.ExitStack()

    @property
    def task(self) -> Task:
        """The task of the submission."""
        return self.source.task

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            # After an interrupt, `__exit__` is not called.
            self._record.remove(Engine())
            raise
        return self

    def _open(self) -> None:
        """Create the folder, and start what holds the evaluation within its limits."""
        self._folder = Path(tempfile.gettempdir()) / self._name
        self._record.record("folders", str(self._folder))
        self._folder.mkdir(mode=0o700)
        self._builder = Builder(
            self.engine,
            self.source,
            self.cache,
            self._record,
            self._name,
            self._folder,
            self._on_line,
            self._build_seconds,
            self._containment,
            self._is_shared,
        )
        self._containment.__enter__()
        self._threads.submit(cleanup.remove_stale, self.cache.runs, self.engine)

    def __exit__(self, *error: object) -> None:
        # After an interrupt, `self.engine` starts no further processes.
        engine = Engine()
        try:
            # Without their containers, waiting threads end at once.
            engine.remove(*self._record.names["containers"])
            self._threads.shutdown(wait=True, cancel_futures=True)
            self._probers.close()
        finally:
            self._containment.__exit__(*error)
            self._record.remove(engine)

    def prepare(self, needs: str, of: str) -> Future[Any]:
        """Start to make a fact, unless that has been done."""
        with self._lock:
            key = (needs, of)
            if key not in self._facts:
                make = self.task.facts.get(needs) or getattr(type(self), f"_make_{needs}")
                self._facts[key] = self._threads.submit(make, self, of)
            return self._facts[key]

    def fact(self, needs: str, of: str) -> Any:  # noqa: ANN401 - its type depends on `needs`
        """Return a fact, or raise the exception that was raised while making it."""
        future = self.prepare(needs, of)
        try:
            result = future.result()
        finally:
            # Whatever failed then, it failed because everything was stopped.
            if needs != "source":
                self._containment.check()
        if isinstance(result, app.App):
            result.check_limits()
        return result

    @property
    def standin_bases(self) -> bool:
        """Whether an image was built on a stand-in base image, which has a label."""
        images = [self._finished_image(recipe.name) for recipe in self.task.recipes]
        if any(images):
            return any(STANDIN_LABEL in image.labels for image in images if image)
        with contextlib.suppress(UserError):
            return any(self.engine.standin_for(tag) for tag in self._record.names["images"])
        return False

    def _finished_image(self, of: str) -> Image | None:
        future = self._facts.get(("image", of))
        finished = future and future.done() and not future.exception()
        return future.result() if future and finished else None

    # For facts that tasks make.

    def run(
        self, of: str, purpose: str, *, mount: Path | None = None, command: tuple[str, ...] = ()
    ) -> Run:
        """Run an image until it ends, with `mount` mounted over the same folder in the image."""
        recipe = self.task.recipe(of)
        options = [*self._options(recipe), *self._mount_options(of, mount)]
        return app.run_to_end(
            self.engine,
            self.container(f"{of}-{purpose}"),
            self.fact("image_id", of),
            options=options,
            command=command,
            seconds=recipe.seconds,
            limits=self._containment.run_limits,
        )

    def start(self, of: str, mount: Path | None = None, purpose: str = "app") -> App:
        """Start an image as a server, and return at once."""
        recipe, prober = self.task.recipe(of), self.prepare("prober", of)
        image_id = self.fact("image_id", of)
        options = [*self._options(recipe), *self._mount_options(of, mount)]
        running = app.App(
            self.engine,
            self.container(f"{of}-{purpose}"),
            prober.result(),
            mount,
            self._containment.run_limits,
        )
        running.start(image_id, options, recipe.command)
        return running

    def copy(self, purpose: str) -> Path:
        """Copy the build context to a new folder, which may be changed."""
        folder = self._folder / f"{self.task.name}-{purpose}"
        shutil.copytree(self.fact("build_context", ""), folder, symlinks=True)
        return folder

    def build(self, of: str, folder: Path, purpose: str) -> Image:
        """Build and read the image of a changed copy of the build context."""
        recipe = self.task.recipe(of)
        return self._builder.read_image(recipe, self._builder.build(recipe, folder, purpose))

    def build_as(self, recipe: Recipe, purpose: str) -> str:
        """Build the build context by a recipe that the task does not have; return the image id."""
        return self._builder.build(recipe, self.fact("build_context", ""), purpose)

    def build_steps(self, recipe: Recipe, folder: Path, purpose: str) -> tuple[str, str]:
        """Build a changed copy of the build context; return the image id and the JSON progress."""
        lines: list[str] = []

        def keep(line: str) -> None:
            lines.append(line)
            for name in find_started(line):
                self._on_line(f"#0 {name}")

        image_id = self._builder.build(recipe, folder, purpose, on_json=keep)
        return image_id, "\n".join(lines)

    def container(self, purpose: str) -> str:
        """Return a container name; the container is removed at the end."""
        return self._record.record("containers", f"{self._name}-{purpose}")

    def volume(self, purpose: str) -> str:
        """Return a volume name; the volume is removed at the end."""
        return self._record.record("volumes", f"{self._name}-{purpose}")

    @property
    def run_options(self) -> tuple[str, ...]:
        """The options of `docker run` that limit every container of the submission."""
        return self._containment.run_options

    def _options(self, recipe: Recipe) -> list[str]:
        variables = [f"--env={name}={value}" for name, value in recipe.environment.items()]
        return [*self.run_options, *variables]

    def _mount_options(self, of: str, folder: Path | None) -> list[str]:
        """Return options that mount `folder` wherever the image has the recipe's source file."""
        if folder is None:
            return []
        image: Image = self.fact("image", of)
        edit = self.task.recipe(of).edit
        parents = {path.rpartition("/")[0] for path in image.find(f"**/{edit}")}
        targets = parents or {f"{image.workdir}/{folder.name}".lstrip("/")}
        # A comma in a path would add fields to the option.
        safe = sorted(target for target in targets if _SAFE_PATH.fullmatch(target))
        return [f"--mount=type=bind,source={folder},target=/{target}" for target in safe]

    def _allows(self, origin: Origin) -> bool:
        """Whether builds without another network may reach a server."""
        return self._package_hosts.allows(origin)

    @functools.cached_property
    def _package_hosts(self) -> PackageHosts:
        # Most builds ask for nothing: their steps are cached.
        from workshop.grading.package_hosts import PackageHosts  # noqa: PLC0415

        def new_container() -> str:
            return self.container(f"sources-{secrets.token_hex(2)}")

        return PackageHosts(self.engine, self.cache, new_container)

    # Each _make_NAME makes the fact NAME.

    def _make_source(self, of: str) -> Source:
        return self.source._replace(of=of)

    def _make_build_context(self, _of: str) -> Path:
        folder = self._folder / self.task.name
        folder.mkdir()
        create_build_context(self.source, folder, self.cache.canary)
        return folder

    def _make_image_id(self, of: str) -> str:
        recipe = self.task.recipe(of)
        base = self.source.final(recipe).base
        image_id = self.build_as(recipe, "image")
        if base == "scratch" and self.engine.inspect(image_id, "{{len .RootFS.Layers}}") == "0":
            raise Failed("the image is empty: it has no files", "a program to run")
        return image_id

    def _make_image(self, of: str) -> Image:
        return self._builder.read_image(self.task.recipe(of), self.fact("image_id", of))

    def _make_built_source(self, of: str) -> BuiltSource:
        return BuiltSource(self.fact("source", of), self.fact("image", of))

    def _make_rebuild(self, of: str) -> Rebuild:
        recipe, before = self.task.recipe(of), self.fact("image", of)
        # Everything that the result depends on.
        dockerfile = self.source.read(self.source.path(recipe))
        key = ("rebuild", before.id, dockerfile, recipe.target, recipe.edit)
        known = self.cache.get_value(*key)
        if known is None:
            known = self._builder.build_after_edit(recipe, self.copy(f"edited{recipe.name}"))
            self.cache.put_value(known, *key)
        layers, installed = known
        return Rebuild(before, recipe.edit, recipe.project, tuple(layers), installed)

    def _make_prober(self, of: str) -> Prober:
        name = self.container(f"{of or 'app'}-prober")
        return self._probers.enter_context(run_prober(self.engine, name))

    def _make_app(self, of: str) -> App:
        recipe = self.task.recipe(of)
        mount = (self.copy(of) / recipe.context / recipe.edit).parent if recipe.mount else None
        running = self.start(of, mount)
        running.wait_for(recipe.port, self._start_seconds)
        return running

    def _make_run(self, of: str) -> Run:
        command = self.task.recipe(of).command
        done = self.run(of, "run", command=command)
        config = json.loads(self.engine.inspect(self.fact("image_id", of), "{{json .Config}}"))
        argv = [*(config.get("Entrypoint") or ()), *(command or config.get("Cmd") or ())]
        return replace(done, command=" ".join(argv))

    def _make_health(self, of: str) -> HealthResult:
        image_id, image, running = (self.fact(name, of) for name in ("image_id", "image", "app"))
        name = self.container(f"{of or 'app'}-health")
        limits = self.run_options
        return run_health_check(self.engine, name, image_id, image, running, limits=limits)

    def _make_shutdown(self, of: str) -> Shutdown:
        running: App = self.fact("app", of)
        shutdown = running.stop()
        if shutdown.seconds <= SECONDS_TO_STOP or shutdown.code == KILLED:
            return shutdown
        # A busy machine may have been too slow: try once more.
        again = self.start(of, running.folder, "again")
        again.wait_for(self.task.recipe(of).port, self._start_seconds)
        return min(shutdown, again.stop(), key=lambda shutdown: shutdown.seconds)

    def _make_stack(self, _of: str) -> Stack:
        # Most tasks have no compose file.
        from workshop.analysis.container import stack, stack_plan  # noqa: PLC0415

        folder = self.fact("build_context", "")
        plan = stack_plan.make_plan(self.source, folder, self.cache.canary)
        numbers, specs = range(len(plan.builds)), plan.builds.values()
        image_ids = self._threads.map(
            lambda number, spec: self._builder.build_service(number, spec, plan.folder),
            numbers,
            specs,
        )
        images = dict(zip(plan.builds, image_ids, strict=True))
        project = self._record.record("projects", f"{self._name}-stack")
        limits = self._containment.limits_of_services(len(plan.services))
        running = stack.Stack(self.engine, project, plan, self._probe, limits)
        for service in plan.services:
            # Recorded one by one, they are killed at the end without a wait.
            self._record.record("containers", running.container(service))
        running.up(images)
        return running

    def _probe(self, container: str) -> Prober:
        """Start a prober on the network of a running container."""
        name = self.container(f"prober-{secrets.token_hex(2)}")
        prober = run_prober(self.engine, name, f"container:{container}")
        return self._probers.enter_context(prober)
