"""The facts of an image, read without running it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workshop.analysis.image import permissions
from workshop.analysis.image.layers import Entry, Layer, Merged, Waste, merge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from workshop.analysis.image.secret_search import Found

_DISTRIBUTION = re.compile(
    r"(?:.*/)?(?:site|dist)-packages/([^/]+?)(?:-([^-/]+))?(?:-py[^/]*)?\.(?:dist|egg)-info"
)


@dataclass(frozen=True)
class Step:
    """One step of the image's history; `layer` is the number of the layer that it created."""

    created_by: str
    empty: bool
    layer: int | None


@dataclass(frozen=True)
class Image:
    """An image: its config, and the content of its layers.

    `id` is the digest of the config, as in `docker images`; `config` is the `config` part of it.
    `found` has the secrets that were searched and found; `base` is the number of layers that come
    from the base image, if known; `merger` stacks the layers, or returns a cached result.
    """

    id: str
    config: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Step, ...] = ()
    layers: tuple[Layer, ...] = ()
    found: tuple[Found, ...] = ()
    base: int = 0
    merger: Callable[[Sequence[Layer]], Merged] = field(default=merge, repr=False, compare=False)

    @property
    def own(self) -> range:
        """The numbers of the layers above the base image."""
        return range(self.base, len(self.layers))

    @property
    def diff_ids(self) -> tuple[str, ...]:
        """The digest of each layer's uncompressed tar."""
        return tuple(layer.diff_id for layer in self.layers)

    @property
    def user(self) -> str:
        """The argument of USER; empty for root."""
        return str(self.config.get("User") or "")

    @property
    def env(self) -> dict[str, str]:
        """The environment variables of a container."""
        return dict(str(item).partition("=")[::2] for item in self.config.get("Env") or ())

    @property
    def cmd(self) -> tuple[str, ...]:
        """The arguments of CMD, as Docker executes them."""
        return tuple(self.config.get("Cmd") or ())

    @property
    def entrypoint(self) -> tuple[str, ...]:
        """The arguments of ENTRYPOINT, as Docker executes them."""
        return tuple(self.config.get("Entrypoint") or ())

    @property
    def workdir(self) -> str:
        """The working directory of a container."""
        return str(self.config.get("WorkingDir") or "/")

    @property
    def ports(self) -> frozenset[str]:
        """The ports of EXPOSE, such as `8000/tcp`."""
        return frozenset(self.config.get("ExposedPorts") or ())

    @property
    def volumes(self) -> frozenset[str]:
        """The paths of VOLUME."""
        return frozenset(self.config.get("Volumes") or ())

    @property
    def healthcheck(self) -> Mapping[str, Any]:
        """The health check: `Test`, and times in nanoseconds; empty without HEALTHCHECK."""
        return self.config.get("Healthcheck") or {}

    @property
    def labels(self) -> dict[str, str]:
        """The labels, including those of the base image."""
        return dict(self.config.get("Labels") or {})

    @cached_property
    def merged(self) -> Merged:
        """The stacked layers."""
        return self.merger(self.layers)

    @property
    def tree(self) -> Mapping[str, Entry]:
        """The files that a container sees, by path."""
        return self.merged.tree

    def layer_of(self, path: str) -> int | None:
        """Return the number of the layer that `path` comes from; None if it does not exist."""
        return self.merged.origin.get(path)

    @property
    def stored(self) -> int:
        """The bytes of all files in all layers, a hard link counted once."""
        return sum(layer.size for layer in self.layers)

    @property
    def live(self) -> int:
        """The bytes of all files that a container sees, a hard link counted once."""
        return self.merged.live

    @property
    def waste(self) -> int:
        """The stored bytes that a container does not see."""
        return self.stored - self.live

    def wasted_by(self) -> tuple[Waste, ...]:
        """Return the waste, with the layers that stored and deleted it."""
        return self.merged.wasted

    def shared(self, base: Sequence[str]) -> int:
        """Count the first layers that are also those of a base image, given by its diff IDs."""
        pairs = zip(self.diff_ids, base, strict=False)
        return next(
            (number for number, (ours, theirs) in enumerate(pairs) if ours != theirs),
            min(len(self.layers), len(base)),
        )

    def text(self, path: str) -> bytes:
        """Return the content of a file in `KEPT`; empty if it does not exist."""
        return self.merged.texts.get(path, b"")

    def identity(self, user: str | None = None) -> permissions.Identity | None:
        """Return uid, gid and groups of `user`, by default of USER; None if it is unknown."""
        name = self.user if user is None else user
        return permissions.identity(name, self.text("etc/passwd"), self.text("etc/group"))

    def writable(self, path: str, uid: int, gids: Iterable[int] = ()) -> bool:
        """Whether a user may write to `path`; root always may."""
        return permissions.writable(self.tree, path, uid, frozenset(gids))

    def writable_paths(
        self, uid: int, gids: Iterable[int] = (), under: str = "etc"
    ) -> tuple[str, ...]:
        """List the paths in a folder, and itself, that a user may write to, except links."""
        return permissions.writable_paths(self.tree, under, uid, frozenset(gids))

    def packages(self) -> dict[str, set[tuple[str, str, str]]]:
        """Return the installed Python distributions, by name (normalised as in PEP 503).

        Each has its name as written, its version (empty if unknown) and its path.
        """
        found: dict[str, set[tuple[str, str, str]]] = {}
        for path in self.tree:
            if path.endswith("-info") and (match := _DISTRIBUTION.fullmatch(path)):
                name, version = match[1], match[2] or ""
                key = re.sub(r"[-_.]+", "-", name).lower()
                found.setdefault(key, set()).add((name, version, path))
        return found

    def find(self, pattern: str) -> tuple[str, ...]:
        """List the paths that match: `*` and `?` match within a name, `**` any folders."""
        matches = re.compile(_glob_to_regex(pattern.lstrip("/")), re.DOTALL).fullmatch
        return tuple(sorted(path for path in self.tree if matches(path)))


def _glob_to_regex(pattern: str) -> str:
    wildcards = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return "".join(wildcards.get(part) or re.escape(part) for part in parts)
