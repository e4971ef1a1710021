"""The rewrites of `slim`: what each makes of a Dockerfile, and what it leaves as it is."""

from __future__ import annotations

import pytest

from workshop.trials import rewrites
from workshop.trials.draft import Draft

FROM = "FROM python:3.13-slim-trixie\n"


def draft(text: str, **facts) -> Draft:
    return Draft("Dockerfile", text, **facts)


def texts(rewrite, text: str, **facts) -> list[str]:
    return [found.draft.text for found in rewrite(draft(text, **facts))]


CASES = [
    (
        rewrites.skip_recommended_packages,
        "RUN apt-get update && apt-get -y install \\\n    curl && apt install -y git\n",
        (
            "RUN apt-get update && apt-get -y install --no-install-recommends \\\n"
            "    curl && apt install --no-install-recommends -y git\n"
        ),
    ),
    (
        rewrites.remove_apt_lists,
        "RUN apt-get update \\\n    && apt-get install -y git\n# next\nRUN make\n",
        (
            "RUN apt-get update \\\n    && apt-get install -y git \\\n"
            "    && rm -rf /var/lib/apt/lists/*\n# next\nRUN make\n"
        ),
    ),
    (
        rewrites.remove_apt_lists,
        "RUN echo\nRUN apt-get update\n# two\nRUN cd /tmp && apt-get install -y git\nRUN make\n",
        (
            "RUN echo\nRUN apt-get update \\\n    && (cd /tmp && apt-get install -y git) \\\n"
            "    && rm -rf /var/lib/apt/lists/*\n# two\nRUN make\n"
        ),
    ),
    (
        rewrites.keep_no_pip_cache,
        "RUN pip install a \\\n    && pip3 install --no-cache-dir b\n",
        "RUN pip install --no-cache-dir a \\\n    && pip3 install --no-cache-dir b\n",
    ),
    (
        rewrites.keep_no_poetry_cache,
        "RUN --network=default poetry install\n",
        "RUN --network=default poetry install \\\n    && rm -rf /root/.cache/pypoetry\n",
    ),
    (rewrites.write_no_bytecode, "RUN x\n", "ENV PYTHONDONTWRITEBYTECODE=1\nRUN x\n"),
    (
        rewrites.merge_removals,
        "RUN make big\nRUN use big\nRUN rm big\nRUN after\nUSER a\n",
        "RUN make big \\\n    && use big \\\n    && rm big\nRUN after\nUSER a\n",
    ),
    (
        rewrites.copy_with_owner,
        "COPY a b\nCOPY --chown=c d e\nRUN chown -R app:app /srv\nCOPY f g\n",
        "COPY --chown=app:app a b\nCOPY --chown=c d e\nCOPY f g\n",
    ),
    (
        rewrites.merge_removals,
        "RUN other\nRUN get > /tmp/big\nRUN use\nRUN rm -r /tmp/big/*; ls\n",
        "RUN other\nRUN get > /tmp/big \\\n    && use \\\n    && rm -r /tmp/big/*; ls\n",
    ),
    (
        rewrites.copy_with_owner,
        "COPY x ./\nRUN useradd app\nCOPY a /srv/a\nRUN chown --recursive app /srv /etc/app\n",
        "COPY x ./\nRUN useradd app\nCOPY --chown=app a /srv/a\n",
    ),
    (
        rewrites.leave_out_build_tools,
        "RUN apt-get install -y gcc libpq5 && gcc x\n",
        "RUN apt-get install -y libpq5 && gcc x\n",
    ),
]


@pytest.mark.parametrize(("rewrite", "before", "after"), CASES)
def test_a_rewrite_changes_what_it_names(rewrite, before, after):
    assert texts(rewrite, FROM + before) == [FROM + after]
    # Done once, there is nothing left to do.
    assert texts(rewrite, FROM + after) == []


@pytest.mark.parametrize(
    ("rewrite", "text"),
    [
        (rewrites.skip_recommended_packages, "RUN apt-get --no-install-recommends install x\n"),
        (rewrites.skip_recommended_packages, 'RUN ["apt-get", "install", "x"]\n'),
        (rewrites.skip_recommended_packages, "RUN <<E\napt-get install x\nE\n"),
        (rewrites.remove_apt_lists, "RUN make\n"),
        (rewrites.remove_apt_lists, "RUN apt-get update; rm -r /var/lib/apt/lists/*\n"),
        (
            rewrites.remove_apt_lists,
            "RUN --mount=type=cache,target=/var/lib/apt apt-get update\n",
        ),
        (rewrites.keep_no_pip_cache, "ENV PIP_NO_CACHE_DIR=1\nRUN pip install a\n"),
        (
            rewrites.keep_no_pip_cache,
            "RUN --mount=type=cache,target=/root/.cache/pip pip install a\n",
        ),
        (rewrites.keep_no_poetry_cache, "RUN poetry install && rm -r /root/.cache\n"),
        (rewrites.write_no_bytecode, "ENV PYTHONDONTWRITEBYTECODE=\n"),
        (rewrites.merge_removals, "RUN a\nUSER b\nRUN rm -r c\n"),
        (rewrites.merge_removals, "RUN a\nRUN echo alarm rmdir\n"),
        (rewrites.merge_removals, "RUN rm -r a\nRUN b\n"),
        (rewrites.merge_removals, "RUN a\nRUN --network=none rm -r c\n"),
        (rewrites.copy_with_owner, "RUN useradd a && chown -R a /srv\nCOPY a b\n"),
        (rewrites.copy_with_owner, "RUN chown -R a /srv\nCOPY a b\n"),
        (rewrites.build_in_another_stage, "RUN pip install a\n"),
        (rewrites.build_in_another_stage, "RUN pip install a\nRUN apt-get install gcc\n"),
    ],
)
def test_a_rewrite_has_nothing_to_do(rewrite, text):
    assert texts(rewrite, FROM + text) == []


