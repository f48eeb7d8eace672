"""The examples on each page of the documentation run in order against the emulator."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import voyageai_emulator

from tests.overlay.sample_videos import film

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs/cli").glob("*.md")),
]
ELSEWHERE = ["data-libraries.md", "opentelemetry.md", "test-and-trace.md"]
"""Pages whose examples need third-party tools; tests/frameworks runs them."""
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)

ALL_PAGES = [
    *sorted(ROOT.glob("*.md")),
    *(
        page
        for name in ("docs", "spec", "overlay", "tests")
        for page in (ROOT / name).rglob("*.md")
    ),
]


RUNNER = """\
import json, os, signal, sys
import numpy, voyageai.batches, voyageai.calls, voyageai.client, voyageai.client_async
import voyageai.results, voyageai.transport, voyageai_rest.models

for line in sys.stdin:
    code, folder, environment = json.loads(line)
    if not (child := os.fork()):
        signal.alarm(60)
        os.chdir(folder)
        os.environ |= environment
        os.dup2(os.open("output", os.O_WRONLY | os.O_CREAT), 1)
        os.dup2(1, 2)
        exec(compile(code, "example", "exec"), {"__name__": "__main__"})
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs each example in a process forked from one that has already imported slow modules."""

Run = Callable[[str, Path, dict[str, str]], int]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Return a function that runs code in a folder and returns its exit status."""
    command = [sys.executable, "-W", "error", "-c", RUNNER]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:

        def run(code: str, folder: Path, environment: dict[str, str]) -> int:
            print(json.dumps([code, str(folder), environment]), file=process.stdin, flush=True)
            return int(process.stdout.readline())

        yield run


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The base URL of an emulator."""
    with voyageai_emulator.running() as found:
        yield found


def examples() -> list[tuple[str, str]]:
    """Return every Python block with the line at which it starts."""
    return [
        (f"{page.name}:{text[: block.start()].count(chr(10)) + 1}", block[1])
        for page in PAGES
        if page.name not in ELSEWHERE
        for text in [page.read_text(encoding="utf-8")]
        for block in BLOCK.finditer(text)
    ]


@pytest.mark.parametrize(("place", "code"), examples(), ids=lambda value: value.split("\n")[0])
def test_an_example_runs(place, code, url, run, tmp_path):
    """Readers copy the examples unchanged."""
    environment = {"VOYAGE_API_KEY": "emulator", "VOYAGE_BASE_URL": url}
    environment["HF_HOME"] = str(tmp_path / "huggingface")
    if "clip.mp4" in code:
        film(tmp_path / "clip.mp4", "320x180", "10", 20)

    status = run(code, tmp_path, environment)

    assert 0 == status, f"{place}\n{(tmp_path / 'output').read_text()}"


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_have_targets(page):
    """A link must follow a page or heading that is renamed."""
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^) ]+)\)", text) if "://" not in link]
    for link in links:
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


NAMED = re.compile(r"pip install [^\n]*(?<![-\w])voyageai(?!-)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_install_line_asks_an_index_for_the_name(page):
    """On a public index the name belongs to the vendor's package."""
    assert [] == NAMED.findall(page.read_text(encoding="utf-8"))


def test_each_promise_of_security_names_tests_that_are_there() -> None:
    """Users can trust a promise only if a test checks it."""
    page = (ROOT / "docs/security.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and "promise |" not in line]
    named = re.findall(r"`(tests/[^`]+\.py)::(test_\w+)`", page)

    assert len(rows) > 50
    assert [] == [row for row in rows if not re.search(r"\| `tests/[^`]+::test_", row)]
    assert page.count("`tests/") == len(named)
    assert [] == [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"^(?:async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)
    ]


def test_contributors_are_sent_to_files_that_are_there() -> None:
    """A recipe that names a moved file can't be followed."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"`([\w./-]+\.(?:py|yaml|md))`", text))
    folders = ("spec", "generator", "overlay", "tests", "docs")
    files = {path.as_posix() for name in folders for path in (ROOT / name).rglob("*.*")}
    files.add((ROOT / "CHANGELOG.md").as_posix())

    assert len(named) > 20
    assert [] == [name for name in named if not any(file.endswith(f"/{name}") for file in files)]
