"""Limits for reading an image, which may be hostile."""

from __future__ import annotations

from dataclasses import dataclass

from workshop.core.errors import UserError

# Images of the course have 20,000 entries and 1 GB; the largest common images ten times that.
MAX_ENTRIES = 500_000
MAX_NAMES = 50_000_000  # characters of all paths
MAX_BYTES = 20_000_000_000  # decompressed
MAX_PATH = 4096  # the longest path that Linux opens
MAX_EXTRA = 1 << 20  # bytes of one extended header
MAX_WINDOW = 1 << 27  # bytes of the zstd window, its default


def unreadable(why: str) -> UserError:
    """Return the error of a damaged or hostile image."""
    return UserError("image", f"its archive is unreadable: {why}", "Build and save it again")


@dataclass
class Budget:
    """How much of an image may still be read; exceeding it raises a `UserError`."""

    entries: int = MAX_ENTRIES
    names: int = MAX_NAMES
    bytes: int = MAX_BYTES

    def spend(self, path: str = "", size: int = 0, *, entries: int = 1) -> None:
        """Subtract entries, a path, and `size` bytes of content from the budget."""
        self.entries -= entries
        self.names -= len(path)
        self.bytes -= size
        if len(path) > MAX_PATH:
            raise unreadable(f"a path has {len(path)} characters, more than {MAX_PATH}")
        if self.entries < 0 or self.names < 0:
            raise unreadable(f"more than {MAX_ENTRIES} files")
        if self.bytes < 0:
            raise unreadable(f"more than {MAX_BYTES // 10**9} GB of files")
