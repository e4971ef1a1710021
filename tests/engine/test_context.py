"""Every build context is small and contains no secrets."""

from __future__ import annotations

import io
import secrets
import subprocess
import tarfile
import tempfile
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, docker

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = sorted({file.parent.relative_to(ROOT) for file in ROOT.glob("services/**/Dockerfile*")})
SECRETS = (".env", ".env.local", "sub/.env", ".git/config", ".venv/pyvenv.cfg", "__pycache__/x.pyc")
SMALL = 2_000_000  # bytes


def context_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a build context, from a build that copies all of them."""
    with tempfile.NamedTemporaryFile("w", suffix=".Dockerfile") as dockerfile:
        dockerfile.write("FROM scratch\nCOPY . /\n")
        dockerfile.flush()
        file = ("--file", dockerfile.name)
        argv = ("docker", "build", "--quiet", "--output=type=tar,dest=-", *file, str(folder))
        done = subprocess.run(argv, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        files = (member for member in tar if member.isfile())
        return {member.name: tar.extractfile(member).read() for member in files}


def plant(folder: Path) -> bytes:
    """Write a unique secret to every usual place of secrets; return it."""
    canary = secrets.token_hex(16)
    for name in SECRETS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"SECRET_KEY={canary}\n")
    return canary.encode()


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_the_context_of_a_service_contains_no_secret(checkout, folder):
    canary = plant(checkout / folder)
    files = context_of(checkout / folder)
    assert files or folder.name == "baby-steps"
    assert [name for name, content in files.items() if canary in content] == []
    assert sum(map(len, files.values())) < SMALL


@pytest.mark.usefixtures("engine")
def test_the_context_of_the_repository_has_only_services_and_no_secret(checkout):
    (checkout / ".dockerignore").write_text((ROOT / ".dockerignore").read_text())
    canary = plant(checkout)
    inner = plant(checkout / "services/todo-app")
    files = context_of(checkout)
    assert [n for n, content in files.items() if canary in content or inner in content] == []
    assert {name.split("/")[0] for name in files} == {"services"}
    assert sum(map(len, files.values())) < SMALL


@pytest.mark.usefixtures("engine")
def test_the_first_service_also_builds_from_the_repository_root():
    file = "services/part-3/baby-steps/Dockerfile"
    docker("build", "--quiet", "--tag", "workshop-test-root", "--file", file, ".", cwd=ROOT)
    assert "somenergia.coop" in docker("run", "--rm", "workshop-test-root")
    docker("image", "rm", "--force", "workshop-test-root")
