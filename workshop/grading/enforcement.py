"""Tries which limits the engine really enforces, with small programs that exceed them."""

from __future__ import annotations

import contextlib
import secrets
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.analysis.container.app import LIMITS
from workshop.analysis.dockerfile.parser import parse
from workshop.core.errors import UserError
from workshop.core.sizes import MB
from workshop.engine import Build, BuildError
from workshop.grading import cleanup
from workshop.grading.containment import Containment
from workshop.grading.limits import CLASS
from workshop.grading.references import base_images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from workshop.engine import Engine
    from workshop.grading.cache import Cache

# Small, so that the attempts take little of the machine even where nothing stops them.
TINY = CLASS._replace(memory=48 * MB, processes=24, disk=48 * MB, seconds=20.0)

# Each step ends well only if nothing limits it.
_BUILDS: Mapping[str, str] = {
    # `tail` keeps what it reads until the end.
    "build memory": "head -c 120000000 /dev/zero | tail > /dev/null",
    "build processes": "i=0; while [ $i -lt 60 ]; do sleep 2 & i=$((i+1)); done; wait",
    "build disk": "for i in 1 2 3; do head -c 30000000 /dev/zero > /$i; done; sleep 8",
}
_CONNECT = "timeout 3 bash -c 'exec 3<>/dev/tcp/{host}/{port}'"
_MOUNT = "--mount=type=cache,id={nonce},target=/kept"
_RUNS: Mapping[str, tuple[list[str], str]] = {
    "run memory": (["--memory=16m", "--memory-swap=16m"], "head -c 64000000 /dev/zero | tail"),
    "run processes": (["--pids-limit=8"], _BUILDS["build processes"]),
}


class Probe:
    """Tries each limit once, and removes what the attempts leave behind."""

    def __init__(self, engine: Engine, cache: Cache) -> None:
        self._engine, self._runs, self._nonce = engine, cache.runs, secrets.token_hex(6)
        name = f"workshop-probe-{self._nonce}"
        self._name, self._record = name, cleanup.new_record(cache.runs, name)
        self._base = next((image for image in sorted(base_images()) if engine.has(image)), "")

    def run(self) -> dict[str, bool]:
        """Return whether each limit held, by its name.

        Raise `UserError` if there is no base image to try with.
        """
        if not self._base:
            found = "no base image of the course is on this machine"
            raise UserError("the limits of the engine", found, "Run workshop bases")
        tries: dict[str, Callable[[], bool]] = {
            **{name: partial(self._stops, step) for name, step in _BUILDS.items()},
            **{name: partial(self._stops_run, name) for name in _RUNS},
            "host ports": self._hides_ports,
            "cache mounts": self._separates_cache_mounts,
        }
        try:
            with ThreadPoolExecutor(len(tries)) as threads:
                results = {name: threads.submit(attempt) for name, attempt in tries.items()}
                return {name: result.result() for name, result in results.items()}
        finally:
            self._record.remove(self._engine)

    def _stops(self, step: str) -> bool:
        return not self._build(f"RUN : {self._nonce}; {step}")

    def _stops_run(self, name: str) -> bool:
        options, program = _RUNS[name]
        container = self._record.record("containers", f"{self._name}-{name.replace(' ', '-')}")
        argv = ("sh", "-c", f"set -e; {program} > /dev/null")
        all_options = [*LIMITS, "--network=none", *options]
        return self._engine.run(container, self._base, all_options, argv, timeout=30).code != 0

    def _hides_ports(self) -> bool:
        with _listen() as (host, port, visitors):
            self._build(f"RUN : {self._nonce}; {_CONNECT.format(host=host, port=port)}")
        return not visitors

    def _separates_cache_mounts(self) -> bool:
        mount = _MOUNT.format(nonce=self._nonce)
        self._build(f"RUN {mount} touch /kept/{self._nonce}", "one")
        return not self._build(f"RUN {mount} test -e /kept/{self._nonce}", "another")

    def _build(self, step: str, owner: str = "probe") -> bool:
        """Whether an image with one step can be built within tiny limits."""
        text = f"FROM {self._base}\n{step}\n"
        tag = self._record.record("images", f"{self._name}-{secrets.token_hex(4)}")
        record = cleanup.new_record(self._runs, tag)
        with (
            tempfile.TemporaryDirectory() as folder,
            Containment(self._engine, record, TINY, owner) as containment,
        ):
            file = Path(folder, "Dockerfile")
            file.write_text(text, encoding="ascii")
            options, arguments = containment.build_options(parse(text)), containment.build_arguments
            build = Build(tag, file.parent, file, arguments=arguments, options=options)
            try:
                self._engine.build(build, lambda _: None, TINY.seconds)
            except BuildError:
                return False
            finally:
                record.remove(self._engine)
        return True


def probe(engine: Engine, cache: Cache) -> dict[str, bool]:
    """Return which limits of builds and runs the engine enforces, by their names."""
    return Probe(engine, cache).run()


@contextlib.contextmanager
def _listen() -> Iterator[tuple[str, int, list[str]]]:
    """Listen on a port of this machine; yield its address, the port and who has connected."""
    visitors: list[str] = []
    host = own_address()
    with socket.create_server((host, 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, (address, _) = server.accept()
                    visitors.append(address)
                    connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield host, server.getsockname()[1], visitors
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        thread.join(1)


def own_address() -> str:
    """Return an address of this machine that containers can ask; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(asked.getsockname()[0])
