"""The pytest plugin, in this session and in sessions of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
import voyageai
from voyageai_emulator import Emulator
from voyageai_rest.models import EmbeddingsRequest

pytest_plugins = ["pytester"]

INI = """\
[pytest]
filterwarnings = error
addopts = --strict-markers
"""
VARIABLES = [
    "VOYAGE_API_KEY",
    "VOYAGE_API_KEY_PATH",
    "VOYAGE_BASE_URL",
    "HF_ENDPOINT",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_HUB_OFFLINE",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN",
]
HEAVY = ["attrs", "huggingface_hub", "httpx2", "numpy", "starlette", "uvicorn", "voyageai_rest"]


def ask() -> int:
    """Send a request to the base URL in the environment; return the status."""
    return httpx2.post(
        os.environ["VOYAGE_BASE_URL"] + "/embeddings",
        json={"input": "hello", "model": "voyage-4"},
        headers={"authorization": "Bearer " + os.environ["VOYAGE_API_KEY"]},
    ).status_code


# In this session


def test_code_under_test_reaches_the_emulator(voyage_emulator: Emulator) -> None:
    """The code needs no changes, as it reads the base URL from the environment."""
    with voyageai.Client() as vo:
        vo.embed_query("hello", model="voyage-4")
    last = voyage_emulator.requests.last
    assert isinstance(last.model, EmbeddingsRequest)
    assert ("voyage-4", "query") == (last.model.model, last.model.input_type)
    assert voyage_emulator.origin == os.environ["HF_ENDPOINT"]


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_begins_anew(voyage_emulator: Emulator, turn: int) -> None:
    """No test may depend on an earlier one."""
    assert 0 == len(voyage_emulator.requests)
    assert 200 == ask()
    voyage_emulator.faults.always("status", status=500)
    assert 500 == ask()


class TestSettings:
    """Settings come from a fixture, from marks of a class, and from the mark of a test."""

    @pytest.fixture
    def voyage_emulator_settings(self) -> Mapping[str, Any]:
        """Return settings as a project's conftest.py would."""
        return {"faults": ["status; status=418"], "api_key": "of-the-project"}

    def test_those_of_the_fixture_hold(self, voyage_emulator: Emulator) -> None:
        """A project sets them once for many tests."""
        assert (418, "of-the-project") == (ask(), os.environ["VOYAGE_API_KEY"])

    @pytest.mark.voyage_emulator(faults=["status; status=503"])
    def test_those_of_a_mark_go_before(self, voyage_emulator: Emulator) -> None:
        """A mark overrides single settings, and the others stay."""
        assert (503, "of-the-project") == (ask(), os.environ["VOYAGE_API_KEY"])

    @pytest.mark.voyage_emulator(faults=["status; status=503"])
    class TestMarked:
        """A marked class in which one test has a mark of its own."""

        @pytest.mark.voyage_emulator(faults=[])
        def test_those_of_the_nearest_mark_go_first(self, voyage_emulator: Emulator) -> None:
            """A single test may differ from its class."""
            assert 200 == ask()


# In sessions of its own


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project whose tests turn warnings into errors."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    pytester.makefile(".ini", pytest=INI)
    return pytester


def test_a_session_that_does_not_use_it_notices_nothing(project: pytest.Pytester) -> None:
    """The plugin comes with the package, even for users who never use the emulator."""
    project.makepyfile(f"""
        import os
        import sys
        import threading

        def test_nothing_is_loaded(request):
            assert request.config.pluginmanager.hasplugin("voyageai_emulator")
            assert [] == [name for name in {HEAVY} if name in sys.modules]
            assert 1 == threading.active_count()
            assert not {{"VOYAGE_API_KEY", "VOYAGE_BASE_URL", "HF_ENDPOINT"}} & set(os.environ)
    """)
    # Other pytest plugins may load some of these.
    others = ("-p", "no:anyio", "-p", "no:hypothesispytest", "-p", "no:schemathesis")
    project.runpytest_subprocess(*others).assert_outcomes(passed=1)


LOADED = """\
import sys
import pytest

before = set(sys.modules)
import voyageai_emulator.pytest_plugin

print(sorted(name for name in set(sys.modules) - before if name.startswith("voyageai")))
"""


