"""How apt is asked; apt itself is not run."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import Script, programs

from workshop.core.errors import UserError
from workshop.core.process import ProcessResult
from workshop.machine import apt

MIRROR = "http://mirror.example/debian"
OTHER = "http://other.example/debian"


def etc(folder: Path, **files: str) -> Path:
    """A made-up /etc/apt; `_` in a name stands for `.`, and what ends in _list lies in parts."""
    (folder / "sources.list.d").mkdir()
    for name, text in files.items():
        here = folder if name == "sources_list" else folder / "sources.list.d"
        (here / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return folder


DEB822 = f"# Debian\nTypes: deb\nURIs: {MIRROR}\nSuites: trixie\nComponents: main\n"


@pytest.mark.parametrize(
    "files",
    [
        {"debian_sources": DEB822},
        {"debian_sources": DEB822.replace("/debian\n", "/debian/\n")},
        {"sources_list": f"deb {MIRROR} trixie main\n"},
        {"sources_list": f"deb {MIRROR}/ trixie main\n"},
        {"sources_list": f"deb\t{MIRROR}\ttrixie\tmain\n"},
        {"sources_list": f"deb [arch=amd64 signed-by=/a/b.gpg] {MIRROR} trixie main\n"},
        {"sources_list": f"deb-src {OTHER} trixie main\ndeb {MIRROR} trixie main\n"},
        {"sources_list": f"# deb {OTHER} trixie main\n#deb {OTHER} x\ndeb {MIRROR} x main\n"},
        {"sources_list": f"deb {OTHER}-security trixie main\ndeb {MIRROR} trixie main\n"},
        {"sources_list": f"deb {MIRROR} x main\n", "other_list": f"deb {OTHER} x main\n"},
        {"sources_list": "", "a_list": f"deb {MIRROR} x main\n", "b_list": f"deb {OTHER} x main\n"},
        {"a_list": "deb http://app.example/linux x main\n", "b_sources": DEB822},
        {"a_save": f"deb {OTHER} x main\n", "b_sources": DEB822},
    ],
)
def test_the_mirror_is_the_one_that_the_machine_uses(files, tmp_path):
    assert apt.mirror(etc(tmp_path, **files)) == MIRROR


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"sources_list": ""},
        {"sources_list": f"# deb {MIRROR} trixie main\n"},
        {"debian_sources": DEB822.replace("URIs", "#URIs")},
        {"sources_list": "deb http://archive.example/ubuntu noble main\n"},
    ],
)
def test_no_mirror_is_trouble(files, tmp_path):
    with pytest.raises(UserError, match=r"no Debian mirror is named in apt's sources\. Add one"):
        apt.mirror(etc(tmp_path, **files))


def test_a_machine_without_apts_folder_has_no_mirror(tmp_path):
    with pytest.raises(UserError, match="no Debian mirror"):
        apt.mirror(tmp_path / "none")


def test_a_comment_need_not_be_utf8(tmp_path):
    (tmp_path / "sources.list").write_bytes(b"# M\xfcnchen\ndeb " + MIRROR.encode() + b" x main\n")
    assert apt.mirror(tmp_path) == MIRROR


def test_the_repository_of_another_vendor_is_no_mirror(tmp_path):
    vendor = "deb https://download.docker.com/linux/debian trixie stable\n"
    assert apt.mirror(etc(tmp_path, docker_list=vendor, system_sources=DEB822)) == MIRROR


def test_a_source_that_is_switched_off_is_passed_over(tmp_path):
    off = DEB822.replace(MIRROR, OTHER) + "Enabled: no\n"
    assert apt.mirror(etc(tmp_path, a_sources=off, b_sources=DEB822)) == MIRROR


@pytest.fixture
def a_mirror(monkeypatch):
    # `install` asks the machine it runs on, which need not be a Debian.
    monkeypatch.setattr(apt, "mirror", lambda: MIRROR)


needs_mirror = pytest.mark.usefixtures("a_mirror")


class Apt(Script):
    """A made-up apt-get that also keeps what lay in the folders it was told of."""

    def __init__(self, **answers):
        usual = {"dpkg --configure -a": "", "update": "", "install": ""}
        super().__init__({**usual, **answers})
        self.files: dict[str, str] = {}

    def __call__(self, argv, **options):
        for key in ("Dir::Etc::SourceParts", "Dir::Etc::PreferencesParts"):
            for file in Path(self.option(argv, key) or "/no/such").glob("*"):
                self.files[file.name] = file.read_text(encoding="utf-8")
        return super().__call__(argv, **options)

    @staticmethod
    def option(argv, key: str) -> str:
        return dict(word.split("=", 1) for word in argv if "=" in word).get(key, "")


@needs_mirror
def test_packages_are_installed_after_an_update():
    run = Apt()
    apt.install(["one", "two"], "bookworm", run)
    assert [argv[0] for argv in run.asked] == ["dpkg", "apt-get", "apt-get"]
    assert run.asked[1][-1] == "update"
    assert run.asked[2][-5:] == ["install", "--yes", "--no-install-recommends", "one", "two"]
    assert {env["DEBIAN_FRONTEND"] for env in run.envs} == {"noninteractive"}


@needs_mirror
def test_the_machines_own_set_up_is_neither_read_nor_changed():
    run = Apt()
    apt.install(["one"], "bookworm", run)
    for argv in run.asked[1:]:
        assert argv[1] == "-o"
        assert Apt.option(argv, "Dir::Etc::SourceList") == "/dev/null"
        assert Apt.option(argv, "Dir::Etc::Preferences") == "/dev/null"
        folder = Path(Apt.option(argv, "Dir::State::Lists")).parent
        assert Path(Apt.option(argv, "Dir::Etc::SourceParts")).parent == folder
        assert Path(Apt.option(argv, "Dir::Etc::PreferencesParts")).parent == folder
        assert folder != Path("/etc/apt")
        assert not folder.exists()


@needs_mirror
def test_debian_12_gets_four_packages_of_debian_13_and_no_more():
    run = Apt()
    apt.install(["one"], "bookworm", run)
    assert run.files["debian.sources"] == (
        f"Types: deb\nURIs: {MIRROR}\nSuites: bookworm bookworm-updates trixie\n"
        f"Components: main\nSigned-By: {apt.KEYRING}\n"
    )
    all_others, ours = run.files["workshop"].strip().split("\n\n")
    assert all_others == "Package: *\nPin: release n=trixie\nPin-Priority: 100"
    assert ours == (
        "Package: docker.io docker-cli docker-compose docker-buildx\n"
        "Pin: release n=trixie\nPin-Priority: 990"
    )


@needs_mirror
def test_debian_13_names_its_release_once_and_holds_nothing_back():
    run = Apt()
    apt.install(["one"], "trixie", run)
    assert "Suites: trixie trixie-updates\n" in run.files["debian.sources"]
    assert run.files["workshop"].startswith(
        "Package: *\nPin: release n=trixie\nPin-Priority: 500\n"
    )


FAILED = ProcessResult(
    100, "Err:1 x\nW: a warning\nE: Failed to fetch x, 404 Not Found.\nE: Some index files failed\n"
)


@needs_mirror
@pytest.mark.parametrize("word", ["update", "install"])
def test_what_fails_is_named_with_apts_first_complaint(word):
    run = Apt(**{word: FAILED})
    with pytest.raises(UserError) as caught:
        apt.install(["one"], "trixie", run)
    assert str(caught.value).startswith(f"apt-get {word}: Failed to fetch x, 404 Not Found. Check")


@needs_mirror
def test_nothing_is_installed_after_a_failed_update():
    run = Apt(update=FAILED)
    with pytest.raises(UserError):
        apt.install(["one"], "trixie", run)
    assert run.calls("install") == []


@needs_mirror
def test_apt_that_says_nothing_has_failed_all_the_same():
    with pytest.raises(UserError, match=r"^apt-get update: it failed\. "):
        apt.install(["one"], "trixie", Apt(update=ProcessResult(127, "")))


@needs_mirror
def test_each_line_of_apt_is_handed_on():
    lines = []
    apt.install(["one"], "trixie", Apt(update="Get:1\n", install="Unpacking\n"), lines.append)
    assert lines == ["Get:1", "Unpacking"]


def test_a_program_is_missing_that_is_not_on_the_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", dockerd="exit 0"))
    assert apt.missing(["dockerd", "iptables"]) == ["iptables"]
