"""Compose files of the kit, and the problems reported in invalid ones."""

from __future__ import annotations

import pytest
from harness import ROOT
from unit.analysis.compose.files import KIT_FILES

from workshop.analysis.compose import emit, read, yaml_tree


@pytest.mark.parametrize("name", KIT_FILES)
def test_the_kits_files_have_no_problems_or_refusals(name):
    compose = read((ROOT / name).read_bytes(), {})
    assert (compose.problems, compose.refusals) == ((), ())
    assert compose.services


@pytest.mark.parametrize("name", KIT_FILES)
def test_the_kits_files_refer_only_to_files_in_the_folder(name):
    compose = read((ROOT / name).read_bytes(), {})
    images = {name: "x" for name, service in compose.services.items() if not service.build}
    assert emit(compose, list(compose.services), images=images, folder=ROOT)


def test_anchors_and_merge_keys_are_expanded():
    tests = read((ROOT / "docker-compose.yml").read_bytes(), {}).services["todo-tests"]
    assert tests.build.context == "services/todo-app"
    assert tests.build.target == "test"
    assert tests.command == ("watch",)


PROBLEMS = {
    "[]": "the file has no services",
    "": "the file is empty",
    "a: [": "did not find expected",
    "services: [a]": "services must be a mapping, not a list",
    "services: {web: }": "services.web must be a mapping, not an empty value",
    "services: {web: {}}": "services.web needs an image or a build",
    "services: {web: {image: x, imag: y}}": "not a compose file key; did you mean image?",
    "servces: {web: {image: x}}": "servces is not a compose file key; did you mean services?",
    "services: {web: {image: x, ports: 80}}": "ports must be a list, not a number",
    "services: {web: {image: x, ports: ['80:a']}}": "ports[0] is not a valid port: 80:a",
    "services: {web: {image: x, ports: ['1-60000', '1-60000/udp']}}": "more than 1000 ports",
    "services: {web: {image: x, user: 1000}}": "user must be a string, not a number",
    "services: {web: {image: x, init: maybe}}": "init must be true or false, not maybe",
    "services: {web: {image: x, command: 'a \"b'}}": "unclosed quote or bracket",
    "services: {web: {image: x, command: [1]}}": "command[0] must be a string",
    'services: {web: {image: "a\\0b"}}': "NUL",
    "services: {web: {image: '${A'}}": "has no closing brace",
    "services: {web: {image: '${A:?say it}'}}": "the variable A has no value: say it",
    "services: {web: {image: '${A!}'}}": "is not a valid variable",
    "services: {web: {image: x, volumes: ['data:/x']}}": "data, which the file does not declare",
    "services: {web: {image: x, networks: [a]}}": "joins the undeclared network a",
    "services: {web: {image: x, depends_on: [db]}}": "depends on db, which is not a service",
    "services: {web: {image: x, depends_on: [web]}}": "depends on itself",
    "services: {web: {image: x, image: y}}": "image is already defined on line 1",
    "services: {web: {image: x, environment: {1: a}}}": "a key is not a string",
    "services: {web: {image: !!python/object:os.system x}}": "os.system is not supported",
    "services: {web: {image: *a}}": "*a has no anchor",
    "services: &a {web: *a}": "is inside its own anchor",
    "services: {web: {<<: x}}": "<< must merge a mapping",
    "a: 1\n---\nb: 2": "a second document",
    "version: '3'\nservices: {web: {image: x}}": "version is obsolete",
}


@pytest.mark.parametrize("text", PROBLEMS)
def test_a_problem_says_what_is_wrong(text):
    found = read(text, {}).problems
    assert any(PROBLEMS[text] in problem.text for problem in found), found


def test_problems_have_line_numbers():
    text = "services:\n  web:\n    image: x\n    ports: 80\n    foo: 1\n"
    assert sorted(problem.line for problem in read(text, {}).problems) == [4, 5]


def test_an_obsolete_version_is_reported():
    assert read("version: '3'\nservices: {web: {image: x}}", {}).obsolete_version


def test_the_merge_tags_of_compose_are_applied():
    """In a single file, !reset removes a value, and !override keeps it."""
    text = """services:
  web:
    image: !override nginx
    ports: !reset []
    command: !override [a, b]
    environment: {A: !reset null, B: x}
    build: !reset
      context: .
"""
    tree = yaml_tree.parse(text)
    web = tree.value["services"].value["web"].value
    assert [*web] == ["image", "command", "environment"]
    assert web["image"].value == "nginx"
    assert [node.value for node in web["command"].value] == ["a", "b"]
    assert [*web["environment"].value] == ["B"]
