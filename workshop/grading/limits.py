"""How much of the machine one submission may use while it is graded."""

from __future__ import annotations

from typing import NamedTuple

from workshop.core.sizes import GB, MB


class Limits(NamedTuple):
    """The limits of one submission; 0 means that the kit sets none.

    `memory` is in bytes and `processes` a number; each counts all steps of its builds together.
    `disk` is in bytes: what its builds, or its containers, write; also the size of one file. `log`
    is in bytes of a container's output, `seconds` the time of one build, `cpus` the processors
    that a container or all steps of its builds may keep busy. Without `network`, a build reaches
    neither this machine's own ports nor addresses that the submission tells the engine to ask.
    """

    memory: int
    processes: int
    disk: int
    log: int
    seconds: float
    cpus: float
    network: bool


# For a learner's own work. BuildKit reuses a step only for builds of the same cgroup: a limit on
# memory would repeat every step that the learner has just built by hand.
OWN = Limits(memory=0, processes=0, disk=10 * GB, log=64 * MB, seconds=900, cpus=0, network=True)
# For the submissions of a class, who may be strangers.
CLASS = Limits(
    memory=1 * GB, processes=512, disk=2 * GB, log=16 * MB, seconds=600, cpus=0, network=False
)
