"""What BuildKit refuses in an instruction: in every stage, or only in a stage that it builds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.analysis.dockerfile.flags import check_flags
from workshop.analysis.dockerfile.instructions import parse_heredoc
from workshop.analysis.dockerfile.shell_words import SPACE

if TYPE_CHECKING:
    from workshop.analysis.dockerfile.instructions import Instruction

_SPACES = re.compile(f"[{SPACE}]+")
_DURATION = re.compile(r"[+-]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|ms|s|m|h))+)")
_DURATION_PART = re.compile(r"([0-9.]+)([a-z]+)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_SECONDS = 2**63 / 1e9
_SHORTEST_SECONDS = 1e-3
_INTEGER = re.compile(r"[+-]?[0-9]+")
_MOST_RETRIES = 2**31 - 1
_PROTOCOLS = frozenset({"", "tcp", "udp", "sctp"})
_MOST_DIGITS = 20
_MOST_PORT = 65535
_SIGNALS = frozenset(
    {"ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL"}
    | {"PIPE", "POLL", "PROF", "PWR", "QUIT", "RTMAX", "RTMIN", "SEGV", "STKFLT", "STOP", "SYS"}
    | {"TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU"}
    | {"XFSZ", *(f"RTMIN+{n}" for n in range(1, 16)), *(f"RTMAX-{n}" for n in range(1, 15))}
)
_GIT = re.compile(r"(?:git|ssh)://|github\.com/|[\w-]+@[\w.-]+:", re.ASCII)
_CHECKSUMS = {"sha256": 64, "sha384": 96, "sha512": 128}


def check_syntax(instruction: Instruction) -> None:
    """Raise `ValueError` if BuildKit refuses the instruction in any stage."""
    check_flags(instruction)
    keyword, words = instruction.keyword, instruction.exec_form
    if keyword in {"ADD", "COPY"}:
        _check_copy(instruction)
    elif keyword == "HEALTHCHECK":
        _check_health(instruction)
    elif keyword == "SHELL":
        if words is None and instruction.text:
            raise ValueError('SHELL needs a JSON list, such as ["/bin/sh", "-c"]')
        if not words:
            raise ValueError("SHELL needs an argument")
    elif keyword == "VOLUME" and words is not None:
        if not words:
            raise ValueError("VOLUME needs an argument")
        if not all(word.strip(SPACE) for word in words):
            raise ValueError("a VOLUME has an empty path")
    elif keyword == "MAINTAINER" and not instruction.text:
        raise ValueError("MAINTAINER needs an argument")


def check_values(instruction: Instruction) -> None:
    """Raise `ValueError` if BuildKit refuses the values, in a stage that it builds."""
    keyword, values = instruction.keyword, instruction.values
    if keyword == "EXPOSE":
        for value in values:
            check_port(value)
    elif keyword == "STOPSIGNAL":
        _check_signal(instruction.expanded)
    elif keyword == "VOLUME" and not all(values):
        raise ValueError("a VOLUME has an empty path")
    elif keyword == "COPY":
        for value in values[:-1]:
            if value.startswith(("http://", "https://")) or _GIT.match(value):
                raise ValueError(f"COPY cannot download {value[:60]}: use ADD")
    elif keyword == "ADD" and (checksum := instruction.flag("checksum")) and "$" not in checksum:
        name, _, digits = checksum.partition(":")
        if not re.fullmatch(f"[a-f0-9]{{{_CHECKSUMS.get(name, 0)}}}", digits) or not digits:
            raise ValueError(f"{checksum[:40]} is no checksum such as sha256:...")


def _check_copy(instruction: Instruction) -> None:
    words = instruction.exec_form
    words = tuple(_SPACES.split(instruction.text)) if words is None else words
    if not instruction.text or len(words) <= 1:
        raise ValueError(f"{instruction.keyword} needs a source and a destination")
    if "<<" in words[-1] and parse_heredoc(words[-1]):
        raise ValueError(f"the destination of {instruction.keyword} cannot be a heredoc")


def _check_health(instruction: Instruction) -> None:
    kind, *rest = _SPACES.split(instruction.text, maxsplit=1)
    words = instruction.exec_form
    has_command = bool(words) or (words is None and any(rest))
    if not kind:
        raise ValueError("HEALTHCHECK needs an argument")
    if kind.upper() == "NONE":
        if has_command:
            raise ValueError("HEALTHCHECK NONE takes no argument")
        return
    if kind.upper() != "CMD":
        raise ValueError(f"HEALTHCHECK is followed by CMD or NONE, not {kind[:40]}")
    if not has_command:
        raise ValueError("HEALTHCHECK CMD needs a command")
    for name, value in instruction.flags:
        if name == "retries":
            _check_retries(value)
        else:
            _check_duration(name, value)


def _check_retries(value: str) -> None:
    if value and not (_INTEGER.fullmatch(value) and 0 <= int(value[:20]) <= _MOST_RETRIES):
        raise ValueError(f"--retries is a number, not {value[:40]}")


def _check_duration(name: str, value: str) -> None:
    if not value:
        return
    if not _DURATION.fullmatch(value):
        raise ValueError(f"--{name} is a duration such as 5s, not {value[:40]}")
    parts = _DURATION_PART.findall(value)
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds >= _LONGEST_SECONDS:
        raise ValueError(f"--{name}={value[:40]} is too long")
    if 0 < seconds < _SHORTEST_SECONDS or (seconds > 0 and value[0] == "-"):
        raise ValueError(f"--{name}={value[:40]} is less than 1ms")


def _check_signal(value: str) -> None:
    name = value.upper().removeprefix("SIG")
    number = int(value[:20]) if _INTEGER.fullmatch(value) else 0
    if not number and name not in _SIGNALS:
        raise ValueError(f"there is no signal {value[:40] or 'without a name'}")


def check_port(value: str) -> None:
    """Raise `ValueError` if `value` is no port of EXPOSE, such as `8000`, `8000/tcp` or `80-90`."""
    *host, port = value.split(":")
    port, _, protocol = port.partition("/")
    valid = protocol.partition("/")[0].lower() in _PROTOCOLS
    inside = _port_range(port)
    outside = _port_range(host[-1]) if host and host[-1] else None
    if outside is None:
        valid = valid and not (host and host[-1])
    elif inside:
        # A range of host ports is only for one port, or for a range of the same length.
        valid = valid and (len(inside) == 1 or len(inside) == len(outside))
    if not valid or inside is None:
        raise ValueError(f"{value[:40]} is no port such as 8000, 8000/udp or 8000-8010")


def _port_range(text: str) -> range | None:
    first, sign, rest = text.partition("-")
    last = rest.partition("-")[0] if sign else first
    if not all(
        end.isascii() and end.isdigit() and len(end) <= _MOST_DIGITS for end in (first, last)
    ):
        return None
    found = range(int(first), int(last) + 1)
    return found if found and found[-1] <= _MOST_PORT else None
