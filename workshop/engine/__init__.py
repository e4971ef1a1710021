"""Access to Docker: the only package that runs the docker command line.

Imports `core`.
"""

from workshop.engine.build import Build, BuildError
from workshop.engine.engine import (
    KIT_LABEL,
    PROXY_LABEL,
    STANDIN_LABEL,
    Engine,
    EngineUnavailableError,
    Info,
)

__all__ = [
    "KIT_LABEL",
    "PROXY_LABEL",
    "STANDIN_LABEL",
    "Build",
    "BuildError",
    "Engine",
    "EngineUnavailableError",
    "Info",
]
