"""The catalogue of images agrees with the Dockerfiles and the compose files."""

from __future__ import annotations

import re

import pytest
import yaml
from harness import ROOT

from workshop.engine import Build
from workshop.stack.images import EXTRA_IMAGES, IMAGES, WEB

ALL = IMAGES + EXTRA_IMAGES
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


@pytest.mark.parametrize("image", ALL, ids=lambda image: image.name)
def test_an_image_has_a_context_and_a_target_that_exist(image):
    build = image.build(ROOT)
    assert build.context.is_dir()
    text = build.dockerfile.read_text(encoding="utf-8")
    assert not image.target or re.search(rf"^FROM \S+ AS {image.target}$", text, re.MULTILINE)


def test_every_image_has_a_unique_name_with_a_tag():
    names = [image.name for image in ALL]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_-]+:[\w.]+", name) for name in names)


def test_every_dockerfile_is_in_the_catalogue():
    built = {ROOT / image.folder / image.dockerfile for image in ALL}
    there = {f for f in ROOT.glob("services/**/Dockerfile*") if f.suffix != ".dockerignore"}
    # The engine tests build this one.
    assert there - built == {ROOT / "services/fastapi/Dockerfile-test"}


def test_a_build_uses_the_given_checkout_and_arguments(tmp_path):
    (greeter,) = [image for image in IMAGES if image.service == "greeter"]
    folder = tmp_path / greeter.folder
    assert greeter.build(tmp_path, {"A": "1"}) == Build(
        greeter.name, folder, folder / "Dockerfile", "", {"A": "1"}
    )


@pytest.mark.parametrize("web", WEB, ids=lambda web: web.service)
def test_a_web_service_has_the_port_and_image_of_the_compose_file(web):
    (image,) = [image for image in IMAGES if image.web is web]
    service = COMPOSE[web.service]
    assert service["image"] == image.name
    assert service["ports"][0].startswith(f"127.0.0.1:${{{web.variable}:-{web.lesson_port}}}:")


def test_every_compose_service_with_a_port_is_in_the_catalogue():
    assert {name for name, service in COMPOSE.items() if "ports" in service} == {
        web.service for web in WEB
    }


def test_ports_differ_and_none_is_5000():
    ports = [web.lesson_port for web in WEB]
    assert len(set(ports)) == len(ports)
    assert 5000 not in ports


def test_the_services_and_the_lessons_use_different_ports():
    pages = (ROOT / "docs/lessons").rglob("*.md")
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    published = {int(port) for port in re.findall(r"(?:127\.0\.0\.1:|--publish )(\d+):\d+", text)}
    assert {web.lesson_port for web in WEB} <= published
    assert not {web.port for web in WEB} & published


# Browsers block the ports of some protocols; the highest is 10080 (fetch.spec.whatwg.org, "bad
# port").
def test_browsers_open_the_ports_of_the_services():
    assert min(web.port for web in WEB) > 10080
