"""How much of the machine one submission may use while it is graded."""

from __future__ import annotations

from typing import NamedTuple

from workshop.core.sizes import GB, MB


class Quota(NamedTuple):
    """What the builds of one submission may do on the network; the two amounts are in bytes."""

    connections: int
    received: int
    sent: int


UNLIMITED = Quota(connections=0, received=0, sent=0)


class Limits(NamedTuple):
    """The limits of one submission; 0 means that the kit sets none.

    `memory` is in bytes and `processes` a number; each counts all steps of its builds together.
    `disk` is in bytes: what its builds, or its containers, write; also the size of one file. `log`
    is in bytes of a container's output, `seconds` the time of one build, `cpus` the processors
    that all its containers or all steps of its builds may keep busy. Without `network`, the
    engine asks no address of theirs, and their steps reach nothing but packages, within a quota
    that is not UNLIMITED.
    """

    memory: int
    processes: int
    disk: int
    log: int
    seconds: float
    cpus: float
    network: bool
    packages: Quota = UNLIMITED


# For a learner's own work. BuildKit reuses a step only for builds of the same cgroup: a limit on
# memory would repeat every step that the learner has just built by hand.
OWN = Limits(memory=0, processes=0, disk=10 * GB, log=64 * MB, seconds=900, cpus=0, network=True)
# For the submissions of a class, who may be strangers.
CLASS = Limits(
    memory=1 * GB,
    processes=512,
    disk=2 * GB,
    log=16 * MB,
    seconds=600,
    cpus=2,
    network=False,
    packages=Quota(connections=3000, received=2 * GB, sent=20 * MB),
)
