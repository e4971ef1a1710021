"""How much of one image is read at most: whoever made it may mean harm."""

from __future__ import annotations

from dataclasses import dataclass

from workshop.core.errors import UserError

# An image of the course has 20,000 entries and 1 GB; the largest of the usual ones ten times that.
MAX_ENTRIES = 500_000
MAX_NAMES = 100_000_000  # bytes of all paths together
MAX_BYTES = 20_000_000_000  # decompressed
MAX_PATH = 4096  # Linux opens no longer one
MAX_EXTRA = 1 << 20  # bytes of one extended header
MAX_WINDOW = 1 << 27  # bytes that zstd may look back, its own default


def unreadable(why: str) -> UserError:
    """The `UserError` of an image that is damaged, or made to do damage."""
    return UserError("image", f"what the engine saved cannot be read: {why}", "Build it again")


@dataclass
class Budget:
    """What may still be read of one image; a `UserError` once it is more than any image has."""

    entries: int = MAX_ENTRIES
    names: int = MAX_NAMES
    bytes: int = MAX_BYTES

    def spend(self, path: str = "", size: int = 0, *, entries: int = 1) -> None:
        """Take an entry with so many bytes of content from the budget."""
        self.entries -= entries
        self.names -= len(path)
        self.bytes -= size
        if len(path) > MAX_PATH:
            raise unreadable(f"a path has {len(path)} characters, at most {MAX_PATH} are read")
        if self.entries < 0 or self.names < 0:
            raise unreadable(f"more than {MAX_ENTRIES} files")
        if self.bytes < 0:
            raise unreadable(f"more than {MAX_BYTES // 10**9} GB of files")
