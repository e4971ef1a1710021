"""Options that give access to the host, or that the grader does not support, are refused."""

from __future__ import annotations

import re

import pytest
from unit.analysis.compose.files import read_web, valid_web

from workshop.analysis.compose import RefusedError, emit, read

OUTSIDE = "outside the compose file's folder"
HOST = "access to the host"
REFUSED = {
    "privileged: true": ("privileged", HOST),
    "cap_add: [SYS_ADMIN]": ("cap_add", HOST),
    "devices: [/dev/kmsg]": ("devices", HOST),
    "device_cgroup_rules: ['a *:* rwm']": ("device_cgroup_rules", HOST),
    "pid: host": ("pid", HOST),
    "ipc: host": ("ipc", HOST),
    "uts: host": ("uts", HOST),
    "network_mode: host": ("network_mode", HOST),
    "network_mode: 'container:other'": ("network_mode", HOST),
    "userns_mode: host": ("userns_mode", HOST),
    "cgroup: host": ("cgroup", HOST),
    "cgroup_parent: /": ("cgroup_parent", HOST),
    "sysctls: [kernel.core_pattern=x]": ("sysctls", HOST),
    "security_opt: [seccomp=unconfined]": ("security_opt", HOST),
    "security_opt: ['no-new-privileges:true', 'apparmor=unconfined']": ("security_opt", HOST),
    "volumes_from: ['container:other']": ("volumes_from", HOST),
    "external_links: [other]": ("external_links", HOST),
    "extra_hosts: ['a:host-gateway']": ("extra_hosts", HOST),
    "group_add: [docker]": ("group_add", HOST),
    "use_api_socket: true": ("use_api_socket", HOST),
    "runtime: other": ("runtime", "not every Docker engine"),
    "gpus: all": ("gpus", "not every Docker engine"),
    "provider: {type: x}": ("provider", "not every Docker engine"),
    "ulimits: {nproc: 100000000}": ("ulimits", "sets resource limits"),
    "shm_size: 64g": ("shm_size", "sets resource limits"),
    "oom_score_adj: -1000": ("oom_score_adj", "sets resource limits"),
    "secrets: [a]": ("secrets", "no secrets or configs"),
    "configs: [a]": ("configs", "no secrets or configs"),
    "credential_spec: {file: x}": ("credential_spec", "no secrets or configs"),
    "extends: {file: /etc/passwd, service: x}": ("extends", "other files are not read"),
    "label_file: /etc/passwd": ("label_file", "other files are not read"),
    "post_start: [{command: id, user: root}]": ("post_start", "additional commands"),
    "pre_stop: [{command: id}]": ("pre_stop", "additional commands"),
    "volumes: ['/var/run/docker.sock:/var/run/docker.sock']": ("volumes[0]", OUTSIDE),
    "volumes: ['/:/host']": ("volumes[0]", OUTSIDE),
    "volumes: ['../other:/x']": ("volumes[0]", OUTSIDE),
    "volumes: ['./a/../../other:/x']": ("volumes[0]", OUTSIDE),
    "volumes: ['~/.ssh:/x']": ("volumes[0]", OUTSIDE),
    "volumes: ['${NO:-/etc}:/x']": ("volumes[0]", OUTSIDE),
    "volumes: ['${ROOT}etc:/x']": ("volumes[0]", OUTSIDE),
    "volumes: ['C:\\Users:/x']": ("volumes[0]", "Windows path"),
    "volumes: ['./a:/x:rshared']": ("volumes[0]", "shares mounts"),
    "volumes: [{type: bind, source: /etc, target: /x}]": ("volumes[0].source", OUTSIDE),
    "volumes: [{type: bind, source: '', target: /x}]": ("volumes[0].source", OUTSIDE),
    "volumes: [{type: bind, source: a/../.., target: /x}]": ("volumes[0].source", OUTSIDE),
    "volumes: [{type: npipe, source: a, target: /x}]": ("volumes[0].type", "must be bind"),
    "volumes: [{type: bind, source: a, target: /x, bind: {propagation: shared}}]": (
        "volumes[0].bind.propagation",
        HOST,
    ),
    "env_file: /etc/environment": ("env_file", OUTSIDE),
    "env_file: [../.env]": ("env_file[0]", OUTSIDE),
    "env_file: [{path: ../.env, required: false}]": ("env_file[0]", OUTSIDE),
    "build: ..": ("build", OUTSIDE),
    "build: /": ("build", OUTSIDE),
    "build: https://example.org/x.git": ("build", OUTSIDE),
    "build: git@example.org:x/y.git": ("build", OUTSIDE),
    "build: {context: ../other}": ("build.context", OUTSIDE),
    "build: {context: a, dockerfile: ../../File}": ("build.dockerfile", OUTSIDE),
    "build: {context: a, dockerfile: /etc/passwd}": ("build.dockerfile", OUTSIDE),
    "build: {context: a, additional_contexts: {x: /}}": (
        "build.additional_contexts",
        "only use files",
    ),
    "build: {context: a, cache_from: [other]}": ("build.cache_from", "only use files"),
    "build: {context: a, cache_to: [x]}": ("build.cache_to", "only use files"),
    "build: {context: a, dockerfile_inline: FROM x}": ("build.dockerfile_inline", "only use files"),
    "build: {context: a, network: host}": ("build.network", HOST),
    "build: {context: a, privileged: true}": ("build.privileged", HOST),
    "build: {context: a, entitlements: [security.insecure]}": ("build.entitlements", HOST),
    "build: {context: a, extra_hosts: ['a:1.2.3.4']}": ("build.extra_hosts", HOST),
    "build: {context: a, ssh: [default]}": ("build.ssh", "no secrets or configs"),
    "build: {context: a, secrets: [x]}": ("build.secrets", "no secrets or configs"),
    "develop: {watch: [{action: sync+exec, path: ., exec: {command: x}}]}": (
        "develop.watch[0].exec",
        "additional commands",
    ),
}
REFUSED_TOP_LEVEL = {
    "include: [/etc/passwd]": ("include", "other files are not read"),
    "include: [{path: other.yml}]": ("include", "other files are not read"),
    "secrets: {a: {file: /etc/shadow}}": ("secrets", "no secrets or configs"),
    "configs: {a: {file: ../x}}": ("configs", "no secrets or configs"),
    "volumes: {a: {external: true}}": ("volumes.a.external", HOST),
    "volumes: {a: {driver: sshfs}}": ("volumes.a.driver", HOST),
    "volumes: {a: {driver_opts: {type: none, o: bind, device: /}}}": (
        "volumes.a.driver_opts",
        HOST,
    ),
    "networks: {a: {external: true}}": ("networks.a.external", HOST),
    "networks: {a: {driver: host}}": ("networks.a.driver", HOST),
    "networks: {a: {driver_opts: {parent: eth0}}}": ("networks.a.driver_opts", HOST),
}


