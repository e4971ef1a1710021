"""The two `.env` files are written once, never changed, and checked for misread lines."""

from __future__ import annotations

import os
import re
import shutil
import socket
from contextlib import contextmanager

import pytest
from harness import ROOT

from workshop.core.errors import UserError
from workshop.stack import settings
from workshop.stack.images import WEB

TODO_ENV = f"{settings.TODO_FOLDER}/.env"
TEMPLATE = "# Signs the cookie.\nSECRET_KEY=change-me\n#SECRET_KEY=other\nPORT=8000\n"


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / settings.TODO_FOLDER
    folder.mkdir(parents=True)
    (folder / ".env.template").write_text(TEMPLATE, encoding="utf-8")
    return tmp_path


@pytest.fixture(autouse=True)
def busy(monkeypatch) -> set[int]:
    """The ports in use on a fake machine."""
    taken: set[int] = set()
    monkeypatch.setattr(settings, "is_free", lambda port: port not in taken)
    return taken


def write(root, **environ) -> list[str]:
    messages = []
    settings.write_missing(root, messages.append, environ)
    return messages


def values(root, file: str = ".env") -> dict[str, str]:
    lines = (root / file).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and line[0] != "#")


def values_of_ports(root) -> dict[str, str]:
    write(root)
    return {name: port for name, port in values(root).items() if name.endswith("_PORT")}


def test_only_the_owner_can_read_the_files(root):
    write(root)
    for file in (".env", TODO_ENV):
        assert (root / file).stat().st_mode & 0o777 == 0o600
    everything = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert everything == {".env", TODO_ENV, f"{settings.TODO_FOLDER}/.env.template"}


def test_the_written_files_pass_the_check(root):
    write(root)
    settings.check(root)


def test_only_the_secret_differs_from_the_template(root):
    write(root)
    text = (root / TODO_ENV).read_text(encoding="utf-8")
    assert re.sub("=[0-9a-f]{64}\n", "=change-me\n", text, count=1) == TEMPLATE
    assert text != TEMPLATE


def test_the_kits_template_has_one_secret(root):
    template = (ROOT / settings.TODO_FOLDER / ".env.template").read_text(encoding="utf-8")
    (root / settings.TODO_FOLDER / ".env.template").write_text(template, encoding="utf-8")
    write(root)
    settings.check(root)
    assert re.fullmatch("[0-9a-f]{64}", values(root, TODO_ENV)["SECRET_KEY"])


def test_a_secret_is_random_and_never_printed(root, capfd):
    messages = write(root)
    first = values(root, TODO_ENV)["SECRET_KEY"]
    (root / TODO_ENV).unlink()
    messages += write(root)
    assert values(root, TODO_ENV)["SECRET_KEY"] != first
    printed = "\n".join(messages) + "".join(capfd.readouterr())
    assert not re.search("[0-9a-f]{16}", printed)
    assert len(messages) == 2


def test_existing_files_are_never_changed(root):
    for file in (".env", TODO_ENV):
        (root / file).write_text("MINE=1\n", encoding="utf-8")
        (root / file).chmod(0o644)
    assert write(root) == []
    for file in (".env", TODO_ENV):
        assert (root / file).read_text(encoding="utf-8") == "MINE=1\n"
        assert (root / file).stat().st_mode & 0o777 == 0o644


def test_the_partial_file_of_an_interrupted_run_is_replaced(root):
    (root / ".env.part").write_text("half", encoding="utf-8")
    write(root)
    assert "half" not in (root / ".env").read_text(encoding="utf-8")
    assert not (root / ".env.part").exists()


def test_every_web_service_gets_its_port(root):
    assert write(root) == [f"Writing {TODO_ENV} from its template, with a new secret key"]
    found = values(root)
    assert {web.variable: str(web.port) for web in WEB}.items() <= found.items()


def test_two_checkouts_have_different_project_names(root, tmp_path_factory):
    write(root)
    other = tmp_path_factory.mktemp("other") / root.name
    (other / settings.TODO_FOLDER).mkdir(parents=True)
    (other / settings.TODO_FOLDER / ".env.template").write_text(TEMPLATE, encoding="utf-8")
    write(other)
    names = [values(place)["COMPOSE_PROJECT_NAME"] for place in (root, other)]
    assert names[0] != names[1]
    assert all(re.fullmatch(r"workshop-[0-9a-f]{6}", name) for name in names)


def test_a_busy_port_is_replaced_by_the_next_with_a_message(root, busy):
    busy.update({18080, 18081})
    messages = write(root)
    assert values(root)["DEATHSTAR_PORT"] == "18082"
    assert "Port 18080 is in use: deathstar gets 18082 (DEATHSTAR_PORT in .env)" in messages
    assert len(messages) == 2