def test_only_the_stages_of_the_image_are_rewritten():
    text = "FROM a AS b\nRUN pip install x\nFROM a AS c\nRUN pip install y\nFROM c\nCMD x\n"
    changed = text.replace("install y", "install --no-cache-dir y")
    assert texts(rewrites.keep_no_pip_cache, text) == [changed]
    assert texts(rewrites.keep_no_pip_cache, text, target="b") == [
        text.replace("install x", "install --no-cache-dir x")
    ]


def test_the_build_tools_move_to_another_stage():
    text = (
        "ARG V=3.13\nFROM python:$V \\\n  AS app\nENV A=1\n"
        "RUN apt-get update && apt-get install -y gcc\nCOPY requirements.txt .\n"
        "RUN pip install -r \\\n    requirements.txt\nCOPY . .\nCMD x\n"
    )
    assert texts(rewrites.build_in_another_stage, text) == [
        (
            "ARG V=3.13\nFROM python:$V AS build\nENV A=1\n"
            "RUN apt-get update && apt-get install -y gcc\nCOPY requirements.txt .\n"
            "RUN pip install --prefix=/install -r \\\n    requirements.txt\n\n"
            "FROM python:$V \\\n  AS app\nENV A=1\nCOPY requirements.txt .\n"
            "COPY --from=build /install /usr/local\nCOPY . .\nCMD x\n"
        )
    ]


BASES = ("debian:trixie-slim", "python:3.11-slim-bookworm", "python:3.13-slim-trixie")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FROM python:3.11-bookworm AS a\n", "FROM python:3.11-slim-bookworm AS a\n"),
        (
            "ARG V=3.11\nARG W=bookworm\nFROM python:$V-$W\n",
            "ARG V=3.11\nARG W=slim-bookworm\nFROM python:$V-$W\n",
        ),
        ("ARG V=3.11-bookworm\nFROM python:$V\n", "ARG V=3.11-slim-bookworm\nFROM python:$V\n"),
        ("FROM python:3.12-bookworm\n", None),
        ("FROM python:3.11-slim-bookworm\n", None),
        ("FROM other/python:3.11-bookworm\n", None),
        ("FROM python:3.11-bookworm@sha256:" + "0" * 64 + "\n", None),
    ],
)
def test_a_slim_base_is_one_that_the_course_pins(before, after):
    found = [one.draft.text for one in rewrites.use_slim_base(draft(before), BASES)]
    assert found == ([after] if after else [])


def test_unneeded_files_that_are_there_are_ignored():
    facts = {"entries": ("README.md", "app", "tests", "x.log"), "ignore": "tests\n\n"}
    found = [one.draft.ignore for one in rewrites.ignore_unneeded_files(draft(FROM, **facts))]
    assert found == ["tests\n*.md\n*.log\n", "tests\n*.log\n"]
    assert not [*rewrites.ignore_unneeded_files(draft(FROM, entries=("app", "x.py")))]


def test_a_patch_has_both_files():
    before = draft(FROM + "CMD x", ignore="a\n")
    after = before._replace(text=FROM + "CMD y", ignore="a\nb\n")
    assert after.diff(before) == (
        "--- a/.dockerignore\n+++ b/.dockerignore\n@@ -1 +1,2 @@\n a\n+b\n"
        "--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,2 +1,2 @@\n FROM python:3.13-slim-trixie\n"
        "-CMD x\n\\ No newline at end of file\n+CMD y\n\\ No newline at end of file\n"
    )


def test_an_escape_and_flags_stay():
    text = "# escape=`\nFROM a\nRUN --mount=type=tmpfs,target=/t apt-get `\n update\n"
    (changed,) = texts(rewrites.remove_apt_lists, text)
    assert changed == (
        "# escape=`\nFROM a\nRUN --mount=type=tmpfs,target=/t apt-get `\n update `\n"
        "    && rm -rf /var/lib/apt/lists/*\n"
    )
