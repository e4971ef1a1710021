"""Names of images and platforms, as BuildKit accepts them."""

from __future__ import annotations

import re

_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*+"
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_REST = re.compile(
    rf"{_PART}(?:/{_PART})*"
    r"(?::\w[\w.-]{0,127})?"
    r"(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)
_PLATFORM_PART = re.compile(r"[A-Za-z0-9_-]+")
_SYSTEM = re.compile(r"[A-Za-z0-9_-]+(?:\([A-Za-z0-9_.-]*\))?")
_SYSTEMS = frozenset(
    {"aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux"}
    | {"macos", "nacl", "netbsd", "openbsd", "plan9", "solaris", "windows", "zos"}
)
_PROCESSORS = frozenset(
    {"386", "aarch64", "amd64", "amd64p32", "arm", "arm64", "arm64be", "armbe", "armel", "armhf"}
    | {"i386", "loong64", "mips", "mips64", "mips64le", "mips64p32", "mips64p32le", "mipsle"}
    | {"ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x", "sparc", "sparc64"}
    | {"wasm", "x86-64", "x86_64"}
)
_MOST_PARTS = 3  # linux/arm/v7


def check_reference(name: str) -> None:
    """Raise `ValueError` if no image can have this name."""
    first, slash, rest = name.partition("/")
    # A first part with a dot, a colon or a capital is a registry.
    if slash and (set(first) & set(".:") or first == "localhost" or first != first.lower()):
        valid = _REGISTRY.fullmatch(first) and _REST.fullmatch(rest)
    else:
        valid = _REST.fullmatch(name)
    if not valid:
        raise ValueError(f"{name[:60]} is no valid name of an image")


def check_platform(platform: str) -> None:
    """Raise `ValueError` if BuildKit cannot read a platform such as `linux/amd64`."""
    first, *others = platform.split("/")
    valid = _SYSTEM.fullmatch(first) and all(map(_PLATFORM_PART.fullmatch, others))
    if valid and not others:
        valid = first.lower() in _SYSTEMS | _PROCESSORS
    if not valid or len(others) >= _MOST_PARTS:
        raise ValueError(f"{platform[:40] or 'an empty text'} is no platform such as linux/amd64")
