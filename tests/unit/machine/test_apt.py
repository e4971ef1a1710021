"""The calls of apt-get; apt itself does not run."""

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
    """Write a fake /etc/apt; `_` in a name becomes `.`; all but sources_list is in parts."""
    (folder / "sources.list.d").mkdir()
    for name, text in files.items():
        here = folder if name == "sources_list" else folder / "sources.list.d"
        (here / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return folder


DEB822 = f"# Debian\nTypes: deb\nURIs: {MIRROR}\nSuites: trixie\nComponents: main\n"
DISABLED = DEB822.replace(MIRROR, OTHER) + "Enabled: no\n"
VENDOR = "deb https://download.docker.com/linux/debian trixie stable\n"


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
        {"docker_list": VENDOR, "system_sources": DEB822},
        {"a_sources": DISABLED, "b_sources": DEB822},
    ],
)
def test_the_mirror_is_that_of_the_machine(files, tmp_path):
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
def test_a_missing_mirror_is_an_error(files, tmp_path):
    with pytest.raises(UserError, match=r"no Debian mirror is named in apt's sources\. Add one"):
        apt.mirror(etc(tmp_path, **files))


def test_a_machine_without_etc_apt_has_no_mirror(tmp_path):
    with pytest.raises(UserError, match="no Debian mirror"):
        apt.mirror(tmp_path / "none")


def test_a_comment_may_be_invalid_utf8(tmp_path):
    (tmp_path / "sources.list").write_bytes(b"# M\xfcnchen\ndeb " + MIRROR.encode() + b" x main\n")
    assert apt.mirror(tmp_path) == MIRROR


@pytest.fixture
def a_mirror(monkeypatch):
    # `install` reads the apt sources of this machine, which may not be a Debian.
    monkeypatch.setattr(apt, "mirror", lambda: MIRROR)


needs_mirror = pytest.mark.usefixtures("a_mirror")


class Apt(Script):
    """A fake apt-get that keeps the files in its configuration folders."""

    def __init__(self, **answers):
        defaults = {"dpkg --configure -a": "", "update": "", "install": ""}
        super().__init__({**defaults, **answers})
        self.files: dict[str, str] = {}

    def __call__(self, argv, **options):
        for key in ("Dir::Etc::SourceParts", "Dir::Etc::PreferencesParts"):
            for file in Path(self.option(argv, key) or "/no/such").glob("*"):
                self.files[file.name] = file.read_text(encoding="utf-8")
        return super().__call__(argv, **options)

    @staticmethod
    def option(argv, key: str) -> str:
        return dict(part.split("=", 1) for part in argv if "=" in part).get(key, "")


@needs_mirror
def test_packages_are_installed_after_an_update():
    run = Apt()
    apt.install(["one", "two"], "bookworm", run)
    assert [argv[0] for argv in run.argvs] == ["dpkg", "apt-get", "apt-get"]
    assert run.argvs[1][-1] == "update"
    assert run.argvs[2][-5:] == ["install", "--yes", "--no-install-recommends", "one", "two"]
    assert {env["DEBIAN_FRONTEND"] for env in run.envs} == {"noninteractive"}


@needs_mirror
def test_the_machines_apt_configuration_is_neither_read_nor_changed():
    run = Apt()
    apt.install(["one"], "bookworm", run)
    for argv in run.argvs[1:]:
        assert argv[1] == "-o"
        assert Apt.option(argv, "Dir::Etc::SourceList") == "/dev/null"
        assert Apt.option(argv, "Dir::Etc::Preferences") == "/dev/null"
        folder = Path(Apt.option(argv, "Dir::State::Lists")).parent
        assert Path(Apt.option(argv, "Dir::Etc::SourceParts")).parent == folder
        assert Path(Apt.option(argv, "Dir::Etc::PreferencesParts")).parent == folder
        assert folder != Path("/etc/apt")
        assert not folder.exists()


@needs_mirror
def test_debian_12_gets_only_four_packages_of_debian_13():
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
def test_debian_13_lists_its_release_once_without_a_low_priority():
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
@pytest.mark.parametrize("command", ["update", "install"])
def test_a_failure_has_apts_first_error(command):
    run = Apt(**{command: FAILED})
    with pytest.raises(UserError) as caught:
        apt.install(["one"], "trixie", run)
    message = f"apt-get {command}: Failed to fetch x, 404 Not Found. Check"
    assert str(caught.value).startswith(message)
    assert len(run.calls("install")) == (command == "install")


@needs_mirror
def test_a_failure_without_output_is_an_error():
    with pytest.raises(UserError, match=r"^apt-get update: it failed\. "):
        apt.install(["one"], "trixie", Apt(update=ProcessResult(127, "")))


@needs_mirror
def test_on_line_gets_each_line_of_apt():
    lines = []
    apt.install(["one"], "trixie", Apt(update="Get:1\n", install="Unpacking\n"), lines.append)
    assert lines == ["Get:1", "Unpacking"]


def test_a_program_that_is_not_on_the_path_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", dockerd="exit 0"))
    assert apt.find_missing(["dockerd", "iptables"]) == ["iptables"]
