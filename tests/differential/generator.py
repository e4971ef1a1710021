"""Generate random Dockerfiles from a seed, typical ones and difficult ones."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ("A", "B", "APP_HOME", "VERSION", "U", "x1", "_y", "PATH_2")
WORDS = ("app", "src/", "main.py", "-m", "--reload", "10%", "a=b", "it", "x#y", "&&", "|", "ü")
QUOTED = ('"a b"', "'a b'", '"#no"', "'$A'", '"x \\" y"', "a'b'c", '""')
VARIABLES = ("$A", "${B}", "${VERSION:-3.13}", "${U:+app}", "\\$A", "$A$B", "pre${x1}post")
LOOKALIKES = ("USER root", "FROM scratch", "# a comment", "CMD x \\", "", "\tENV A=1", "RUN <<EOF")
DELIMITERS = ("EOF", "EOT", "END_1", "file.txt", "A")


class Maker:
    """Generates instructions with random choices from `rng`."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.escape = rng.choice("\\\\\\`")
        self.end = rng.choice(("\n", "\n", "\n", "\r\n"))

    def some(self, choices: tuple[str, ...], most: int = 4) -> list[str]:
        return [self.rng.choice(choices) for _ in range(self.rng.randint(1, most))]

    def often(self, share: float) -> bool:
        return self.rng.random() < share

    def gap(self) -> str:
        """Return a separator between two words: spaces, or a line continuation."""
        if self.often(0.8):
            return self.rng.choice((" ", " ", " ", "  ", "\t"))
        between = self.some(("", "# a comment", "  # USER root", "\t", "#"), 2)
        lines = between if self.often(0.4) else []
        after = self.rng.choice(("", " ", "\t")) if self.often(0.2) else ""
        return self.end.join(
            [f" {self.escape}{after}", *lines, self.rng.choice(("  ", "\t", "    "))]
        )

    def line(self, keyword: str, *words: str) -> str:
        """Return one instruction in a random layout."""
        if self.often(0.1):
            keyword = self.rng.choice((keyword.lower(), keyword.title()))
        text = self.rng.choice(("", "", "", " ", "\t")) + keyword
        for word in words:
            text += self.gap() + (self.broken(word) if self.often(0.03) else word)
        return text + (self.rng.choice((" ", "\t")) if self.often(0.05) else "")

    def broken(self, word: str) -> str:
        """Break a word with a line continuation."""
        if not word.isalnum() or len(word) == 1:
            return word
        return f"{word[:1]}{self.escape}{self.end}{word[1:]}"

    def word(self) -> str:
        pool = self.rng.choice((WORDS, WORDS, QUOTED, VARIABLES))
        return self.rng.choice(pool).replace("\\", self.escape)

    def json(self) -> str:
        """Return a JSON list, or sometimes text that only looks like one."""
        words = [
            self.rng.choice((*WORDS, "a b", 'q"q', "$A")) for _ in range(self.rng.randint(1, 4))
        ]
        if self.often(0.15):
            return self.rng.choice(("['a', 'b']", '["a", "b"', '[ "a" ] x', "[a]"))
        mark = self.rng.choice((", ", ",", " , "))
        return (
            "[" + mark.join(json.dumps(word, ensure_ascii=self.often(0.5)) for word in words) + "]"
        )

    def body(self, name: str) -> list[str]:
        lines = [self.rng.choice((*LOOKALIKES, "echo hi")) for _ in range(self.rng.randint(0, 4))]
        return [line for line in lines if line != name]

    def heredocs(self, keyword: str, words: list[str], after: list[str]) -> str:
        """Return an instruction with heredocs and their bodies."""
        opened, lines = [], []
        for name in self.rng.sample(DELIMITERS, self.rng.choice((1, 1, 1, 2, 3))):
            strip = self.often(0.3)
            quote = self.rng.choice(("", "", "'", '"'))
            opened.append(f"<<{'-' * strip}{quote}{name}{quote}")
            lines += [*self.body(name), "\t" * (strip and self.rng.randint(0, 2)) + name]
        return self.end.join([self.line(keyword, *words, *opened, *after), *lines])


def _run(make: Maker) -> str:
    flags = make.some(
        ("--mount=type=cache,target=/c", "--network=none", "--mount=type=tmpfs,target=/t"), 2
    )
    flags = flags if make.often(0.3) else []
    if make.often(0.3):
        return make.heredocs("RUN", flags, [])
    if make.often(0.2):
        return make.line("RUN", *flags, make.json())
    return make.line("RUN", *flags, "echo", *(make.word() for _ in range(make.rng.randint(0, 5))))


def _copy(make: Maker) -> str:
    keyword = make.rng.choice(("COPY", "COPY", "ADD"))
    flags = make.some(("--chown=1:1", "--chmod=644", "--from=build", "--link"), 2)
    flags = flags if make.often(0.4) else []
    if make.often(0.3):
        return make.heredocs(keyword, flags, ["/dest/"])
    if make.often(0.2):
        return make.line(keyword, *flags, json.dumps(["a b", "/c"]))
    return make.line(keyword, *flags, *make.some(("a", "src/", "$A", "*.py"), 3), "/dest/")


def _pairs(make: Maker) -> str:
    keyword = make.rng.choice(("ENV", "ENV", "LABEL"))
    if make.often(0.2):
        return make.line(keyword, make.rng.choice(NAMES), *make.some(("old", "form", "$A"), 3))
    names = make.some(NAMES, 3)
    return make.line(keyword, *(f"{name}={make.word()}" for name in names))


def _command(make: Maker) -> str:
    keyword = make.rng.choice(("CMD", "ENTRYPOINT"))
    words = [make.json()] if make.often(0.6) else ["python", *(make.word() for _ in range(2))]
    return make.line(keyword, *words)


def _health(make: Maker) -> str:
    if make.often(0.2):
        return make.line("HEALTHCHECK", "NONE")
    flags = (
        make.some(("--interval=5s", "--timeout=3s", "--retries=2"), 3) if make.often(0.5) else []
    )
    command = [make.json()] if make.often(0.4) else ["curl", "-f", "http://localhost/"]
    return make.line("HEALTHCHECK", *flags, "CMD", *command)


def _simple(make: Maker) -> str:
    keyword, *words = make.rng.choice(
        (
            ("USER", make.rng.choice(("app", "1000:1000", "$U", "${U:-root}"))),
            ("WORKDIR", make.rng.choice(("/app", "rel", "../up", "$APP_HOME", "'/a b'"))),
            ("EXPOSE", *make.some(("8000", "80/tcp", "9-11", "53/UDP", "${x1:-7}"), 3)),
            ("VOLUME", *make.some(("/data", "/v2", "$APP_HOME/v"), 2)),
            ("VOLUME", json.dumps(["/data", "/a b"])),
            ("STOPSIGNAL", make.rng.choice(("SIGTERM", "9", "${S:-SIGINT}"))),
            ("ARG", make.rng.choice(NAMES) + make.rng.choice(("", "=1", '="a b"', "=$A", "="))),
            ("SHELL", make.rng.choice(('["/bin/sh", "-ec"]', '["/bin/bash","-c"]'))),
            ("ONBUILD", "RUN", "echo", "hi"),
            ("MAINTAINER", "A", "<a@b.c>"),
        )
    )
    return make.line(keyword, *words)


MAKERS: tuple[Callable[[Maker], str], ...] = (
    _run,
    _copy,
    _pairs,
    _command,
    _health,
    _simple,
    _simple,
)


def dockerfile(seed: int, length: int = 8) -> str:
    """Return a random Dockerfile of 1 to 3 stages, each with at most `length` instructions."""
    rng = random.Random(seed)  # noqa: S311 - not a secret
    make = Maker(rng)
    lines = []
    if make.escape == "`" or make.often(0.1):
        lines.append(
            f"{rng.choice(('# ', '#', '#  '))}{rng.choice(('escape', 'Escape'))}={make.escape}"
        )
    if make.often(0.2):
        lines.append(rng.choice(("# a comment", "", "#escape=x is no directive here")))
        if lines[-1].startswith("#escape") and len(lines) == 1:
            lines.pop()
    lines += [make.line("ARG", f"{rng.choice(NAMES)}=g") for _ in range(rng.randint(0, 2))]
    for index in range(rng.choice((1, 1, 2, 3))):
        base = rng.choice(("scratch", "python:3.13-slim-trixie", "debian:${VERSION:-trixie}"))
        lines.append(
            make.line(
                "FROM", base, *((rng.choice(("AS", "as")), f"s{index}") if make.often(0.5) else ())
            )
        )
        for _ in range(rng.randint(1, length)):
            lines.append(rng.choice(MAKERS)(make))
            if make.often(0.2):
                lines.append(rng.choice(("", "# a comment", "   ", f"# goes on {make.escape}")))
    return make.end.join(lines) + (make.end if make.often(0.8) else "")
