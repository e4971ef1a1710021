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

from workshop.analysis.container.app import LIMITS, run_to_end
from workshop.analysis.container.excess import RunLimits
from workshop.core.errors import UserError
from workshop.core.sizes import MB
from workshop.engine import Build, BuildError
from workshop.grading import cleanup
from workshop.grading.cache_scope import CacheScope
from workshop.grading.containment import Containment
from workshop.grading.egress import PORT
from workshop.grading.enforcement_services import BUSY, probe_services
from workshop.grading.limits import CLASS
from workshop.grading.references import base_images
from workshop.model import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from workshop.engine import Engine
    from workshop.grading.cache import Cache
    from workshop.grading.limits import Limits

# Small, so that the attempts take little of the machine even where nothing stops them.
TINY = CLASS._replace(memory=48 * MB, processes=24, disk=48 * MB, seconds=30.0)

# Each step ends well only if nothing limits it.
_BUILDS: Mapping[str, str] = {
    # `tail` keeps what it reads until the end.
    "build memory": "head -c 120000000 /dev/zero | tail > /dev/null",
    "build processes": "i=0; while [ $i -lt 60 ]; do sleep 2 & i=$((i+1)); done; wait",
    "build disk": "for i in 1 2 3; do head -c 30000000 /dev/zero > /$i; done; sleep 8",
}
_CONNECT = "timeout 3 bash -c 'exec 3<>/dev/tcp/{host}/{port}'"
# The two lines above the interfaces, and the loopback interface.
_HAS_INTERFACE = "test $(wc -l < /proc/net/dev) -gt 3"
_ASK_PROXY = """RUN : {nonce}; bash -c 'for try in $(seq 50); do \
    if exec 3<>/dev/tcp/127.0.0.1/{port}; then break; fi; sleep 0.1; done; \
    printf "CONNECT not-allowed.invalid:443 HTTP/1.1\\r\\n\\r\\n" >&3; \
    read -r line <&3; [[ $line == *403* ]]'"""
PROXY = "package proxy"
_SECONDS_OF_BUILD = 3.0
_BUSY = "timeout 2 sh -c 'while :; do :; done'; true"
_MOUNT = "--mount=type=cache,id={nonce},target=/kept"
_RUNS: Mapping[str, tuple[list[str], str]] = {
    "run memory": (["--memory=16m", "--memory-swap=16m"], "head -c 64000000 /dev/zero | tail"),
    "run processes": (["--pids-limit=8"], _BUILDS["build processes"]),
    "run processors": (["--cpu-quota=3000"], BUSY),
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
            "build time": self._ends_in_time,
            "build processors": self._throttles,
            "build network": partial(self._stops, _HAS_INTERFACE),
            PROXY: self._offers_proxy,
            "host ports": self._hides_ports,
            "run disk": self._stops_writing,
            "run output": self._stops_printing,
            "cache mounts": self._separates_cache_mounts,
        }
        try:
            with ThreadPoolExecutor(len(tries) + 1) as threads:
                services = threads.submit(
                    probe_services, self._engine, self._record, self._base, self._nonce
                )
                attempts = {name: threads.submit(attempt) for name, attempt in tries.items()}
                held = {name: result.result() for name, result in attempts.items()}
                return held | services.result()
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

    def _ends_in_time(self) -> bool:
        limits = TINY._replace(seconds=_SECONDS_OF_BUILD)
        return not self._build(f"RUN : {self._nonce}; sleep {2 * TINY.seconds}", limits=limits)

    def _throttles(self) -> bool:
        step, throttled = f"RUN : {self._nonce}; {_BUSY}", []
        limits = TINY._replace(cpus=0.05)
        self._build(step, limits=limits, on_end=lambda held: throttled.append(held.was_throttled))
        return any(throttled)

    def _offers_proxy(self) -> bool:
        return self._build(_ASK_PROXY.format(nonce=self._nonce, port=PORT))

    def _hides_ports(self) -> bool:
        with _listen() as (addresses, port, visitors):
            connects = (_CONNECT.format(host=host, port=port) for host in addresses)
            self._build(f"RUN : {self._nonce}; {'; '.join(connects)}; true")
        return not visitors

    def _stops_writing(self) -> bool:
        record = cleanup.new_record(self._runs, f"{self._name}-writer")
        name = record.record("containers", f"{self._name}-writer")
        argv = ("sh", "-c", f"set -e; {_BUILDS['build disk']}")
        with Containment(self._engine, record, TINY):
            options = [*LIMITS, "--network=none"]
            code = self._engine.run(name, self._base, options, argv, timeout=30).code
        record.remove(self._engine)
        return code != 0

    def _stops_printing(self) -> bool:
        name = self._record.record("containers", f"{self._name}-printer")
        limits = RunLimits(output=MB)
        try:
            run_to_end(self._engine, name, self._base, command=("yes",), seconds=20, limits=limits)
        except Failed:
            return True
        return False

    def _separates_cache_mounts(self) -> bool:
        mount = _MOUNT.format(nonce=self._nonce)
        self._build(f"RUN {mount} touch /kept/{self._nonce}", "one")
        return not self._build(f"RUN {mount} test -e /kept/{self._nonce}", "another")

    def _build(
        self,
        step: str,
        scope: str = "probe",
        *,
        limits: Limits | None = None,
        on_end: Callable[[Containment], None] = lambda _: None,
    ) -> bool:
        """Whether an image with one step can be built within tiny limits."""
        limits = limits or TINY
        text = f"FROM {self._base}\n{step}\n"
        tag = self._record.record("images", f"{self._name}-{secrets.token_hex(4)}")
        record = cleanup.new_record(self._runs, tag)
        with (
            tempfile.TemporaryDirectory() as folder,
            Containment(self._engine, record, limits, lambda _: False) as containment,
        ):
            file = Path(folder, "Dockerfile")
            file.write_text(text, encoding="ascii")
            caches = CacheScope(scope, "type=cache" in step)
            build = Build(
                tag,
                file.parent,
                file,
                arguments=containment.build_arguments(caches),
                options=containment.build_options(caches),
            )
            try:
                self._engine.build(build, lambda _: None, limits.seconds)
            except BuildError:
                return False
            finally:
                on_end(containment)
                record.remove(self._engine)
        return True


def probe(engine: Engine, cache: Cache) -> dict[str, bool]:
    """Return which limits of builds and runs the engine enforces, by their names."""
    return Probe(engine, cache).run()


@contextlib.contextmanager
def _listen() -> Iterator[tuple[list[str], int, list[str]]]:
    """Listen on a port of this machine; yield its addresses, the port and who has connected."""
    visitors: list[str] = []
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    with socket.create_server(("", 0), family=family, dualstack_ipv6=both) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, (address, *_) = server.accept()
                    visitors.append(address)
                    connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        addresses = [own_address(), *([own_address(socket.AF_INET6)] if both else [])]
        yield addresses, server.getsockname()[1], visitors
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        thread.join(1)


# Addresses that nobody has, which are kept for documentation.
_NOBODY = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def own_address(family: socket.AddressFamily = socket.AF_INET) -> str:
    """Return an address of this machine that containers can ask; nothing is sent."""
    with socket.socket(family, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect((_NOBODY[family], 9))
        except OSError:
            return "127.0.0.1" if family == socket.AF_INET else "::1"
        return str(asked.getsockname()[0])
