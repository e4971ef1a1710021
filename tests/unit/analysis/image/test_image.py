from __future__ import annotations

import gzip
import io
import json
import tarfile
from dataclasses import replace
from functools import partial

import pytest
import zstandard
from tars import Item, file, folder, hardlink, legacy, link, oci, oci_layout, tar

from workshop.analysis.image import limits, tar_stream
from workshop.analysis.image.docker_save import read
from workshop.analysis.image.image import Image, Step
from workshop.analysis.image.layers import Layer, Waste
from workshop.analysis.image.secret_search import Found
from workshop.core.errors import UserError

MB = 10**6


def image(*layers: list[Item], **facts) -> Image:
    return read(oci(*(tar(*items) for items in layers), **facts))


def paths(found: Image) -> set[str]:
    return set(found.tree)


PACKS = {"plain": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}
LAYOUTS = {
    "legacy": legacy,
    **{f"docker {name}": partial(oci, pack=pack) for name, pack in PACKS.items()},
    **{f"oci {name}": partial(oci_layout, pack=pack) for name, pack in PACKS.items()},
    "oci nested": partial(oci_layout, nested=True),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_and_compression_is_read(layout):
    base, empty = tar(folder("etc"), file("etc/x", b"1")), tar()
    found = read(LAYOUTS[layout](base, empty, tar(file("y", b"22")), empty))
    assert paths(found) == {"etc", "etc/x", "y"}
    assert (found.stored, found.live, found.waste) == (3, 3, 0)
    assert len(found.layers) == 4
    assert found.layers[1].diff_id == found.layers[3].diff_id


@pytest.mark.parametrize("pack", PACKS.values())
def test_an_archive_may_be_compressed_as_a_whole(pack):
    for layout in (oci, oci_layout, legacy):
        assert paths(read(io.BytesIO(pack(layout(tar(file("x"))).getvalue())))) == {"x"}


def test_both_layouts_give_the_same_image():
    layers = tar(folder("etc"), file("etc/x", b"1")), tar(file("etc/.wh.x"), file("y", b"22"))
    history = [{"created_by": "ADD base"}, {"created_by": "RUN x"}]
    assert read(oci_layout(*layers, history=history)) == read(oci(*layers, history=history))


def test_of_several_platforms_that_of_this_machine_is_read(monkeypatch):
    others = [("arm64", tar(file("arm"))), ("unknown", tar(file("attestation")))]
    saved = oci_layout(tar(file("amd")), others=others, nested=True).getvalue()
    for machine, expected in (("x86_64", "amd"), ("aarch64", "arm"), ("riscv64", "arm")):
        monkeypatch.setattr("platform.machine", lambda machine=machine: machine)
        assert paths(read(io.BytesIO(saved))) == {expected}


@pytest.mark.parametrize("format_", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_tar_format_is_read(format_):
    name = "/".join(["folder" * 5] * 6) if format_ == tarfile.USTAR_FORMAT else "long/" * 80 + "é"
    found = read(oci(tar(file(name, b"1"), link("l", "t" * 90), format=format_)))
    assert found.tree[name].size == 1
    assert found.tree["l"].target == "t" * 90


def test_a_pax_header_applies_only_to_the_next_entry():
    extra = {"uid": "3000000", "SCHILY.xattr.user.x": "a=b\nc"}
    found = image([file("a", b"1", extra=extra), file("b")])
    assert (found.tree["a"].uid, found.tree["b"].uid) == (3000000, 0)


def test_a_sparse_file_has_its_full_size():
    head = bytearray(tar(file("hole", b"12"), format=tarfile.GNU_FORMAT)[:1024])
    head[156:157], head[483:495] = tarfile.GNUTYPE_SPARSE, b"00000001000\0"
    head[148:156] = b" " * 8
    head[148:156] = f"{sum(head[:512]):06o}\0 ".encode()
    found = read(oci(bytes(head) + tar(file("next"))))
    assert found.tree["hole"].size == 0o1000
    assert "next" in found.tree


def test_a_whiteout_deletes_from_lower_layers():
    found = image([file("d/a", 5), file("d/b", 7)], [file("d/.wh.a")])
    assert paths(found) == {"d", "d/b"}
    assert (found.stored, found.live, found.waste) == (12, 7, 5)
    assert found.wasted_by() == (Waste(5, 0, 1),)


def test_a_whiteout_of_a_folder_deletes_its_content():
    found = image([file("d/e/a", 5), file("d/b", 7)], [file(".wh.d")], [file("d/new", 1)])
    assert paths(found) == {"d", "d/new"}
    assert found.wasted_by() == (Waste(12, 0, 1),)


@pytest.mark.parametrize("items", [("d/.wh..wh..opq", "d/new"), ("d/new", "d/.wh..wh..opq")])
def test_an_opaque_folder_hides_only_lower_layers(items):
    found = image([file("d/a", 5)], [folder("d"), *(file(name) for name in items)])
    assert paths(found) == {"d", "d/new"}
    assert found.waste == 5


def test_unmatched_whiteouts_and_aufs_metadata_are_ignored():
    found = image([file("a", 1)], [file(".wh.b"), file(".wh..wh.plnk/x"), file(".wh..wh.aufs")])
    assert "a" in found.tree
    assert found.waste == 0


def test_a_replaced_file_is_wasted_by_the_layer_that_replaced_it():
    found = image([file("a", 5)], [file("x")], [file("a", 3)])
    assert found.wasted_by() == (Waste(5, 0, 2),)
    assert found.layer_of("a") == 2


def test_a_chmod_stores_the_file_twice_and_wastes_it_once():
    found = image([file("a", MB)], [file("a", MB, mode=0o755)])
    assert (found.stored, found.live, found.waste) == (2 * MB, MB, MB)
    assert found.tree["a"].mode == 0o755


def test_a_repeated_folder_keeps_its_content():
    found = image([folder("d"), file("d/a", 5)], [folder("d", mode=0o700)])
    assert paths(found) == {"d", "d/a"}
    assert found.tree["d"].mode == 0o700
    assert found.waste == 0


def test_a_folder_replaced_by_a_file_loses_its_content():
    found = image([file("a/b/c", 5)], [file("a", 1)])
    assert paths(found) == {"a"}
    assert found.wasted_by() == (Waste(5, 0, 1),)


def test_a_link_replaced_by_a_folder_is_not_followed():
    found = image([file("usr/lib/a", 1), link("lib", "usr/lib")], [file("lib/b", 1)])
    assert found.tree["lib"].kind == "dir"
    assert "usr/lib/b" not in found.tree


def test_a_link_of_the_same_layer_is_followed():
    found = image([folder("usr/lib"), link("lib", "usr/lib"), file("lib/a", 1)])
    assert found.tree["lib"].kind == "link"
    assert "usr/lib/a" in found.tree


def test_a_hard_link_counts_once():
    found = image([file("a", 5), hardlink("b", "a")])
    assert (found.stored, found.live, found.waste) == (5, 5, 0)
    assert found.tree["b"].digest == found.tree["a"].digest


def test_bytes_are_wasted_only_without_any_hard_link():
    first = [file("a", 5), hardlink("b", "/a")]
    assert image(first, [file(".wh.a")]).waste == 0
    assert image(first, [file(".wh.a")], [file(".wh.b")]).wasted_by() == (Waste(5, 0, 2),)


def test_a_hard_link_may_point_to_a_lower_layer():
    found = image([file("a", 5)], [hardlink("b", "a")], [file(".wh.a")])
    assert found.tree["b"].size == 5
    assert found.waste == 0


def test_a_hard_link_to_nothing_has_no_bytes():
    assert image([hardlink("b", "a")]).tree["b"].size == 0


def test_no_path_leaves_the_root():
    found = image([file("/a"), file("./b"), file("../../c"), file("d/../../e"), folder("./")])
    assert {"a", "b", "c", "e"} <= paths(found)
    assert not any(path.startswith(("/", ".")) for path in found.tree)


def test_missing_parent_folders_belong_to_root():
    parent = image([file("a/b/c", uid=5)]).tree["a/b"]
    assert (parent.kind, parent.mode, parent.uid) == ("dir", 0o755, 0)


def test_counts_the_layers_shared_with_a_base_image():
    found = image([file("a")], [file("b")], [file("c")])
    one, two, _ = found.diff_ids
    assert found.shared((one, two)) == 2
    assert found.shared((one, "sha256:other")) == 1
    assert found.shared(("sha256:other", two)) == 0
    assert found.shared(()) == 0
    assert found.shared((*found.diff_ids, "sha256:more")) == 3


def test_history_links_steps_and_layers():
    steps = [{"created_by": "A"}, {"created_by": "B", "empty_layer": True}, {"created_by": "C"}]
    found = image([file("a")], [file("b")], history=steps)
    assert found.history == (
        Step("A", empty=False, layer=0),
        Step("B", empty=True, layer=None),
        Step("C", empty=False, layer=1),
    )


def test_the_config_has_a_property_for_each_instruction():
    found = image(
        config={
            "User": "app",
            "Env": ["A=b=c", "D="],
            "Cmd": ["a"],
            "Entrypoint": ["b"],
            "WorkingDir": "/app",
            "ExposedPorts": {"8000/tcp": {}},
            "Volumes": {"/data": {}},
            "Healthcheck": {"Test": ["CMD", "x"]},
            "Labels": {"k": "v"},
        }
    )
    assert (found.user, found.env) == ("app", {"A": "b=c", "D": ""})
    assert (found.cmd, found.entrypoint, found.workdir) == (("a",), ("b",), "/app")
    assert (found.ports, found.volumes) == ({"8000/tcp"}, {"/data"})
    assert found.labels == {"k": "v"}
    assert found.healthcheck["Test"] == ["CMD", "x"]


def test_an_empty_config_has_defaults():
    found = image([file("a")], config=None)
    assert (found.user, found.cmd, found.env, found.workdir) == ("", (), {}, "/")


PASSWD = b"root:x:0:0::/:\napp:x:1000:1001::/:\nliar:x:0:5::/:\nbroken\n\nodd:x:y:z::/:\n"
GROUP = b"root:x:0:\napp:x:1001:\nextra:x:50:other,app\nwww:x:33:\n"


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("", (0, 0, {0})),
        ("app", (1000, 1001, {1001, 50})),
        ("1000", (1000, 1001, {1001, 50})),
        ("10000", (10000, 0, {0})),
        ("app:www", (1000, 33, {33})),
        ("app:77", (1000, 77, {77})),
        ("liar", (0, 5, {5})),
        ("nobody-here", None),
        ("odd", None),
        ("app:no-such", None),
        ("9" * 30, None),
    ],
)
def test_a_user_is_looked_up_in_the_files_of_the_image(user, expected):
    found = image([file("etc/passwd", PASSWD), file("etc/group", GROUP)], config={"User": user})
    assert found.identity() == expected
    assert Image("x").identity("0") == (0, 0, {0})


