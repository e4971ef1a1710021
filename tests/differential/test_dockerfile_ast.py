"""Our parser agrees with dockerfile-ast, an independent one, on Dockerfiles made up by chance.

`DIFFERENTIAL_FILES=10000` compares so many; the suite's own run compares fewer.
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
    """Gives what dockerfile-ast says of the last stage of each of many Dockerfiles."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("no node or npm here, which dockerfile-ast needs")
    with (HERE / "package.json").open() as manifest:
        # The tests' workers start at the same time, and one of them fetches it.
        fcntl.flock(manifest, fcntl.LOCK_EX)
        if not (HERE / "node_modules/dockerfile-ast").exists():
            words = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            done = subprocess.run(words, cwd=HERE, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"npm cannot fetch dockerfile-ast: {done.stderr.strip()[-200:]}")

    def ask(texts: list[str]) -> list[list[dict]]:
        lines = "".join(json.dumps(text) + "\n" for text in texts)
        done = subprocess.run(
            ["node", HERE / "oracle.js"], input=lines, capture_output=True, text=True, check=True
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    return ask


def told(instruction: Instruction, escape: str) -> dict:
    """What the oracle can say of it: it has no word for an escape, nor for a HEALTHCHECK's list."""
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


def alike(ours: dict, theirs: dict, escape: str) -> bool:
    """Whether both say the same; to the oracle, a heredoc's body is arguments too."""
    words = " ".join(theirs["arguments"]).replace(escape, "").split()
    theirs["arguments"] = words[: len(ours["arguments"])] if ours["heredocs"] else words
    return ours == theirs


@pytest.mark.parametrize("start", range(0, FILES, BATCH))
def test_it_reads_what_dockerfile_ast_reads(oracle, start):
    texts = [dockerfile(seed) for seed in range(start, start + BATCH)]
    for seed, text, theirs in zip(range(start, start + BATCH), texts, oracle(texts), strict=True):
        read = parse(text)
        ours = read.stages[-1].instructions
        assert len(ours) == len(theirs), f"seed {seed}:\n{text}"
        for instruction, their in zip(ours, theirs, strict=True):
            our = told(instruction, read.escape)
            assert alike(our, their, read.escape), f"seed {seed}:\n{our}\n{their}\n{text}"
