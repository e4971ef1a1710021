from __future__ import annotations

import pytest

from workshop.analysis.image.assembly import assemble
from workshop.analysis.image.layers import Entry, Layer

LAYERS = {
    name: Layer(name, 1, (Entry(f"file-{name}", "file", 1, 0o644, 0, 0, "", ""),), (), (), {})
    for name in ("sha256:a", "sha256:b")
}
INSPECTED = {"Id": "sha256:1", "Config": {"User": "app"}, "RootFS": {"Layers": [*LAYERS]}}
HISTORY = ["ADD root.tar / # buildkit", "ENV A=1", "RUN /bin/sh -c true # buildkit", "USER app"]


def assembled(history=HISTORY, known=LAYERS.get, **inspected):
    return assemble({**INSPECTED, **inspected}, history, known, "canary")


def test_assembles_known_layers_and_docker_inspect():
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
def test_reads_the_history_of_older_builders(history):
    assert assembled(history) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"known": {"sha256:a": LAYERS["sha256:a"]}.get},
        {"history": [*HISTORY, "RUN true"]},
        {"history": []},
        {"history": [*HISTORY, "ENV A=canary"]},
        {"Config": {"Env": ["A=canary"]}},
    ],
    ids=["unknown layer", "too many steps", "no steps", "secret in history", "secret in config"],
)
def test_the_whole_image_has_to_be_read(change):
    assert assembled(**change) is None