def test_users_are_read_from_the_uppermost_layer():
    found = image([file("etc/passwd", PASSWD)], [file("etc/passwd", b"app:x:0:0::/:\n")])
    assert found.identity("app") == (0, 0, {0})
    gone = image([file("etc/passwd", PASSWD)], [file("etc/.wh.passwd")])
    assert gone.identity("app") is None


ETC = (
    file("etc/mine", uid=5, mode=0o600),
    file("etc/ours", gid=7, mode=0o020),
    file("etc/everyones", mode=0o666),
    file("etc/roots"),
    file("etc/odd", uid=5, mode=0o066),
    folder("shut", mode=0o700),
    file("shut/everyones", mode=0o666),
    link("etc/link", "../etc/everyones"),
    link("etc/absolute", "/etc/roots"),
    link("etc/loop", "loop"),
    link("abc", "etc"),
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("etc/mine", True),
        ("/etc/ours", True),
        ("etc/everyones", True),
        ("etc/roots", False),
        ("etc/odd", False),
        ("shut/everyones", False),
        ("etc/link", True),
        ("abc/everyones", True),
        ("abc/../abc/./link", True),
        ("etc/absolute", False),
        ("etc/loop", False),
        ("etc/nothing", False),
        ("", False),
    ],
)
def test_write_permission_depends_on_modes_owners_and_links(path, expected):
    found = image(list(ETC))
    assert found.writable(path, 5, {7}) is expected
    assert found.writable(path, 0)


