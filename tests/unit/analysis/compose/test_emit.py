"""The compose file that the grader runs contains only permitted settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from unit.analysis.compose.files import read_web

from workshop.analysis.compose import RefusedError, emit, read
from workshop.analysis.container.excess import RunLimits

if TYPE_CHECKING:
    from pathlib import Path

EVERYTHING = """\
image: x
command: a
entrypoint: b
environment: {A: b}
volumes: [./a:/b]
init: true
tty: true
stdin_open: true
read_only: true
user: '1'
working_dir: /a
cap_drop: [ALL]
healthcheck: {test: a, retries: 3}
container_name: theirs
labels: {workshop: mine}
logging: {driver: syslog}
deploy: {replicas: 100}
hostname: h
"""


class TestEmit:
    def emitted(self, body: str, folder: Path, **options) -> dict:
        text = emit(read_web(body), ["web"], images={"web": "ours"}, folder=folder, **options)
        return json.loads(text)["services"]["web"]

    def test_a_container_has_no_network_and_no_published_ports(self, tmp_path):
        found = self.emitted("image: theirs\nports: ['80:80']\nrestart: always", tmp_path)
        assert found["image"] == "ours"
        assert found["network_mode"] == "none"
        assert found["security_opt"] == ["no-new-privileges:true"]
        assert found["restart"] == "no"
        assert not {"ports", "networks", "privileged"} & found.keys()

    def test_other_keys_are_dropped(self, tmp_path):
        (tmp_path / "a").mkdir()
        limits = RunLimits().settings
        found = self.emitted(EVERYTHING, tmp_path, limits=limits)
        assert {key: found[key] for key in limits} == limits
        assert not {"container_name", "labels", "deploy", "hostname"} & found.keys()
        assert found["logging"]["driver"] == "json-file"
        assert found["healthcheck"] == {"test": ["CMD-SHELL", "a"], "retries": 3}
        assert found["cap_drop"] == ["ALL"]

    def test_dollar_signs_are_escaped(self, tmp_path):
        found = self.emitted("image: x\ncommand: ['$${HOME}']\nenvironment: {A: $$B}", tmp_path)
        assert found["command"] == ["$${HOME}"]
        assert found["environment"] == {"A": "$$B"}

    def test_a_service_without_a_given_image_is_built_from_the_folder(self, tmp_path):
        (tmp_path / "app").mkdir()
        (tmp_path / "File").touch()
        compose = read_web("build: {context: app, dockerfile: ../File, target: t, args: {A: 1}}")
        found = json.loads(emit(compose, ["web"], images={}, folder=tmp_path))["services"]["web"]
        assert found["build"] == {
            "context": str(tmp_path / "app"),
            "dockerfile": str(tmp_path / "File"),
            "target": "t",
            "args": {"A": "1"},
        }

    def test_an_image_that_was_not_given_is_refused(self, tmp_path):
        with pytest.raises(RefusedError, match="not built from the folder"):
            emit(read_web("image: other-learner:latest"), ["web"], images={}, folder=tmp_path)

    def test_an_unknown_service_is_refused(self, tmp_path):
        with pytest.raises(RefusedError, match="does not define this service"):
            emit(read_web("image: x"), ["db"], images={}, folder=tmp_path)

    def test_refusals_of_other_services_do_not_count(self, tmp_path):
        text = "services: {web: {image: x}, web2: {image: y, privileged: true}}"
        assert emit(read(text, {}), ["web"], images={"web": "x"}, folder=tmp_path)
        with pytest.raises(RefusedError):
            emit(read(text, {}), ["web2"], images={"web2": "x"}, folder=tmp_path)

    def test_services_depend_only_on_emitted_services(self, tmp_path):
        text = "services: {web: {image: x, depends_on: [db, c]}, db: {image: y}, c: {image: z}}"
        text = emit(read(text, {}), ["web", "db"], images={"web": "x", "db": "y"}, folder=tmp_path)
        service = json.loads(text)["services"]["web"]
        assert service["depends_on"] == {"db": {"condition": "service_started"}}

    def test_volume_names_are_dropped(self, tmp_path):
        text = "services: {web: {image: x, volumes: [data:/x]}}\nvolumes: {data: {name: theirs}}"
        found = json.loads(emit(read(text, {}), ["web"], images={"web": "x"}, folder=tmp_path))
        assert found["volumes"] == {"data": {}}

    def test_env_files_are_merged_into_the_environment(self, tmp_path):
        (tmp_path / ".env").write_text("A=1\nB=$A$C\n")
        found = self.emitted(
            "image: x\nenv_file: .env\nenvironment: {A: 2}", tmp_path, environment={"C": "3"}
        )
        assert found["environment"] == {"A": "2", "B": "13"}
        assert "env_file" not in found
