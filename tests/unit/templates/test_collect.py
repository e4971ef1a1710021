"""The instructor's workflow clones the repositories of the class, and runs nothing of them."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from harness import ROOT, run, serving

PROGRAM = ROOT / "templates/grading/collect.py"
TOKEN = "secret-token"  # noqa: S105 - made up
HEADER = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()


@pytest.fixture
def server(tmp_path):
    """Return the address of a folder of bare repositories, and a function that adds one."""

    def add(name: str, **files: str) -> None:
        work = tmp_path / "work" / name
        for path, text in files.items():
            file = work / path.replace("__", "/").replace("_dot_", ".").replace(
                "post_checkout", "post-checkout"
            )
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        git = ("git", "-C", str(work), "-c", "user.name=T", "-c", "user.email=t@example.org")
        run("git", "init", "--quiet", str(work))
        run(*git, "add", "--all")
        run(*git, "commit", "--quiet", "--message", "Answer")
        run("git", "clone", "--quiet", "--bare", str(work), str(tmp_path / "server" / name))

    add.address = f"file://{tmp_path}/server"
    return add


@pytest.fixture
def collect(tmp_path):
    """Run the program on a list of the class; return the exit code, the output and the folder."""

    def start(text: str, address: str, **env: str) -> tuple[int, str]:
        (tmp_path / "class.csv").write_text(text, encoding="utf-8")
        done = subprocess.run(
            (sys.executable, "-I", str(PROGRAM), "class.csv", "submissions"),
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "GITHUB_SERVER_URL": address, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    start.folder = tmp_path / "submissions"
    return start


def class_of(*repositories: str) -> str:
    rows = (f"{name.rpartition('/')[2]},,,{name}" for name in repositories)
    return "\n".join(["id,name,email,repository", *rows]) + "\n"


def test_each_repository_is_in_the_folder_of_its_learner(server, collect):
    for learner in ("anna", "ben"):
        server(f"acme/{learner}", Dockerfile=learner)
    code, output = collect(class_of("acme/anna", "acme/ben"), server.address)
    assert (code, output) == (
        0,
        "anna: collected\nben: collected\n2 of 2 repositories were collected\n",
    )
    for learner in ("anna", "ben"):
        file = collect.folder / learner / "Dockerfile"
        assert file.read_text(encoding="utf-8") == learner


def test_a_missing_repository_does_not_stop_the_others(server, collect):
    server("acme/ben", Dockerfile="x")
    code, output = collect(class_of("acme/anna", "acme/ben"), server.address)
    assert code == 1
    assert output.startswith("anna: fatal: ")
    assert output.endswith("ben: collected\n1 of 2 repositories were collected\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("id,name\nanna,Anna\n", "no column repository. Add it to the first line"),
        ("", "no column id or repository. Add it to the first line"),
        ("id,repository\n", "no learners. Add a line for each"),
        ("id,repository\n../x,acme/x\n", "line 2: the id '../x' must have only letters"),
        ("id,repository\n-x,acme/x\n", "line 2: the id '-x' must have only letters"),
        ("id,repository\nanna\n", "line 2: the repository '' is not like OWNER/NAME"),
        (
            "id,repository\nanna,--upload-pack=id/x\n",
            "line 2: the repository '--upload-pack=id/x' is not like OWNER/NAME",
        ),
        (
            "id,repository\nanna,ext::sh/x\n",
            "line 2: the repository 'ext::sh/x' is not like OWNER/NAME",
        ),
        ("id,repository\na,o/r\na,o/s\n", "line 3: the id 'a' is there twice"),
    ],
)
def test_a_wrong_list_is_one_line(collect, text, reason):
    code, output = collect(text, "file:///nowhere")
    assert code == 2
    assert output.startswith(f"class.csv: {reason}")
    assert output.count("\n") == 1
    assert not collect.folder.exists()


def test_nothing_of_a_repository_is_run(server, collect, tmp_path):
    """Neither a filter, a hook, a submodule nor a module of Python."""
    ran = tmp_path / "ran"
    server(
        "acme/anna",
        _dot_gitattributes="* filter=lfs\n",
        _dot_lfsconfig="[lfs]\n  url = http://127.0.0.1:9/\n",
        _dot_gitmodules=f'[submodule "x"]\n  path = x\n  url = "ext::touch {ran}"\n',
        sitecustomize_dot_py=f"open({str(ran)!r}, 'w')",
        csv_dot_py=f"open({str(ran)!r}, 'w')",
        hooks__post_checkout=f"touch {ran}",
    )
    (tmp_path / "csv.py").write_text(f"open({str(ran)!r}, 'w')", encoding="utf-8")
    code, _ = collect(class_of("acme/anna"), server.address)
    assert code == 0
    assert not ran.exists()


class _Git(BaseHTTPRequestHandler):
    """Records the requests, and redirects those for the repository `moved`."""

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers.get("Authorization")))
        moved = "/moved" in self.path
        self.send_response(302 if moved else 404)
        if moved:
            self.send_header("Location", self.server.elsewhere)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


@pytest.fixture
def http():
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), _Git)) as server:
        server.requests = []
        server.elsewhere = f"http://localhost:{server.server_port}/elsewhere"
        yield server


def test_the_token_is_sent_to_the_repository_and_to_no_other_server(http, collect):
    address = f"http://127.0.0.1:{http.server_port}"
    code, output = collect(class_of("acme/anna", "acme/moved"), address, READ_TOKEN=TOKEN)
    assert code == 1
    assert [path.partition("/info")[0] for path, _ in http.requests] == [
        "/acme/anna",
        "/acme/moved",
    ]
    assert {header for _, header in http.requests} == {HEADER}
    assert TOKEN not in output


def test_the_token_is_neither_on_the_disk_nor_in_an_argument(server, collect, tmp_path):
    server("acme/anna", Dockerfile="x")
    git = tmp_path / "bin/git"
    git.parent.mkdir()
    real = run("sh", "-c", "command -v git").stdout.strip()
    git.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/arguments\nexec {real} "$@"\n')
    git.chmod(0o755)
    path = f"{git.parent}:{os.environ['PATH']}"
    code, _ = collect(class_of("acme/anna"), server.address, READ_TOKEN=TOKEN, PATH=path)
    assert code == 0
    files = [tmp_path / "arguments", *collect.folder.rglob("*")]
    texts = [file.read_bytes() for file in files if file.is_file()]
    assert len(texts) > 5
    secrets = (TOKEN.encode(), HEADER.removeprefix("Basic ").encode())
    assert [text for text in texts if any(secret in text for secret in secrets)] == []