def test_importing_the_plugin_loads_nothing_of_the_emulator() -> None:
    """Every pytest session loads the plugin, also those that never use it."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert "['voyageai_emulator', 'voyageai_emulator.pytest_plugin']" == done.stdout.strip()


def test_the_environment_is_restored(project: pytest.Pytester) -> None:
    """Variables are restored, also after a failed test, and no server is left."""
    project.makeconftest("""
        import threading

        def pytest_unconfigure():
            print("threads at the end:", threading.active_count())
    """)
    project.makepyfile(f"""
        import os

        os.environ["VOYAGE_API_KEY"] = "real"
        os.environ["VOYAGE_API_KEY_PATH"] = "no-such-file"
        os.environ["HF_ENDPOINT"] = "https://mirror.invalid"

        def seen():
            return {{name: os.environ.get(name) for name in {VARIABLES}}}

        BEFORE = seen()

        def test_it(voyage_emulator):
            now = seen()
            assert [] == [name for name in now if now[name] == BEFORE[name]]
            assert now["VOYAGE_API_KEY_PATH"] is None

        def test_that_fails(voyage_emulator):
            assert voyage_emulator.requests

        def test_after():
            assert BEFORE == seen()
    """)
    result = project.runpytest_subprocess("-s")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["threads at the end: 1"])


@pytest.mark.parametrize("imported", ["before", "in the test"])
def test_the_hub_is_asked_there_and_is_restored(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, imported: str
) -> None:
    """The Hub's library reads the environment only once, when it is imported."""
    pytest.importorskip("huggingface_hub")
    home = project.path / "home"
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.invalid")
    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    if imported == "before":
        project.makeconftest("import huggingface_hub.hf_api")
    project.makepyfile(f"""
        import json
        import os
        from pathlib import Path

        def seen():
            from huggingface_hub import constants, hf_api, hf_hub_url
            url = hf_hub_url("voyageai/voyage-4", "tokenizer.json")
            host = url.removesuffix("/voyageai/voyage-4/resolve/main/tokenizer.json")
            return host, hf_api.api.endpoint, constants.HF_HUB_CACHE, constants.HF_HUB_OFFLINE

        def test_it(voyage_emulator):
            from huggingface_hub import hf_hub_download
            origin, cache = voyage_emulator.origin, os.environ["HF_HUB_CACHE"]
            assert (origin, origin, cache, False) == seen()
            path = Path(hf_hub_download("voyageai/voyage-4", "tokenizer.json"))
            assert path.is_relative_to(cache)
            assert "model" in json.loads(path.read_text(encoding="utf-8"))

        def test_after():
            mirror = "https://mirror.invalid"
            assert (mirror, mirror, {str(home / "hub")!r}, True) == seen()
    """)
    project.runpytest_subprocess().assert_outcomes(passed=2)
    assert not home.exists()


def test_wrong_settings_say_so(project: pytest.Pytester) -> None:
    """An ignored setting would change the meaning of a test."""
    project.makepyfile("""
        import pytest

        @pytest.mark.voyage_emulator("free")
        def test_by_place(voyage_emulator): ...

        @pytest.mark.voyage_emulator(teir="free")
        def test_no_such(voyage_emulator): ...

        @pytest.mark.voyage_emulator(faults=["no_such"])
        def test_no_such_fault(voyage_emulator): ...
    """)
    result = project.runpytest_subprocess()
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines_random(
        ["*takes keyword arguments only, not ('free',)*", "*'teir'*", "*no_such*"]
    )


def test_without_the_extra_only_its_use_fails(project: pytest.Pytester) -> None:
    """The error has the command to install the extra, instead of a traceback."""
    project.makeconftest("""
        import sys
        sys.modules["uvicorn"] = None
    """)
    project.makepyfile("""
        def test_without(): ...
        def test_with(voyage_emulator): ...
    """)
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(['the emulator needs * extra `emulator`: pip install "*'])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_it_can_be_left_out(project: pytest.Pytester) -> None:
    """pytest's own option `-p no:...` turns the plugin off."""
    project.makepyfile("def test_it(voyage_emulator): ...")
    result = project.runpytest_subprocess("-p", "no:voyageai_emulator")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'voyage_emulator' not found*"])


def test_the_fixture_and_the_mark_are_listed(project: pytest.Pytester) -> None:
    """Users look there for fixtures and markers."""
    shown = project.runpytest_subprocess("--markers").stdout
    shown.fnmatch_lines(["@pytest.mark.voyage_emulator(?*settings): *"])
    shown = project.runpytest_subprocess("--fixtures").stdout
    shown.fnmatch_lines(["voyage_emulator -- *", "*Run an emulator for the test*"])


def test_a_mistyped_setting_is_named_with_what_was_meant(project: pytest.Pytester) -> None:
    """The error suggests the right name, without a traceback of internals."""
    project.makepyfile("""
        import pytest

        @pytest.mark.voyage_emulator(teir="free")
        def test_limited(voyage_emulator): ...
    """)
    result = project.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["voyage_emulator has no setting 'teir': did you mean tier?"])
    result.stdout.no_fnmatch_line("*Traceback*")
