"""Generate random Dockerfiles from a seed that a real engine can build without a network.

The build context must contain a file `a`. All steps of a file differ, so none comes from the cache.
"""

from __future__ import annotations

import json
import random

from differential.generator import Maker

RUN_BASE = "debian:trixie-slim"
USERS = ("root", "0", "0:0", "nobody", "$U", "${U}", "${NONE:-root}", "'root'")
FOLDERS = ("/app", "rel", "./x/../y", "..", "$W", "/w/${NONE:-z}/", "/a\\ b", '"/q r"')
VALUES = (
    *("1", "$A", "${B:-b}", "${A:+set}", '"a b"', "'$A b'", "\\$A", "a\\ b", "$A$B"),
    *('"$A \\" x"', "${B-d}", "${A+p}", "${P#*/}", "${P%%.*}", "${P##*/}", "${P/x/yy}", '""'),
    *("", "a=b"),
)
OLD_VALUES = ("x y", "  $A   z", '"quoted $A"', "a=b c")
COMMANDS = ('["x", "y  z"]', '["$A"]', "[]", "echo   hi", "echo $A", "[a]", "['a']")


class Builder:
    """Generates a Dockerfile, with the escape and line ends of its `make`."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = random.Random(seed)  # noqa: S311 - not a secret
        self.make = Maker(self.rng)
        self.count = 0
        self.stages: list[tuple[str, bool]] = []

    def text(self) -> str:
        lines = ["# escape=`"] if self.make.escape == "`" else []
        if self.make.often(0.3):
            lines.append(f"# comment {self.make.escape}")
        lines.append(self.line("ARG", f"BASE={RUN_BASE}"))
        if self.make.often(0.5):
            lines.append(self.line("ARG", "U=nobody"))
        for index in range(self.rng.choice((1, 2, 2, 3, 4))):
            lines += self.stage(index)
        return self.make.end.join(lines) + self.make.end

    def line(self, keyword: str, *words: str) -> str:
        """Return one instruction in a random layout, with this file's escape."""
        return self.make.line(keyword, *(word.replace("\\", self.make.escape) for word in words))

    def stage(self, index: int) -> list[str]:
        named = [stage for stage in self.stages if stage[0]]
        base, runs = self.rng.choice([("scratch", False), ("$BASE", True), *named, *named])
        name = f"S{index}x" if self.make.often(0.7) else ""
        # Stage names are case-insensitive, except in FROM.
        head = self.line(
            "FROM", base.lower() if base[0] == "S" else base, *(("As", name) if name else ())
        )
        lines = [head, self.line("COPY", "a", self.mark(index))]
        for _ in range(self.rng.randint(2, 9)):
            lines.append(self.instruction(runs=runs))
            if self.make.often(0.2):
                lines.append(self.rng.choice(("", "# USER comment", "  # x")))
        self.stages.append((name, runs))
        return lines

    def mark(self, index: int) -> str:
        """Return a unique path for this stage: concurrent builds share identical steps."""
        return f"/from{self.seed}-{index}"

    def instruction(self, *, runs: bool) -> str:
        makers = [self.setting, self.setting, self.pairs, self.pairs, self.command, self.copy]
        return self.rng.choice([*makers, *([self.run] if runs else [])])()

    def setting(self) -> str:
        pick = self.rng.choice
        keyword, *words = pick(
            (
                ("USER", pick(USERS)),
                ("WORKDIR", pick(FOLDERS)),
                (
                    "EXPOSE",
                    *self.make.some(("8000", "80/tcp", "9-11", "53/UDP", "${N:-7}", '"8"'), 3),
                ),
                ("VOLUME", *self.make.some(("/data", "/v$A", "/w"), 2)),
                ("VOLUME", '["/d e", "/v$A"]'),
                ("STOPSIGNAL", pick(("SIGTERM", "9", "${S:-SIGINT}"))),
                (
                    "ARG",
                    pick(("A", "B", "U", "W", "P")) + pick(("", "=1", "=/x/y.tar.gz", '="a b"')),
                ),
                ("ARG", "TARGETARCH", "B=${TARGETARCH:-none}"),
                ("SHELL", '["/bin/sh", "-ec"]'),
                ("ONBUILD", "ENV", f"O{self.number()}=$A"),
                ("ONBUILD", "USER", "$U"),
                ("MAINTAINER", "me <a@b.c>"),
            )
        )
        return self.line(keyword, *words)

    def number(self) -> int:
        self.count += 1
        return self.count

    def pairs(self) -> str:
        keyword = self.rng.choice(("ENV", "ENV", "LABEL"))
        names = (
            "A",
            "B",
            "P",
            "U" if keyword == "LABEL" else "W",
            "x.y" if keyword == "LABEL" else "C",
        )
        if self.make.often(0.2):
            return self.line(keyword, f"{self.rng.choice(names)} {self.rng.choice(OLD_VALUES)}")
        pairs = [f"{self.rng.choice(names)}={self.rng.choice(VALUES)}" for _ in range(2)]
        return self.line(keyword, *pairs)

    def command(self) -> str:
        keyword = self.rng.choice(("CMD", "CMD", "ENTRYPOINT", "ENTRYPOINT", "HEALTHCHECK"))
        words = [self.rng.choice(COMMANDS)]
        if keyword == "HEALTHCHECK":
            if self.make.often(0.2):
                return self.line(keyword, "NONE")
            words = ["CMD", self.rng.choice([word for word in COMMANDS if word != "[]"])]
            words = ["--interval=5s", *words] if self.make.often(0.5) else words
        return self.line(keyword, *words)

    def copy(self) -> str:
        keyword, number = self.rng.choice(("COPY", "COPY", "ADD")), self.number()
        flags = ["--chown=1:1"] if self.make.often(0.3) else []
        if self.make.often(0.3):
            names = self.rng.sample(("EOF", "x.txt", "END"), 2)
            quotes = [self.rng.choice(("", "'", '"')) for _ in names]
            words = [f"<<-{quote}{name}{quote}" for name, quote in zip(names, quotes, strict=True)]
            head = self.line(keyword, *flags, *words, f"/h{number}/")
            return self.make.end.join([head, "USER body", names[0], "\tCMD body", f"\t{names[1]}"])
        if keyword == "COPY" and self.stages and self.make.often(0.5):
            index = self.rng.randrange(len(self.stages))
            name = self.stages[index][0]
            source = name if name and self.make.often(0.5) else str(index)
            return self.line("COPY", f"--from={source}", self.mark(index), f"/c{number}")
        if self.make.often(0.3):
            return self.line(keyword, *flags, json.dumps(["a", f"/j {number}$A"]))
        return self.line(keyword, *flags, "a", f"/c{number}/${{NONE:-d}}")

    def run(self) -> str:
        number = self.number()
        if self.make.often(0.3):
            head = self.line("RUN", "--network=none", "<<EOF")
            lines = [f": {number}", f": {self.rng.choice(('USER x', 'FROM y', '# z'))}"]
            # A carriage return would become part of a command's name.
            return self.make.end.join([head, *lines, "EOF"])
        if self.make.often(0.3):
            return self.line("RUN", json.dumps(["true", f"{number}", "a b"]))
        return self.line("RUN", "--mount=type=tmpfs,target=/t", "true", str(number), "'USER root'")


def buildable(seed: int) -> str:
    """Return a random Dockerfile that a real engine can build."""
    return Builder(seed).text()
