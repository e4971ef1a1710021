"""The flags of each instruction, as BuildKit's parser accepts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.analysis.dockerfile.mounts import check_source

if TYPE_CHECKING:
    from workshop.analysis.dockerfile.instructions import Instruction

_COPY = frozenset({"chown", "chmod", "link", "exclude"})
# Includes the flags of newer versions than the oldest one that the kit works with.
_FLAGS = {
    "ADD": _COPY | {"keep-git-dir", "checksum", "unpack"},
    "COPY": _COPY | {"from", "parents"},
    "FROM": {"platform"},
    "HEALTHCHECK": {"interval", "timeout", "start-period", "start-interval", "retries"},
    "RUN": {"mount", "network", "security", "device"},
}
_SWITCHES = frozenset({"link", "keep-git-dir", "parents", "unpack"})
_REPEATABLE = frozenset({"device", "exclude", "mount"})
_CHOICES = {
    "network": frozenset({"default", "none", "host"}),
    "security": frozenset({"sandbox", "insecure"}),
}
# BuildKit never looks at their flags.
_UNCHECKED = frozenset({"ARG", "STOPSIGNAL"})


def check_flags(instruction: Instruction) -> None:
    """Raise `ValueError` if BuildKit refuses a flag of an instruction in any stage."""
    keyword = instruction.keyword
    if keyword in _UNCHECKED or (keyword == "HEALTHCHECK" and _is_none(instruction.text)):
        return
    seen = set()
    for name, value in instruction.flags:
        if name not in _FLAGS.get(keyword, ()):
            raise ValueError(f"{keyword} has no flag --{name[:40]}")
        if name in seen and name not in _REPEATABLE:
            raise ValueError(f"the flag --{name} appears twice")
        seen.add(name)
        _check_value(name, value, has_value=name not in instruction.bare_flags)


def _is_none(text: str) -> bool:
    return text.split(maxsplit=1)[:1] in (["NONE"], ["none"]) or text.upper().startswith("NONE ")


def _check_value(name: str, value: str, *, has_value: bool) -> None:
    if name in _SWITCHES:
        if has_value and value.lower() not in {"true", "false"}:
            raise ValueError(f"the flag --{name} is true or false, not {value[:40] or 'empty'}")
    elif not has_value:
        raise ValueError(f"the flag --{name} needs a value")
    elif name in _CHOICES and value not in _CHOICES[name]:
        raise ValueError(
            f"--{name} is one of {', '.join(sorted(_CHOICES[name]))}, not {value[:40]}"
        )
    elif name == "mount":
        check_source(value)
