"""The kit's parser agrees with dockerfile-ast, an independent parser, on random Dockerfiles.

`DIFFERENTIAL_FILES` sets the number of Dockerfiles (default: 1000).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from differential.generator import dockerfile

from workshop.analysis.dockerfile.parser import Instruction, parse

HERE = Path(__file__).parent
FILES = int(os.environ.get("DIFFERENTIAL_FILES", "1000"))
BATCH = 250


@pytest.fixture(scope="session")
def oracle():
    """Return a function that parses the last stage of each Dockerfile with dockerfile-ast."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("dockerfile-ast needs node and npm, which are not installed")
    with (HERE / "package.json").open() as manifest:
        # The test workers start together; only one of them must install it.
        fcntl.flock(manifest, fcntl.LOCK_EX)
        if not (HERE / "node_modules/dockerfile-ast").exists():
            words = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            done = subprocess.run(words, cwd=HERE, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"npm cannot install dockerfile-ast: {done.stderr.strip()[-200:]}")

    def parse_all(texts: list[str]) -> list[list[dict]]:
        lines = "".join(json.dumps(text) + "\n" for text in texts)
        done = subprocess.run(
            ["node", HERE / "oracle.js"], input=lines, capture_output=True, text=True, check=True
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    return parse_all


def reported(instruction: Instruction, escape: str) -> dict:
    """Return the parts that dockerfile-ast reports: no escapes, and no exec form of HEALTHCHECK."""
    return {
        "keyword": instruction.keyword,
        "line": instruction.line,
        "end": instruction.end,
        "arguments": instruction.text.replace(escape, "").split(),
        "flags": [list(flag) for flag in instruction.flags],
        "words": None
        if instruction.exec_form is None or instruction.keyword == "HEALTHCHECK"
        else list(instruction.exec_form),
        "heredocs": [heredoc.name for heredoc in instruction.heredocs],
    }


def is_same(ours: dict, theirs: dict, escape: str) -> bool:
    """Compare both results; dockerfile-ast counts a heredoc's body as arguments."""
    words = " ".join(theirs["arguments"]).replace(escape, "").split()
    theirs["arguments"] = words[: len(ours["arguments"])] if ours["heredocs"] else words
    return ours == theirs


@pytest.mark.parametrize("start", range(0, FILES, BATCH))
def test_the_parser_agrees_with_dockerfile_ast(oracle, start):
    texts = [dockerfile(seed) for seed in range(start, start + BATCH)]
    for seed, text, theirs in zip(range(start, start + BATCH), texts, oracle(texts), strict=True):
        read = parse(text)
        ours = read.stages[-1].instructions
        assert len(ours) == len(theirs), f"seed {seed}:\n{text}"
        for instruction, other in zip(ours, theirs, strict=True):
            own = reported(instruction, read.escape)
            assert is_same(own, other, read.escape), f"seed {seed}:\n{own}\n{other}\n{text}"