def test_writable_paths_are_limited_to_the_folder():
    found = image([*ETC, file("etcetera", mode=0o666)])
    assert found.writable_paths(5, {7}) == ("etc/everyones", "etc/mine", "etc/ours")
    assert "etcetera" in found.writable_paths(5, under="/")


def test_packages_are_read_from_the_visible_metadata_folders():
    lib = "usr/lib/python3/dist-packages"
    found = image(
        [
            file("srv/site-packages/Flask_SQL.Alchemy-3.0.dist-info/METADATA"),
            file("srv/site-packages/flask-1.0.dist-info/METADATA"),
            file(f"{lib}/PyYAML-6.0-py3.11.egg-info"),
            file(f"{lib}/bare.egg-info/PKG-INFO"),
            file(f"{lib}/vendor/hidden-1.dist-info/METADATA"),
        ],
        [file("srv/site-packages/.wh.flask-1.0.dist-info")],
    )
    assert found.packages() == {
        "flask-sql-alchemy": {
            ("Flask_SQL.Alchemy", "3.0", "srv/site-packages/Flask_SQL.Alchemy-3.0.dist-info")
        },
        "pyyaml": {("PyYAML", "6.0", f"{lib}/PyYAML-6.0-py3.11.egg-info")},
        "bare": {("bare", "", f"{lib}/bare.egg-info")},
    }


