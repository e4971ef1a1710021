"""Network namespaces of Linux: listen on a port where only a build step can reach it.

They need the root user, on the machine where the engine runs.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET of <sched.h>
_OWN = "/proc/thread-self/ns/net"
_BACKLOG = 128


def find(processes: Iterable[int], proc: Path = Path("/proc")) -> dict[int, int]:
    """Return the network namespaces of processes, but for one's own: number and a process."""
    own = (proc / "self/ns/net").stat().st_ino
    found = {}
    for process in processes:
        with contextlib.suppress(OSError):
            found[(proc / f"{process}/ns/net").stat().st_ino] = process
    found.pop(own, None)
    return found


def listen(process: int, port: int) -> socket.socket:
    """Return a socket that listens on `port` in the network namespace of a process.

    Raise `OSError` if the process has ended, or the port is in use there.
    """
    with _joined(process):
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            # Every address: the loopback interface may have none yet.
            found.bind(("0.0.0.0", port))  # noqa: S104 - in there, it is the only interface
            found.listen(_BACKLOG)
        except OSError:
            found.close()
            raise
        return found


@contextlib.contextmanager
def _joined(process: int) -> Iterator[None]:
    """Let this thread, and no other one, use the network namespace of a process."""
    with Path(_OWN).open("rb") as own, Path(f"/proc/{process}/ns/net").open("rb") as other:
        _join(other.fileno())
        try:
            yield
        finally:
            _join(own.fileno())


def _join(namespace: int) -> None:
    # Python has os.setns only from 3.12 on.
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(namespace, _NEW_NETWORK):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
