"""Finds answers whose text is nearly the same: a reason to look, and no proof of anything.

The measure is the Jaccard similarity of shingles, sequences of five words or signs in a row.
Shingles of the kit's own files do not count, and neither do those that many answers of the class
have: everybody takes these from the lesson. Source: A. Z. Broder, "On the resemblance and
containment of documents", 1997, https://doi.org/10.1109/SEQUEN.1997.666900
"""

from __future__ import annotations

import functools
import hashlib
import re
from array import array
from collections import Counter, defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from workshop.core.paths import ROOT
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

SHINGLE = 5  # words or signs
# Of an answer with more shingles, those with the smallest digests are compared.
MOST_SHINGLES = 512
# A shingle counts if at most so many answers have it, or this share of the class.
FEW, FEW_SHARE = 5, 0.2
# Two answers are alike from this similarity, and from so many shingles in common.
SIMILARITY, LEAST_COMMON = 0.75, 12

_TOKEN = re.compile(r"\w+|[^\w\s]")


class Pair(NamedTuple):
    """Two answers by their names; `share` is the similarity from 0 to 1."""

    one: str
    other: str
    share: float


def sketch(texts: Iterable[str]) -> array[int]:
    """Return the digests of the shingles of some texts, without case and layout."""
    return array("Q", sorted(_digests(texts))[:MOST_SHINGLES])


@functools.cache
def kit_digests(task: str) -> frozenset[int]:
    """Return the digests of the shingles of the kit's own answer to a task."""
    found = course.task(task)
    files = [ROOT / found.folder / name for name in found.answer]
    return frozenset(_digests(file.read_text(encoding="utf-8") for file in files))


def find_pairs(sketches: Mapping[str, Iterable[int]], known: Collection[int] = ()) -> list[Pair]:
    """Return the pairs of answers that are alike, the most similar first.

    `known` has the digests of shingles that do not count.
    """
    uses = Counter(digest for found in sketches.values() for digest in found)
    most = max(FEW, FEW_SHARE * len(sketches))
    rare = {
        name: {digest for digest in found if uses[digest] <= most and digest not in known}
        for name, found in sketches.items()
    }
    pairs = [
        Pair(one, other, common / (len(rare[one]) + len(rare[other]) - common))
        for (one, other), common in _count_common(rare).items()
        if common >= LEAST_COMMON
    ]
    alike = [pair for pair in pairs if pair.share >= SIMILARITY]
    return sorted(alike, key=lambda pair: (-pair.share, pair.one, pair.other))


def _count_common(rare: Mapping[str, Iterable[int]]) -> Counter[tuple[str, str]]:
    """Return how many shingles each pair has in common; most pairs have none."""
    names: defaultdict[int, list[str]] = defaultdict(list)
    for name, found in rare.items():
        for digest in found:
            names[digest].append(name)
    return Counter(pair for users in names.values() for pair in combinations(users, 2))


def _digests(texts: Iterable[str]) -> set[int]:
    return {_digest(shingle) for text in texts for shingle in _shingles(text)}


def _shingles(text: str) -> Iterator[str]:
    tokens = _TOKEN.findall(text.casefold())
    for start in range(len(tokens) - SHINGLE + 1):
        yield " ".join(tokens[start : start + SHINGLE])


def _digest(shingle: str) -> int:
    return int.from_bytes(
        hashlib.blake2b(shingle.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    )
