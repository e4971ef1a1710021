"""Holds one evaluation within its limits, and names the limit that it exceeded."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Self

from workshop.analysis.container.excess import RunLimits
from workshop.core.sizes import format_bytes
from workshop.grading import cgroups
from workshop.grading.disk_watch import DiskWatch, written_by
from workshop.grading.limits import OWN, UNLIMITED, Limits
from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workshop.engine import BuildError, Engine
    from workshop.grading.cache_scope import CacheScope
    from workshop.grading.cgroups import CGroup
    from workshop.grading.cleanup import ResourceRecord
    from workshop.grading.egress import Egress
    from workshop.grading.proxy import Origin

# Of a container: as many as `docker run` allows for one's own work.
MAX_PROCESSES = 256
# What a shell, Python and others print if no process can be started, and if no file can grow.
_NO_PROCESS = re.compile(
    r"Cannot fork|fork: |Resource temporarily unavailable|can't start new thread|unable to fork"
)
_KILLED = re.compile(r"exit code: 137\b")
_FILE_TOO_LARGE = re.compile(r"File too large|File size limit exceeded|exit code: 153\b")


class Containment:
    """The limits of one evaluation, which hold until the block ends.

    `allows` tells which servers builds may reach if they have no other network; without it, they
    have one.
    """

    def __init__(
        self,
        engine: Engine | None = None,
        record: ResourceRecord | None = None,
        limits: Limits = OWN,
        allows: Callable[[Origin], bool] | None = None,
    ) -> None:
        self._engine, self._record, self.limits = engine, record, limits
        self._stack = contextlib.ExitStack()
        self._group: CGroup | None = None
        self._allows = allows
        self._egress: Egress | None = None
        self._excess: tuple[str, str] | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            if self.limits.memory and self._record and self._is_here and cgroups.is_available():
                self._group = self._create_group(stack.enter_context(cgroups.reserve()))
            is_open = self.limits.network or self.limits.packages == UNLIMITED
            if self._group and self._allows and not is_open:
                self._egress = stack.enter_context(self._create_egress(self._group, self._allows))
            if self.limits.disk and self._engine:
                watch = DiskWatch(
                    self._engine, self.limits.disk, self._find_folders, self._stop_writing
                )
                watch.start()
                stack.callback(watch.stop)
            self._stack = stack.pop_all()
        return self

    def _create_group(self, group: CGroup | None) -> CGroup | None:
        """Create the group; None where the kernel refuses it, which the probe of limits tells."""
        if group is None or self._record is None:
            return None
        self._record.record("cgroups", group.name)
        try:
            group.create(self.limits)
        except OSError:
            return None
        return group

    def _create_egress(self, group: CGroup, allows: Callable[[Origin], bool]) -> Egress:
        # Asyncio takes time to import, which one's own work need not wait for.
        from workshop.grading.egress import Egress  # noqa: PLC0415
        from workshop.grading.proxy import Proxy  # noqa: PLC0415

        return Egress(group.processes, Proxy(allows, self.limits.packages))

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def _is_here(self) -> bool:
        """Whether the engine runs on this machine, where its processes can be limited."""
        return self._engine is not None and self._engine.is_here

    def build_options(self, scope: CacheScope) -> tuple[str, ...]:
        """Return the options of `docker build` that limit a build."""
        if not self._group:
            return ()
        # Steps of different groups have different results: BuildKit reuses none of the other.
        parent = f"{self._group.parent}/{scope.id}" if scope.is_used else self._group.parent
        options = ("--cgroup-parent", parent, "--ulimit", f"fsize={self.limits.disk}")
        return (*options, *(self._egress.options if self._egress else ()))

    def build_arguments(self, scope: CacheScope) -> dict[str, str]:
        """Return the arguments of a build that give it separate cache mounts, and a proxy."""
        caches = {"BUILDKIT_CACHE_MOUNT_NS": scope.id} if scope.id else {}
        return {**caches, **(self._egress.arguments if self._egress else {})}

    @property
    def was_throttled(self) -> bool:
        """Whether builds had to wait because they used as much of the processors as they may."""
        return bool(self._group and self._group.was_throttled)

    @property
    def run_options(self) -> tuple[str, ...]:
        """The options of `docker run` that limit a container, added to those of every run."""
        if not self.limits.memory:
            return ()
        limits = self.run_limits
        return limits._replace(processes=min(limits.processes, MAX_PROCESSES)).options

    @property
    def run_limits(self) -> RunLimits:
        """The limits of a container; those of the services of a compose file together."""
        limits, most = self.limits, RunLimits()
        if not limits.memory:
            return most._replace(output=limits.log)
        memory = min(limits.memory, most.memory)
        return RunLimits(limits.log, memory, limits.processes, limits.disk, limits.cpus)

    def limits_of_services(self, count: int) -> RunLimits:
        """Return the limits of each of `count` services, which in a class share those of one."""
        return self.run_limits.share(count if self.limits.memory else 1)

    def check(self) -> None:
        """Raise `Failed` if the evaluation was stopped because it exceeded a limit."""
        if self._excess:
            raise Failed(*self._excess)

    def explain(self, failed: BuildError) -> Failed | None:
        """Return the limit that made a build fail; None if none did."""
        excess = self._excess or (self._group and self._find_excess(self._group, failed.output))
        if excess:
            return Failed(*excess, line=failed.line)
        return self._egress.explain(failed) if self._egress else None

    def _find_excess(self, group: CGroup, output: str) -> tuple[str, str] | None:
        """Return what a build used too much of, and how much it may use."""
        memory, disk = format_bytes(self.limits.memory), format_bytes(self.limits.disk)
        most = self.limits.processes
        if _NO_PROCESS.search(output) and group.ran_out_of_processes:
            needs = f"a build that needs at most {most} processes"
            return f"the build started more than {most} processes", needs
        if _KILLED.search(output) and group.ran_out_of_memory:
            needs = f"a build that needs at most {memory}"
            return f"the build used more than {memory} of memory", needs
        if _FILE_TOO_LARGE.search(output):
            needs = f"a build that writes at most {disk} to the disk"
            return f"the build wrote a file of more than {disk}", needs
        return None

    def _find_folders(self, disk: Path) -> Iterable[Path]:
        found = written_by(self._group.processes(), disk) if self._group else set()
        if self._engine and self._record:
            names = tuple(self._record.names["containers"])
            found |= set(map(Path, self._engine.folders(names)))
            # Each log may have one file, and begins the next one when that is full.
            if any(Path(f"{log}.1").is_file() for log in self._engine.log_files(names)):
                self._stop_printing()
        return found

    def _stop_writing(self) -> None:
        most = format_bytes(self.limits.disk)
        needs = f"at most {most} of files that it writes"
        self._stop_all((f"the submission wrote more than {most} to the disk", needs))

    def _stop_printing(self) -> None:
        most = format_bytes(self.limits.log)
        self._stop_all((f"a container printed more than {most}", f"at most {most} of output"))

    def _stop_all(self, excess: tuple[str, str]) -> None:
        self._excess = self._excess or excess
        if self._group:
            self._group.kill()
        if self._engine and self._record:
            for name in tuple(self._record.names["containers"]):
                self._engine.stop(name, 0)
