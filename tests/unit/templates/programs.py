"""Loads the programs of the templates, which belong to no package."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from harness import ROOT

if TYPE_CHECKING:
    from types import ModuleType


def load(path: str) -> ModuleType:
    """Return the program at `path` in the checkout as a module."""
    name = path.rpartition("/")[2].removesuffix(".py")
    spec = importlib.util.spec_from_file_location(name, ROOT / path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