def test_no_two_services_get_the_same_port(root, busy):
    busy.update(range(15000, 18080))
    ports = list(values_of_ports(root).values())
    assert len(set(ports)) == len(ports)


def test_a_port_in_the_environment_is_not_written(root):
    write(root, TODO_PORT="7000")
    found = values_of_ports(root)  # does not change the existing file
    assert "TODO_PORT" not in found
    assert len(found) == len(WEB) - 1


def test_a_port_in_the_environment_is_not_picked_for_another_service(root):
    write(root, TODO_PORT="18080")
    assert values(root)["DEATHSTAR_PORT"] != "18080"


@pytest.mark.parametrize(("uid", "lines"), [(0, {}), (1234, {"USER_UID": "1234"})])
def test_containers_run_with_the_users_id_except_for_root(uid, lines, root, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: uid)
    write(root)
    found = values(root)
    assert {name: value for name, value in found.items() if name == "USER_UID"} == lines
    assert ("USER_GID" in found) is bool(lines)


def test_a_missing_template_is_an_error(root):
    (root / settings.TODO_FOLDER / ".env.template").unlink()
    with pytest.raises(UserError, match=r"\.env\.template"):
        write(root)


# ------------------------------------------------------------------- a copied checkout


@pytest.fixture
def copied(root, tmp_path_factory):
    """A copy of a checkout that still exists, with a setting that a person wrote."""
    write(root, TODO_PORT="7000")
    with (root / ".env").open("a", encoding="utf-8") as file:
        file.write("TODO_PORT=7000\nMINE=1\n")
    folder = tmp_path_factory.mktemp("copy") / "checkout"
    shutil.copytree(root, folder)
    return folder


def adopt(root, **environ) -> list[str]:
    messages = []
    settings.adopt(root, messages.append, environ)
    return messages


def test_a_checkout_keeps_its_own_settings(root):
    write(root)
    before = (root / ".env").read_bytes()
    assert adopt(root) == []
    assert (root / ".env").read_bytes() == before


def test_a_copied_checkout_gets_its_own_project_name(root, copied):
    before, other = values(copied), values(root)["COMPOSE_PROJECT_NAME"]
    (message,) = adopt(copied)
    found = values(copied)
    own = found.pop("COMPOSE_PROJECT_NAME")
    assert own != before.pop("COMPOSE_PROJECT_NAME")
    assert message == f".env was copied from {root}: its project is now {own}, not {other}"
    assert found == before
    assert found["TODO_PORT"] == "7000"
    assert found["MINE"] == "1"
    assert values(root)["COMPOSE_PROJECT_NAME"] == other
    assert (copied / ".env").stat().st_mode & 0o777 == 0o600
    settings.check(copied)
    assert adopt(copied) == []


def test_a_copied_port_that_is_in_use_is_replaced_with_a_message(copied, busy):
    busy.update({18080, 7000})
    messages = adopt(copied)
    assert messages[1:] == [
        "Port 7000 is in use: todo-app gets 7001 (TODO_PORT in .env)",
        "Port 18080 is in use: deathstar gets 18081 (DEATHSTAR_PORT in .env)",
    ]
    assert values(copied)["TODO_PORT"] == "7001"
    assert values(copied)["DEATHSTAR_PORT"] == "18081"


def test_a_port_in_the_environment_is_not_replaced(copied, busy):
    busy.update({18080})
    assert len(adopt(copied, DEATHSTAR_PORT="8090")) == 1
    assert values(copied)["DEATHSTAR_PORT"] == "18080"


def test_a_project_name_that_a_person_wrote_is_kept(copied):
    text = (copied / ".env").read_text(encoding="utf-8")
    name = values(copied)["COMPOSE_PROJECT_NAME"]
    (copied / ".env").write_text(text.replace(name, "mine"), encoding="utf-8")
    assert adopt(copied) == []
    assert values(copied)["COMPOSE_PROJECT_NAME"] == "mine"


def test_a_checkout_that_was_moved_keeps_its_project_and_its_data(root, tmp_path_factory):
    write(root)
    name = values(root)["COMPOSE_PROJECT_NAME"]
    moved = tmp_path_factory.mktemp("moved") / "checkout"
    root.rename(moved)
    assert adopt(moved) == []
    assert values(moved)["COMPOSE_PROJECT_NAME"] == name
    # A copy of the moved checkout is a copy all the same.
    copy = moved.with_name("copy")
    shutil.copytree(moved, copy)
    assert len(adopt(copy)) == 1
    assert values(copy)["COMPOSE_PROJECT_NAME"] != name