def test_find_matches_one_star_within_a_name_and_two_across_folders():
    found = image([file("a/b/x.py"), file("a/x.py"), file("x.py"), file("a/[y].py")])
    assert found.find("/a/*.py") == ("a/[y].py", "a/x.py")
    assert found.find("**/x.py") == ("a/b/x.py", "a/x.py", "x.py")
    assert found.find("a/**") == ("a/[y].py", "a/b", "a/b/x.py", "a/x.py")
    assert found.find("a/[[]y].p?") == ()
    assert found.find("a/[y].p?") == ("a/[y].py",)


CANARY = b"canary-0123456789"


def test_a_secret_is_found_in_every_part_of_an_image():
    text = CANARY.decode()
    deep = bytes(tar_stream.CHUNK * 2 - 5) + CANARY  # across the border of two chunks
    layers = (tar(file("big", deep), file("gone", CANARY)), tar(file(".wh.gone"), file(text)))
    saved = oci(
        *layers,
        config={"Env": ["A=1", f"B={text}"], "Labels": {text: "x"}},
        history=[{"created_by": f"ARG {text}", "comment": text}, {"created_by": "x"}],
    )
    found = read(saved, canaries=(CANARY, b"nowhere", b"")).found
    assert set(found) == {
        Found(CANARY, "config", "config.Env.1"),
        Found(CANARY, "config", f"config.Labels.{text}"),
        Found(CANARY, "history", "0"),
        Found(CANARY, 0, "big"),
        Found(CANARY, 0, "gone"),
        Found(CANARY, 1, text),
    }
    assert len(found) == 6


def test_an_image_without_the_secret_has_no_findings():
    layer = tar(file(".env", b"SECRET=1"), file("a", CANARY[:-1]))
    assert read(oci(layer), canaries=(CANARY,)).found == ()


def test_a_known_layer_is_skipped_unless_secrets_are_searched():
    layer = tar(file("a", CANARY))
    known = {image([file("a", CANARY)]).diff_ids[0]: Layer("", 99)}
    assert read(oci(layer), known=known.get).stored == 99
    searched = read(oci(layer), canaries=(CANARY,), known=known.get)
    assert searched.stored == len(CANARY)
    assert searched.found == (Found(CANARY, 0, "a"),)


def test_a_copy_of_an_image_reuses_the_stacked_layers():
    found = image([file("a")])
    assert replace(found, base=1).merged is found.merged


def test_files_up_to_a_megabyte_have_a_digest():
    found = image([file("a", MB), file("b", MB + 1)])
    assert len(found.tree["a"].digest) == 64
    assert found.tree["b"].digest == ""


def refused(saved: bytes | io.BytesIO) -> str:
    stream = io.BytesIO(saved) if isinstance(saved, bytes) else saved
    with pytest.raises(UserError) as caught:
        read(stream)
    assert caught.value.thing == "image"
    return caught.value.found


def saved_with(**documents: object) -> bytes:
    defaults = {"manifest": [{"Config": "c.json", "Layers": []}], "c": {"rootfs": {}}}
    parts = {**defaults, **documents}
    return tar(*(file(f"{name}.json", json.dumps(part).encode()) for name, part in parts.items()))


