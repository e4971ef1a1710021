"""BuildKit refuses the constructs that the kit's parser refuses, and no others.

`DIFFERENTIAL_CONSTRUCTS` sets the number of constructs (default: 60), spread over all of them.
"""

from __future__ import annotations

import os

import pytest
from differential.constructs import constructs
from harness import run

NUMBER = int(os.environ.get("DIFFERENTIAL_CONSTRUCTS", "60"))
CONSTRUCTS = [(mark, text) for mark, text in constructs() if mark != "~"]
BATCH = 20
# BuildKit accepts the Dockerfile, and cannot download an image that it names.
ACCEPTED = ("failed to resolve source metadata", "failed to do request")


@pytest.fixture
def refuses(engine, tmp_path):  # noqa: ARG001 - starts the engine
    """Return a function that asks BuildKit for a Dockerfile's outline, which runs nothing."""
    argv = ["docker", "buildx", "build", "--print=outline", "--output=type=cacheonly"]
    env = {"BUILDX_EXPERIMENTAL": "1"}

    def refuses(text: str) -> bool:
        (tmp_path / "Dockerfile").write_bytes(text.encode())
        done = run(*argv, "--progress=plain", str(tmp_path), check=False, env=env)
        output = done.stdout
        assert done.returncode == 0 or "ERROR: " in output, output
        assert "Unavailable" not in output, f"the engine crashed: {text}"
        return done.returncode != 0 and not any(reason in output for reason in ACCEPTED)

    return refuses


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, min(NUMBER, len(CONSTRUCTS)), BATCH))
def test_buildkit_refuses_what_is_marked_as_refused(refuses, start):
    step = max(1, len(CONSTRUCTS) // NUMBER)
    batch = CONSTRUCTS[::step][start : start + BATCH]
    assert [text for mark, text in batch if refuses(text) != (mark == "-")] == []