def test_settings_that_do_not_name_their_checkout_count_as_copied(root):
    (root / ".env").write_bytes(b"COMPOSE_PROJECT_NAME=workshop-012abc\r\nMINE=1\r\n")
    (message,) = adopt(root)
    assert message.startswith(".env was copied from another checkout: ")
    assert (root / ".env").read_bytes().count(b"\r\n") == 2
    assert adopt(root) == []


@pytest.mark.parametrize("text", [None, b"", b"\xff\n", b"MINE=1\n", b"# Checkout: \n"])
def test_other_files_are_kept(text, root):
    if text is not None:
        (root / ".env").write_bytes(text)
    assert adopt(root) == []
    assert text is None or (root / ".env").read_bytes() == text


def test_a_file_that_cannot_be_written_is_an_error(root):
    (root / ".env").write_text("COMPOSE_PROJECT_NAME=workshop-012abc\n", encoding="utf-8")
    (root / ".env.part").mkdir()
    with pytest.raises(UserError, match=r"^\.env: "):
        adopt(root)


# ------------------------------------------------------------------- the check


def check(root, line: bytes) -> None:
    write(root)
    (root / ".env").write_bytes(b"# first\n" + line)
    settings.check(root)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n\n",
        b"# a comment, with = and 'quotes'\n",
        b"NAME=value",
        b"NAME=value\r\nOTHER=value\r\n",
        b"NAME=\n",
        b"_N1=a=b==\n",
        b'NAME=it\'s "quoted" inside\n',
        b"NAME=/a/b:c?d#e\n",
        "NAME=caf\N{LATIN SMALL LETTER E WITH ACUTE}\n".encode(),
    ],
)
def test_a_plain_line_is_accepted(line, root):
    check(root, line)


FORM = "does not have the form NAME=value"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"NAME = value\n", FORM),
        (b"NAME =value\n", FORM),
        (b"export NAME=value\n", FORM),
        (b"1NAME=value\n", FORM),
        (b"MY-NAME=value\n", FORM),
        (b"=value\n", FORM),
        (b"NAME\n", FORM),
        (b'NAME="value"\n', "the value of NAME is in quotes"),
        (b"NAME='value'\r\n", "the value of NAME is in quotes"),
        (b"NAME=caf\xe9\n", "it is not UTF-8 text"),
        ("NAME=v\n".encode("utf-16"), "it is not UTF-8 text"),
        *((line, "has a blank") for line in (b"N= v\n", b"N=v \n", b"N=v # why\n", b"N=a$b\n")),
    ],
)
def test_a_line_that_docker_misreads_is_an_error_with_its_number(line, found, root):
    with pytest.raises(UserError) as caught:
        check(root, line)
    assert caught.value.thing == ".env, line 2"
    assert found in caught.value.found
    assert caught.value.fix


@pytest.mark.parametrize(
    "line",
    [
        *(b"MY-KEY=5ecre7\n", b'KEY="5ecre7"\n', b"KEY = 5ecre7\n", b"KEY=5ecre7\xe9\n"),
        b"SECRET_KEY: 5ecre7\n",
    ],
)
def test_an_error_does_not_show_the_secret(line, root):
    with pytest.raises(UserError) as caught:
        check(root, line)
    assert "5ecre7" not in str(caught.value)


def test_the_other_file_is_checked_too(root):
    write(root)
    (root / TODO_ENV).write_text("A=1\nB\n", encoding="utf-8")
    with pytest.raises(UserError, match=rf"^{TODO_ENV}, line 2: "):
        settings.check(root)


@pytest.mark.parametrize("file", [".env", TODO_ENV])
def test_a_folder_in_place_of_a_file_is_an_error(file, root):
    (root / file).mkdir()
    write(root)
    with pytest.raises(UserError, match=rf"^{file}: it is not a file\. Remove it"):
        settings.check(root)


# ------------------------------------------------------------------- real ports


@contextmanager
def bound(address: str, *, listening: bool = True):
    with socket.socket() as holder:
        holder.bind((address, 0))
        if listening:
            holder.listen()
        yield holder.getsockname()[1]


@pytest.fixture
def is_free(monkeypatch):
    monkeypatch.undo()
    return settings.is_free


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - binds a port to test it
@pytest.mark.parametrize("listening", [True, False])
def test_a_port_that_is_bound_is_not_free(address, listening, is_free):
    with bound(address, listening=listening) as port:
        assert not is_free(port)
    assert is_free(port)


def test_a_port_is_free_right_after_a_connection(is_free):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            # The side that closes first keeps the port for a while.
            server.accept()[0].close()
    assert is_free(port)
