"""Holds one evaluation within its limits, and names the limit that it exceeded."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Self

from workshop.analysis.container.excess import RunLimits
from workshop.core.process import SubprocessRunner
from workshop.core.sizes import format_bytes
from workshop.grading import cgroups, firewall
from workshop.grading.disk_watch import DiskWatch, written_by
from workshop.grading.limits import OWN, Limits
from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from workshop.analysis.dockerfile.parser import Dockerfile
    from workshop.engine import BuildError, Engine
    from workshop.grading.cgroups import CGroup
    from workshop.grading.cleanup import ResourceRecord

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

    `owner` identifies the learner; it separates their cache mounts from those of others.
    """

    def __init__(
        self,
        engine: Engine | None = None,
        record: ResourceRecord | None = None,
        limits: Limits = OWN,
        owner: str = "",
    ) -> None:
        self._engine, self._record, self.limits, self._owner = engine, record, limits, owner
        self._stack = contextlib.ExitStack()
        self._group: CGroup | None = None
        self._excess = ""

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            if self.limits.memory and self._record and self._is_here and cgroups.is_available():
                self._group = self._create_group(stack.enter_context(cgroups.reserve()))
            if not self.limits.network and self._record and firewall.is_available():
                name = self._record.record("rules", self._record.name)
                run = SubprocessRunner()
                stack.callback(firewall.unblock, name, run)
                firewall.block(name, run)
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def _is_here(self) -> bool:
        """Whether the engine runs on this machine, where its processes can be limited."""
        return self._engine is not None and self._engine.is_here

    def build_options(self, parsed: Dockerfile | None) -> tuple[str, ...]:
        """Return the options of `docker build` that limit a build."""
        if not self._group:
            return ()
        parent = self._group.parent
        # BuildKit reuses the result of a step that used a cache mount, whatever was in it: another
        # learner's could have been prepared to change the result.
        if parsed and _uses_cache_mounts(parsed):
            parent += f"/{self._owner}"
        return ("--cgroup-parent", parent, "--ulimit", f"fsize={self.limits.disk}")

    @property
    def build_arguments(self) -> dict[str, str]:
        """The arguments of a build that give a learner separate cache mounts."""
        return {"BUILDKIT_CACHE_MOUNT_NS": self._owner} if self._owner else {}

    @property
    def run_options(self) -> tuple[str, ...]:
        """The options of `docker run` that limit a container, added to those of every run."""
        options = []
        if self.limits.memory:
            memory = self.run_limits.memory
            options += [f"--memory={memory}", f"--memory-swap={memory}"]
            options += [f"--ulimit=fsize={self.limits.disk}"]
            options += [f"--pids-limit={min(self.limits.processes, MAX_PROCESSES)}"]
        if self.limits.cpus:
            options.append(f"--cpus={self.limits.cpus}")
        return tuple(options)

    @property
    def run_limits(self) -> RunLimits:
        """The limits of a container that the kit itself observes."""
        most = RunLimits().memory
        return RunLimits(self.limits.log, min(self.limits.memory or most, most))

    def check(self) -> None:
        """Raise `Failed` if the evaluation was stopped because it exceeded a limit."""
        if self._excess:
            most = format_bytes(self.limits.disk)
            raise Failed(self._excess, f"at most {most} of files that it writes")

    def explain(self, failed: BuildError) -> Failed | None:
        """Return the limit that made a build fail; None if none did."""
        if self._excess:
            expected = f"at most {format_bytes(self.limits.disk)} of files that it writes"
            return Failed(self._excess, expected, line=failed.line)
        memory, most = format_bytes(self.limits.memory), self.limits.processes
        disk, line, output = format_bytes(self.limits.disk), failed.line, failed.output
        if not self._group:
            return None
        if _NO_PROCESS.search(output) and self._group.ran_out_of_processes:
            actual = f"the build started more than {most} processes"
            return Failed(actual, f"a build that needs at most {most} processes", line=line)
        if _KILLED.search(output) and self._group.ran_out_of_memory:
            actual = f"the build used more than {memory} of memory"
            return Failed(actual, f"a build that needs at most {memory}", line=line)
        if _FILE_TOO_LARGE.search(output):
            actual = f"the build wrote a file of more than {disk}"
            return Failed(actual, f"a build that writes at most {disk} to the disk", line=line)
        return None

    def _find_folders(self, disk: Path) -> Iterable[Path]:
        found = written_by(self._group.processes(), disk) if self._group else set()
        if self._engine and self._record:
            names = tuple(self._record.names["containers"])
            found |= set(map(Path, self._engine.folders(names)))
        return found

    def _stop_writing(self) -> None:
        most = format_bytes(self.limits.disk)
        self._excess = f"the submission wrote more than {most} to the disk"
        if self._group:
            self._group.kill()
        if self._engine and self._record:
            for name in tuple(self._record.names["containers"]):
                self._engine.stop(name, 0)


def _uses_cache_mounts(parsed: Dockerfile) -> bool:
    steps = (step for stage in parsed.stages for step in (*stage.triggers, *stage.instructions))
    values = [value for step in steps for name, value in step.flags if name == "mount"]
    return any("cache" in value or "$" in value for value in values)
