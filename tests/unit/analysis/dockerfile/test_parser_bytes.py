"""The parser never raises, whatever the bytes, and its time and memory are limited.

`FUZZ_FILES` sets the number of random files (default: 5000).
"""

from __future__ import annotations

import os
import random
import time

import pytest
from differential.generator import dockerfile
from harness import ROOT

from workshop.analysis.dockerfile.effective import effective
from workshop.analysis.dockerfile.parser import BUDGET, parse

FILES = int(os.environ.get("FUZZ_FILES", "5000"))
SHARE = 10
KIT_FILES = [path.read_bytes() for path in sorted(ROOT.glob("services/**/Dockerfile*"))]
FRAGMENTS = (
    *(b"\\", b"\n", b"\r\n", b"`", b'"', b"'", b"$", b"${", b"}", b"${A:-", b"${A##*", b"<<"),
    *(b"<<-E", b"[", b'["', b"]", b"#", b"# escape=`\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00"),
    *(b"\x85", b"\xc2", b"FROM ", b"ONBUILD ", b"ARG A=$A\n", b"ENV ", b"EXPOSE 1-"),
    *(b"HEALTHCHECK CMD", b"--", b"=", b" ", b"\t", b"\\ud800", b"NaN", b"\xe2\x80\xa8"),
    *(b"[" * 2000, b"${A-" * 200, b"WORKDIR ..", b"AS "),
)


def random_file(seed: int) -> bytes:
    """Return random bytes, or a Dockerfile with random insertions, deletions or truncation."""
    rng = random.Random(seed)  # noqa: S311 - not a secret
    if seed % 4 == 0:
        return b"".join(rng.choices(FRAGMENTS, k=rng.randint(0, 60)))
    if seed % 4 == 1:
        return rng.randbytes(rng.randint(0, 400))
    text = bytearray(rng.choice(KIT_FILES) if seed % 8 == 2 else dockerfile(seed).encode())
    for _ in range(rng.randint(1, 8)):
        at = rng.randint(0, len(text))
        text[at : at + rng.choice((0, 0, 1, 5, 50))] = rng.choice(FRAGMENTS)
    return bytes(text[: rng.randint(0, len(text))] if rng.random() < 0.3 else text)


@pytest.mark.parametrize(
    "share", [0, *(pytest.param(share, marks=pytest.mark.slow) for share in range(1, SHARE))]
)
def test_random_files_do_not_raise(share):
    for seed in range(share, FILES, SHARE):
        read = parse(random_file(seed))
        effective(read)
        assert read.stages or read.problems
        lines = read.text.count("\n") + 1
        for stage in read.stages:
            for each in stage.instructions:
                assert 1 <= each.line <= each.end <= lines


@pytest.mark.parametrize(
    "line",
    [
        "ENV A=$A$A B=x\n",
        "LABEL x=${A:-$A$A}\n",
        "FROM s AS s\nENV A$A=1\n",
        "RUN <<EOF cat\n",
        "ENV A=${A:-${A:-\n",
        "EXPOSE 1-65535\n",
        "EXPOSE $A$A\n",
        "ENV B=${B%%*a} A=${A/*x/yyyyyyyy}\n",
        "    word \\\n",
        'ENV "a\\\n',
        "CMD " + "[" * 3000 + "\n",
        'COPY --a="b\\\n',
        "# comment \\\n\n",
    ],
)
def test_time_and_memory_grow_linearly_with_the_file_size(line):
    def seconds(size: int) -> float:
        text = "FROM s AS s\nENV A=aaaaaaaaaaaaaaaa\n" + line * (size // len(line))
        start = time.process_time()
        read = parse(text)
        effective(read)
        expanded = (len(each.expanded) for stage in read.stages for each in stage.instructions)
        assert sum(expanded) <= 2 * (BUDGET + len(text))
        return time.process_time() - start

    # Quadratic time would be a factor of 16; the expansion budget is a constant.
    assert seconds(400_000) < 8 * seconds(100_000) + 2
