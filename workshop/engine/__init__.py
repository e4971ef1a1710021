"""The only door to Docker: every call of the docker command line is made here.

Imports `core`.
"""

from workshop.engine.engine import (
    KIT_LABEL,
    STANDIN_LABEL,
    Build,
    BuildError,
    Engine,
    EngineUnavailableError,
    Info,
)

__all__ = [
    "KIT_LABEL",
    "STANDIN_LABEL",
    "Build",
    "BuildError",
    "Engine",
    "EngineUnavailableError",
    "Info",
]
