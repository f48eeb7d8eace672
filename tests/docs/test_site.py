"""The site documents all errors, names, sessions, extras, variables and options."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import voyageai
from voyageai.admin.credentials import VARIABLES
from voyageai.cli.program import program
from voyageai.error import VoyageError

from generator.site import pages, reference
from tests.release.test_workflows import sessions

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NAVIGATION = [*pages.in_order(pages.config()["nav"])]
ERRORS = (DOCS / "errors.md").read_text("utf-8")


def kinds() -> list[type[VoyageError]]:
    """Return every exception class of the package, in any module."""
    for found in pkgutil.walk_packages(voyageai.__path__, "voyageai."):
        if not found.name.startswith(("voyageai.integrations.", "voyageai.__main__")):
            importlib.import_module(found.name)
    pending, seen = [VoyageError], []
    while pending:
        kind = pending.pop()
        if kind.__module__.startswith("voyageai."):
            seen.append(kind)
            pending += kind.__subclasses__()
    return sorted(set(seen), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_an_exception_leads_to_its_section(kind):
    """A user who meets an exception reads why it occurs, what it cost, and what to do."""
    (section,) = re.findall(
        rf"^### {kind.__name__}\n(.*?)(?=^##|\Z)", ERRORS, re.MULTILINE | re.DOTALL
    )

    assert f"docs/errors.md#{kind.__name__.lower()}" == kind.help.fget(kind.__new__(kind))
    assert ["Cause", "Billed", "Cure"] == re.findall(r"^- \*\*(\w+)\*\*: ", section, re.MULTILINE)


def test_each_section_of_errors_is_a_class():
    """Readers would believe a section about an exception that no longer exists."""
    assert {kind.__name__ for kind in kinds()} == {
        *re.findall(r"^### (\w+)$", ERRORS, re.MULTILINE)
    }


def test_an_exception_links_to_the_published_page(tmp_path):
    """The project's metadata are the only place that states the site's address."""
    metadata = tmp_path / "voyageai-9.dist-info/METADATA"
    metadata.parent.mkdir()
    metadata.write_text(
        "Metadata-Version: 2.4\nName: voyageai\nVersion: 9\n"
        "Project-URL: Documentation, https://docs.example/voyageai/\n"
    )
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from voyageai.error import RateLimitError\n"
        "raise RateLimitError('slow down')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    expected = "Cause, cost and cure: https://docs.example/voyageai/errors.html#ratelimiterror"
    assert expected == done.stderr.splitlines()[-1]
    assert "voyageai.error.RateLimitError: slow down" == done.stderr.splitlines()[-2]


def test_every_page_is_in_the_navigation_once():
    """Readers can't find a page that is in no menu."""
    files = [file for _, _, file in NAVIGATION]
    there = {name for name in pages.places().values() if name.endswith(".md")}

    assert len(files) == len({*files})
    assert {*reference.pages()} | there == {*files}


def test_public_names_are_in_the_reference():
    """The reference is built from these modules, so a missing one loses its whole page."""
    shown = reference.names()
    values = {name for name in voyageai.__all__ if not name.startswith("__")}
    modules = {name for name in values if inspect.ismodule(getattr(voyageai, name))}
    faces = {"client", "client_async", "version"}  # documented on the page of the package itself

    assert values - modules == {*shown["voyageai"]}
    assert {f"voyageai.{name}" for name in modules - faces} <= {*shown}
    for module in ("voyageai.tables", "voyageai.batches", "voyageai.files", "voyageai_emulator"):
        assert {*importlib.import_module(module).__all__} <= {*shown[module]}


def test_each_session_is_in_the_manual():
    """Contributors only run sessions that they know of."""
    manual = "".join(
        ROOT.joinpath(name).read_text("utf-8") for name in ("CONTRIBUTING.md", "README.md")
    )
    missing = [name for name in sessions() if not re.search(rf"`[^`]*\b{name}\b[^`]*`", manual)]

    assert [] == missing


def test_each_extra_is_in_the_manual():
    """Users find an extra by its purpose."""
    table = (DOCS / "install.md").read_text("utf-8").partition("## Extras")[2]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert {*extras["optional-dependencies"]} == {
        name
        for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }


def test_each_variable_is_in_the_manual():
    """An undocumented variable could change a program's behaviour for no visible reason."""
    code = "\n".join(path.read_text("utf-8") for path in ROOT.joinpath("overlay").rglob("*.py"))
    read = {*re.findall(r'environ(?:ment)?(?:\.get\(|\[)"([A-Z_]+)"', code)}
    named = {*re.findall(r'_VARIABLE(?:: \w+)? = "([A-Z_]+)"', code)}
    manual = (DOCS / "environment.md").read_text("utf-8")
    expected = read | named | {*VARIABLES.values()}
    assert {"VOYAGE_API_KEY", "VOYAGE_LOG", "HF_ENDPOINT"} <= expected
    assert [] == [name for name in sorted(expected) if f"`{name}`" not in manual]


def test_each_command_and_option_is_in_the_manual():
    """The page is built from the commands' help, so a hidden option would be missing."""
    page = reference.command_line()
    commands = [*reference.commands(program, ("voyageai",))]

    assert len(commands) > 20
    for words, command in commands:
        section = re.search(rf"^## {' '.join(words)}\n(.*?)(?=^## |\Z)", page, re.M | re.S)
        assert section, words
        flags = [flag for one in command.params for flag in one.opts if flag.startswith("-")]
        assert [] == [flag for flag in ("-h, --help", *flags) if flag not in section[1]], words
    assert "## voyageai-emulator\n" in page


def test_links_are_relative_to_the_page():
    """The site rewrites each link relative to the page's own path."""
    where = {"docs/a.md": "a.md", "docs/cli/b.md": "cli/b.md", "spec/README.md": "contract.md"}
    text = (
        "[a](../a.md#x) ![p](../b.png) [c](../../spec/README.md) [web](https://x.example) [here](#h)\n"
        "```md\n[a](../a.md)\n```\n[code](../../tests/x.py)"
    )
    shown = pages.relinked(text, "docs/cli/b.md", "cli/b.md", where, "")
    published = pages.relinked(text, "docs/cli/b.md", "cli/b.md", where, "https://forge.example/x")

    assert "[a](../a.md#x) p (`docs/b.png`) [c](../contract.md)" in shown
    assert (
        "[web](https://x.example) [here](#h)\n```md\n[a](../a.md)\n```\ncode (`tests/x.py`)"
        in shown
    )
    assert "[code](https://forge.example/x/blob/main/tests/x.py)" in published
