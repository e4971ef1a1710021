from __future__ import annotations

import pytest

from workshop.analysis.image.assembly import assemble
from workshop.analysis.image.layers import Entry, Layer

LAYERS = {
    name: Layer(name, 1, (Entry(f"file-{name}", "file", 1, 0o644, 0, 0, "", ""),), (), (), {})
    for name in ("sha256:a", "sha256:b")
}
SAID = {"Id": "sha256:1", "Config": {"User": "app"}, "RootFS": {"Layers": [*LAYERS]}}
HISTORY = ["ADD root.tar / # buildkit", "ENV A=1", "RUN /bin/sh -c true # buildkit", "USER app"]


def assembled(history=HISTORY, known=LAYERS.get, **said):
    return assemble({**SAID, **said}, history, known, "canary")


def test_known_layers_and_what_the_engine_says_make_an_image():
    found = assembled()
    assert found is not None
    assert (found.id, found.user, found.diff_ids) == ("sha256:1", "app", ("sha256:a", "sha256:b"))
    assert [step.layer for step in found.history] == [0, None, 1, None]
    assert sorted(found.tree) == ["file-sha256:a", "file-sha256:b"]


@pytest.mark.parametrize(
    "history",
    [
        ["/bin/sh -c #(nop) ADD file:x in / ", '/bin/sh -c #(nop)  CMD ["sh"]', "/bin/sh -c true"],
        ["COPY a b # buildkit", "WORKDIR /app", "ARG A=1"],
        ["ADD x /", "|1 A=1 /bin/sh -c true", "/bin/sh -c #(nop)  ENV A=1"],
    ],
)
def test_the_history_of_older_builders_is_read_too(history):
    assert assembled(history) is not None


def test_a_layer_that_nobody_has_looked_at_makes_none():
    assert assembled(known={"sha256:a": LAYERS["sha256:a"]}.get) is None


def test_a_history_that_does_not_fit_makes_none():
    assert assembled([*HISTORY, "RUN true"]) is None
    assert assembled([]) is None


@pytest.mark.parametrize(
    "change", [{"history": [*HISTORY, "ENV A=canary"]}, {"Config": {"Env": ["A=canary"]}}]
)
def test_a_secret_in_the_configuration_makes_none(change):
    assert assembled(**change) is None
