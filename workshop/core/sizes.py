"""Sizes of memory and files."""

from __future__ import annotations

MB = 1_000_000
GB = 1_000 * MB


def format_bytes(number: int) -> str:
    """Return a number of bytes as a learner reads it: `1 GB`, `1.5 GB`, `64 MB`."""
    if number >= GB:
        return f"{number / GB:.3g} GB"
    return f"{number / MB:.3g} MB"
