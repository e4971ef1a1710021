"""What the pages that the kit writes share: one file each, which needs no other and no network.

A content security policy lets the browser run only the page's own script.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def policy(style: str, script: str) -> str:
    """Return the content security policy: this style, this script, and nothing else."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def create_environment(templates: Path) -> Environment:
    """Return an environment for the templates in a folder, which escapes every value."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - slow

    return Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def read_source(*files: Path) -> str:
    """Return the kit's own style or script; escaping would break it, and the policy its digest."""
    from markupsafe import Markup  # noqa: PLC0415 - slow

    return Markup("".join(file.read_text(encoding="utf-8") for file in files))  # noqa: S704


def read_style(file: Path) -> str:
    """Return the style that all pages share, followed by that of one page."""
    return read_source(TEMPLATES / "page.css", file)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
