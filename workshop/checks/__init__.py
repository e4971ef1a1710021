"""Checks that several tasks share.

A check judges the built image and the running container. Its `text`, if it has one, judges the
Dockerfile's text, for learners without an engine; it fails only when the text leaves no doubt.
"""

from workshop.checks.config import (
    build_only_variable,
    builds,
    exposes,
    has_stage,
    no_entrypoint,
    sets_variable,
    working_directory,
)
from workshop.checks.content import (
    caches_dependencies,
    contains_no_secrets,
    installs,
    no_development_packages,
    no_files,
)
from workshop.checks.dockerfile import base_image, copies, files_exist, pins_poetry
from workshop.checks.program import (
    command_can_be_overridden,
    prints,
    read_speech_bubble,
    require_exit_code_0,
)
from workshop.checks.server import (
    healthcheck_works,
    listens_on_all_interfaces,
    local_addresses,
    returns_expected_response,
    server_is_process_1,
    server_starts,
    stops_on_sigterm,
)
from workshop.checks.user import runs_as_non_root, user_is_non_root

__all__ = [
    "base_image",
    "build_only_variable",
    "builds",
    "caches_dependencies",
    "command_can_be_overridden",
    "contains_no_secrets",
    "copies",
    "exposes",
    "files_exist",
    "has_stage",
    "healthcheck_works",
    "installs",
    "listens_on_all_interfaces",
    "local_addresses",
    "no_development_packages",
    "no_entrypoint",
    "no_files",
    "pins_poetry",
    "prints",
    "read_speech_bubble",
    "require_exit_code_0",
    "returns_expected_response",
    "runs_as_non_root",
    "server_is_process_1",
    "server_starts",
    "sets_variable",
    "stops_on_sigterm",
    "user_is_non_root",
    "working_directory",
]