def index(*descriptors: object) -> bytes:
    """Return an archive of OCI's layout with this index, and one that lists itself."""
    top, loop = ({"manifests": [*found]} for found in (descriptors, [{"digest": "sha256:loop"}]))
    documents = {"index.json": top, "blobs/sha256/loop": loop}
    return tar(*(file(name, json.dumps(document).encode()) for name, document in documents.items()))


@pytest.mark.parametrize(
    ("saved", "reason"),
    [
        (b"", "manifest.json is missing"),
        (b"rubbish" * 100, "not a tar"),
        (oci_layout(tar(), others=[("arm64", tar())]), "index.json lists 2 images, not 1"),
        (index(), "index.json lists 0 images"),
        (index("x"), "a descriptor without a digest"),
        (index({"digest": "sha256:../../etc"}), "a descriptor without a digest"),
        (index({"digest": "sha256:no"}), "blobs/sha256/no is missing"),
        (index({"digest": "sha256:loop"}), "more than 1000 manifests"),
        (index({"digest": "sha256:no", "platform": {"architecture": "unknown"}}), "to no image"),
        (tar(), "manifest.json is missing"),
        (tar(file("manifest.json", b"[" * 100_000)), "manifest.json is missing, or not JSON"),
        (saved_with(manifest={}), "manifest.json is not a list"),
        (saved_with(manifest=[]), "lists 0 images, not 1"),
        (saved_with(manifest=[{}, {}]), "lists 2 images, not 1"),
        (saved_with(manifest=[3]), "lists 1 images"),
        (saved_with(manifest=[{"Config": "no.json"}]), "no.json is missing"),
        (saved_with(manifest=[{"Config": "c.json", "Layers": 5}]), "Layers is not a list"),
        (saved_with(c=[]), "c.json is not a dict"),
        (saved_with(c={"config": 5}), "config is not a dict"),
        (saved_with(c={"config": {"Env": 5}}), "Env is not a list"),
        (saved_with(c={"history": {"a": 1}}), "history is not a list"),
        (saved_with(c={"rootfs": {"diff_ids": 5}}), "diff_ids is not a list"),
        (saved_with(c={"rootfs": {"diff_ids": ["x"]}}), "1 layers are listed, 0 are missing"),
        (saved_with(manifest=[{"Config": "c.json", "Layers": ["x"]}]), "1 are missing"),
        (oci(tar(file("a", 5000))).getvalue()[:4000], "it ends too early"),
        (oci(tar(file("a", 5000)), pack=lambda d: gzip.compress(d)[:-20]), "a compressed layer"),
        (oci(tar(file("a")), pack=lambda d: gzip.compress(d)[:20] + b"x" * 9), "compressed layer"),
        (oci(tar(file("a")), pack=lambda d: zstandard.compress(d)[:9] + b"x" * 9), "compressed"),
        (oci(tar(file("x" * 5000))), "a path has 5000 characters"),
        (oci(tar(file("a", extra={"size": "-5"}))), "fewer than 0 bytes"),
        (oci(tar(file("a", extra={"uid": "five"}))), "invalid number in a header"),
        (oci(tar(file("a", extra={"comment": "x" * 2 * MB}))), "a header of 2000"),
    ],
)
def test_a_damaged_or_hostile_image_is_refused(saved, reason):
    assert reason in refused(saved)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(limits.Budget.__init__, "__defaults__", (100, 5000, 10 * MB))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_decompression_bomb_is_refused(pack):
    assert "GB of files" in refused(oci(tar(file("a", 11 * MB)), pack=pack))


@pytest.mark.usefixtures("small")
def test_too_many_entries_names_and_headers_are_refused():
    assert "files" in refused(oci(tar(*(file(str(number)) for number in range(101)))))
    assert "files" in refused(oci(tar(*(file(f"{n:0200}") for n in range(26)))))
    assert "files" in refused(oci(tar(*(link(str(n), "x" * 200) for n in range(26)))))
    deep = tar(*(file("/".join("a" * 9)) for _ in range(2)), file("/".join("b" * 99)))
    assert "files" in refused(oci(deep))
    heavy = [file(str(n), extra={"comment": "x" * 900_000}) for n in range(13)]
    assert "GB of files" in refused(oci(tar(*heavy), pack=gzip.compress))


def test_a_stream_of_short_reads_is_read_to_its_end():
    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 100))

    assert paths(read(Slow(oci(tar(file("a", 1000))).getvalue()))) == {"a"}
