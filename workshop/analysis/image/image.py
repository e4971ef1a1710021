"""An image taken apart, from the stream of `docker save`: nothing of it ever runs."""

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
    """One instruction of the image's history; `layer` is the number of the layer it made."""

    created_by: str
    empty: bool
    layer: int | None


@dataclass(frozen=True)
class Image:
    """An image's facts: what its config says, and what its layers hold.

    `id` is the digest of the config, as `docker images` has it; `config` is the `config` part.
    `base` is the number of layers that its base image brought, once somebody has found that out;
    `merger` puts the layers over one another, or knows already what comes of it.
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
        """What USER says; empty is root."""
        return str(self.config.get("User") or "")

    @property
    def env(self) -> dict[str, str]:
        """The environment that a container gets."""
        return dict(str(item).partition("=")[::2] for item in self.config.get("Env") or ())

    @property
    def cmd(self) -> tuple[str, ...]:
        """What CMD says, as the engine executes it."""
        return tuple(self.config.get("Cmd") or ())

    @property
    def entrypoint(self) -> tuple[str, ...]:
        """What ENTRYPOINT says, as the engine executes it."""
        return tuple(self.config.get("Entrypoint") or ())

    @property
    def workdir(self) -> str:
        """The folder in which a container starts."""
        return str(self.config.get("WorkingDir") or "/")

    @property
    def ports(self) -> frozenset[str]:
        """What EXPOSE names, as `8000/tcp`."""
        return frozenset(self.config.get("ExposedPorts") or ())

    @property
    def volumes(self) -> frozenset[str]:
        """The folders that VOLUME names."""
        return frozenset(self.config.get("Volumes") or ())

    @property
    def healthcheck(self) -> Mapping[str, Any]:
        """What HEALTHCHECK says: `Test`, and times in nanoseconds; empty without one."""
        return self.config.get("Healthcheck") or {}

    @property
    def labels(self) -> dict[str, str]:
        """The labels, those of the base image among them."""
        return dict(self.config.get("Labels") or {})

    @property
    def stopsignal(self) -> str:
        """What STOPSIGNAL says; empty is SIGTERM."""
        return str(self.config.get("StopSignal") or "")

    @cached_property
    def merged(self) -> Merged:
        """All layers over one another."""
        return self.merger(self.layers)

    @property
    def tree(self) -> Mapping[str, Entry]:
        """What a container sees, by path."""
        return self.merged.tree

    def layer_of(self, path: str) -> int | None:
        """The number of the layer that `path` comes from; None where there is no such path."""
        return self.merged.origin.get(path)

    @property
    def stored(self) -> int:
        """The bytes of all files of all layers, a hard link counted once."""
        return sum(layer.size for layer in self.layers)

    @property
    def live(self) -> int:
        """The bytes of all files that a container sees, a hard link counted once."""
        return self.merged.live

    @property
    def waste(self) -> int:
        """The bytes that are stored, and that no container sees."""
        return self.stored - self.live

    def wasted_by(self) -> tuple[Waste, ...]:
        """All of the waste: which layer stored it, and which took it away."""
        return self.merged.wasted

    def shared(self, base: Sequence[str]) -> int:
        """How many of the first layers are those of a base image, given by its diff IDs."""
        pairs = zip(self.diff_ids, base, strict=False)
        return next(
            (number for number, (ours, theirs) in enumerate(pairs) if ours != theirs),
            min(len(self.layers), len(base)),
        )

    def above(self, base: Sequence[str]) -> tuple[int, ...]:
        """The numbers of the layers that are the learner's own: those after the shared ones."""
        return tuple(range(self.shared(base), len(self.layers)))

    def text(self, path: str) -> bytes:
        """The content of one of the files that are kept (`KEPT`); empty where it is not there."""
        return self.merged.texts.get(path, b"")

    def identity(self, user: str | None = None) -> permissions.Identity | None:
        """The uid, gid and all groups of `user`, or else of USER; None of an unknown name."""
        name = self.user if user is None else user
        return permissions.identity(name, self.text("etc/passwd"), self.text("etc/group"))

    def writable(self, path: str, uid: int, gids: Iterable[int] = ()) -> bool:
        """Whether that user may write to what is at `path`; root always may."""
        return permissions.writable(self.tree, path, uid, frozenset(gids))

    def writable_paths(
        self, uid: int, gids: Iterable[int] = (), under: str = "etc"
    ) -> tuple[str, ...]:
        """All in and below a folder that this user may write to, links left out; sorted."""
        return permissions.writable_paths(self.tree, under, uid, frozenset(gids))

    def packages(self) -> dict[str, set[tuple[str, str, str]]]:
        """The installed Python distributions, by name (normalised as in PEP 503).

        Each is its name as written, its version (empty where the folder has none) and its path.
        """
        found: dict[str, set[tuple[str, str, str]]] = {}
        for path in self.tree:
            if path.endswith("-info") and (match := _DISTRIBUTION.fullmatch(path)):
                name, version = match[1], match[2] or ""
                key = re.sub(r"[-_.]+", "-", name).lower()
                found.setdefault(key, set()).add((name, version, path))
        return found

    def find(self, pattern: str) -> tuple[str, ...]:
        """All paths that fit, sorted: `*` and `?` stand within a name, `**` for any folders."""
        fits = re.compile(_expression(pattern.lstrip("/")), re.DOTALL).fullmatch
        return tuple(sorted(path for path in self.tree if fits(path)))


def _expression(pattern: str) -> str:
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    words = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return "".join(signs.get(word) or re.escape(word) for word in words)