class TestRefusals:
    @pytest.mark.parametrize("body", REFUSED)
    def test_a_service_gets_no_host_access(self, body, tmp_path):
        where, why = REFUSED[body]
        compose = read_web(f"image: x\n{body}", {"ROOT": "/"})
        assert [refusal.where for refusal in compose.refusals] == [f"services.web.{where}"]
        assert why in compose.refusals[0].why
        assert compose.refusals[0].line == 4
        with pytest.raises(RefusedError, match=re.escape(why)):
            emit(compose, ["web"], images={"web": "x"}, folder=tmp_path)

    @pytest.mark.parametrize("text", REFUSED_TOP_LEVEL)
    def test_the_top_level_gets_no_host_access(self, text):
        where, why = REFUSED_TOP_LEVEL[text]
        compose = read(f"services: {{web: {{image: x}}}}\n{text}\n", {})
        assert [(refusal.where, refusal.line) for refusal in compose.refusals] == [(where, 2)]
        assert why in compose.refusals[0].why

    def test_a_refusal_shows_the_value_found(self):
        assert read_web("image: x\ncap_add: [SYS_ADMIN]").refusals[0].found == "[SYS_ADMIN]"
        assert read_web("image: x\nprivileged: true").refusals[0].found == "true"

    def test_aliases_are_checked_too(self):
        text = "x-a: &a {privileged: true}\nservices:\n  web:\n    image: x\n    <<: *a\n"
        assert [refusal.where for refusal in read(text, {}).refusals] == ["services.web.privileged"]

    @pytest.mark.parametrize(
        "body",
        [
            "privileged: false",
            "network_mode: bridge",
            "security_opt: ['no-new-privileges:true']",
            "container_name: x",
            "labels: {a: b}",
            "logging: {driver: journald}",
            "stop_grace_period: 5s",
            "deploy: {resources: {limits: {memory: 100m}}}",
            "develop: {watch: [{action: sync, path: ., target: /x}]}",
        ],
    )
    def test_harmless_settings_are_not_refused(self, body):
        assert valid_web(f"image: x\n{body}")
