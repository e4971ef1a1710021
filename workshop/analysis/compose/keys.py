"""The keys of the compose specification: read, ignored, or refused with a reason.

Keys that appear in no list are not part of the specification.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_REASONS = {
    "host": "this option gives the container access to the host",
    "one_file": "other files are not read: copy their content into this one",
    "limits": "the grader sets resource limits",
    "secret": "the grader provides no secrets or configs",
    "engine": "not every Docker engine supports this option",
    "build": "builds may only use files in the folder",
    "hook": "this option runs additional commands",
}


@dataclass(frozen=True)
class Scope:
    """The keys of one kind of mapping; `harmless` lists permitted values of refused keys."""

    read: frozenset[str]
    ignored: frozenset[str] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)
    harmless: Mapping[str, tuple[object, ...]] = field(default_factory=dict)

    @property
    def known(self) -> frozenset[str]:
        """Every key of the specification."""
        return self.read | self.ignored | self.refused.keys()


def _make_scope(
    read: str,
    ignored: str = "",
    harmless: Mapping[str, tuple[object, ...]] | None = None,
    **why: str,
) -> Scope:
    """Build a scope; `why` maps the name of a reason to the keys that it refuses."""
    refused = {key: _REASONS[name] for name, keys in why.items() for key in keys.split()}
    return Scope(frozenset(read.split()), frozenset(ignored.split()), refused, harmless or {})


TOP = _make_scope(
    "services volumes networks version",
    "name",
    one_file="include",
    secret="secrets configs",  # noqa: S106
    engine="models",
)
SERVICE = _make_scope(
    "image build command entrypoint environment env_file ports volumes tmpfs profiles init user "
    "working_dir depends_on tty stdin_open read_only cap_drop restart healthcheck develop networks",
    "annotations attach container_name cpus deploy domainname expose hostname labels logging "
    "mac_address mem_limit mem_reservation memswap_limit pids_limit platform pull_policy "
    "pull_refresh_after scale stop_grace_period stop_signal",
    {
        "privileged": (False,),
        "network_mode": ("none", "bridge"),
        "security_opt": (["no-new-privileges"], ["no-new-privileges:true"]),
        "oom_kill_disable": (False,),
        "use_api_socket": (False,),
    },
    host="privileged cap_add cgroup cgroup_parent device_cgroup_rules devices dns dns_opt "
    "dns_search external_links extra_hosts group_add ipc links network_mode pid security_opt "
    "sysctls use_api_socket userns_mode uts volumes_from",
    limits="blkio_config cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime "
    "cpu_shares cpuset mem_swappiness oom_kill_disable oom_score_adj shm_size storage_opt ulimits",
    secret="secrets configs credential_spec",  # noqa: S106
    engine="gpus isolation models provider runtime",
    one_file="extends label_file",
    hook="post_start pre_stop",
)
BUILD = _make_scope(
    "context dockerfile target args",
    "labels no_cache platforms provenance pull sbom tags",
    {"network": ("default", "none"), "privileged": (False,)},
    host="entitlements extra_hosts network privileged",
    secret="secrets ssh",  # noqa: S106
    limits="shm_size ulimits",
    engine="isolation",
    build="additional_contexts cache_from cache_to dockerfile_inline",
)
VOLUME = _make_scope(
    "",
    "labels name",
    {"driver": ("local",), "external": (False,)},
    host="driver driver_opts external",
)
NETWORK = _make_scope(
    "",
    "attachable enable_ipv4 enable_ipv6 internal labels name",
    {"driver": ("bridge",), "external": (False,)},
    host="driver driver_opts external ipam",
)
PORT = _make_scope("target published host_ip protocol", "mode app_protocol name")
MOUNT = _make_scope(
    "type source target read_only bind", "consistency volume tmpfs", host="cluster image"
)
BIND = _make_scope("create_host_path", "selinux", host="propagation recursive")
ENV_FILE = _make_scope("path required", "", engine="format")
DEPENDS = _make_scope("condition", "restart required")
HEALTHCHECK = _make_scope("test disable interval timeout start_period start_interval retries")
DEVELOP = _make_scope("watch")
WATCH = _make_scope("action path target", "ignore include initial_sync", hook="exec")
