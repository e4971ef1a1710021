"""What the tests of threats share: a listener, somebody's image, placeholders, the neighbour."""

from __future__ import annotations

import os
import re
import secrets
import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from harness import docker, run
from hostile.neighbour import Neighbour
from tars import file, tar

from workshop.analysis import source
from workshop.core.errors import UserError
from workshop.core.process import SubprocessRunner
from workshop.grading import cgroups, grade
from workshop.grading.cache import Cache
from workshop.grading.enforcement import own_address
from workshop.grading.evaluation import Evaluation
from workshop.grading.limits import CLASS
from workshop.machine.base_images import package_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from workshop.engine import Engine
    from workshop.grading.limits import Limits
    from workshop.model import Task, Verdict


class Listener:
    """A server on every address of this machine, which counts its visitors."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("0.0.0.0", 0))  # noqa: S104 - what is attacked
        self.port: int = self._socket.getsockname()[1]
        self.visitors: list[str] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, (address, _) = self._socket.accept()
            except OSError:
                return
            self.visitors.append(address)
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.close()


@pytest.fixture(scope="session")
def can_limit() -> bool:
    """Whether the kit can limit builds here: it needs root and cgroups."""
    return cgroups.is_available()


@pytest.fixture(scope="session")
def stolen_image(engine: Engine, tmp_path_factory) -> Iterator[str]:  # noqa: ARG001 - needs one
    """An image on this machine that holds somebody's answer."""
    name = f"workshop-test-{secrets.token_hex(4)}:1"
    layer = tmp_path_factory.mktemp("image") / "layer.tar"
    layer.write_bytes(tar(file("answer", b"42")))
    docker("import", str(layer), name)
    yield name
    docker("image", "rm", name)


@pytest.fixture(scope="session")
def grade_as(engine: Engine) -> Callable[..., Verdict | UserError]:
    """Grade a folder as a submission of a class; nothing may be left behind in the engine."""

    def judge(task: Task, folder: Path, cache: Cache, limits: Limits) -> Verdict | UserError:
        name = ""
        try:
            with Evaluation(
                engine, source.find(task, folder), cache, limits=limits, is_shared=True
            ) as evaluation:
                name = evaluation._name
                return grade.full(evaluation)
        except UserError as error:
            return error
        finally:
            for kind in (("ps", "--all"), ("image", "ls"), ("volume", "ls"), ("network", "ls")):
                assert not name or name not in run("docker", *kind).stdout

    return judge


@pytest.fixture
def judge(grade_as, tmp_path: Path) -> Callable[..., Verdict | UserError]:
    """Grade a folder as a submission of a class, with a separate cache."""
    cache = Cache(tmp_path / "cache")
    return lambda task, folder, limits: grade_as(task, folder, cache, limits)


@pytest.fixture(scope="session")
def neighbour(grade_as, tmp_path_factory) -> Neighbour:
    """A well-behaved submission."""
    folder = tmp_path_factory.mktemp("neighbour")
    cache = Cache(folder / "cache")
    (folder / "work").mkdir()
    return Neighbour(lambda task, where: grade_as(task, where, cache, CLASS), folder / "work")


@pytest.fixture
def fill(listener: Listener, stolen_image: str, tmp_path: Path) -> Callable[[str], str]:
    """Replace the placeholders in a text."""
    known = {
        "nonce": secrets.token_hex(8),
        "host": docker(
            *("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
        ),
        "other_host": own_address(),
        "port": str(listener.port),
        "index": urlsplit(package_index(SubprocessRunner())).hostname or "",
        "image": stolen_image,
        "image_id": docker("image", "inspect", "--format", "{{.Id}}", stolen_image),
        "canary": Cache(tmp_path / "cache").canary,
        "hostname": socket.gethostname(),
    }
    return lambda text: re.sub(r"\{(\w+)\}", lambda m: known.get(m[1], m[0]), text)


@pytest.fixture(scope="session")
def is_recorded() -> bool:
    """Whether this run writes the results of the scorecard: `task hostile` sets the variable."""
    return bool(os.environ.get("RECORD_HOSTILE"))
