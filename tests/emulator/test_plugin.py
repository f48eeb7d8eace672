"""The pytest plugin: as this session has it, and in sessions of its own."""

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
    """The status of a request that goes where the environment leads."""
    return httpx2.post(
        os.environ["VOYAGE_BASE_URL"] + "/embeddings",
        json={"input": "hello", "model": "voyage-4"},
        headers={"authorization": "Bearer " + os.environ["VOYAGE_API_KEY"]},
    ).status_code


# In this session


def test_code_under_test_is_led_there(voyage_emulator: Emulator) -> None:
    """It needs no changes, and assertions read like sentences."""
    with voyageai.Client() as vo:
        vo.embed_query("hello", model="voyage-4")
    last = voyage_emulator.requests.last
    assert isinstance(last.model, EmbeddingsRequest)
    assert ("voyage-4", "query") == (last.model.model, last.model.input_type)
    assert voyage_emulator.origin == os.environ["HF_ENDPOINT"]


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_begins_anew(voyage_emulator: Emulator, turn: int) -> None:
    """No test depends on those before it."""
    assert 0 == len(voyage_emulator.requests)
    assert 200 == ask()
    voyage_emulator.faults.always("status", status=500)
    assert 500 == ask()


class TestSettings:
    """Come from a fixture, from marks around a test, and from its own."""

    @pytest.fixture
    def voyage_emulator_settings(self) -> Mapping[str, Any]:
        """As a project would have it in its conftest.py."""
        return {"faults": ["status; status=418"], "api_key": "of-the-project"}

    def test_those_of_the_fixture_hold(self, voyage_emulator: Emulator) -> None:
        """For many tests at once."""
        assert (418, "of-the-project") == (ask(), os.environ["VOYAGE_API_KEY"])

    @pytest.mark.voyage_emulator(faults=["status; status=503"])
    def test_those_of_a_mark_go_before(self, voyage_emulator: Emulator) -> None:
        """One by one: the others hold."""
        assert (503, "of-the-project") == (ask(), os.environ["VOYAGE_API_KEY"])

    @pytest.mark.voyage_emulator(faults=["status; status=503"])
    class TestMarked:
        """The nearest mark says most."""

        @pytest.mark.voyage_emulator(faults=[])
        def test_those_of_the_nearest_mark_go_first(self, voyage_emulator: Emulator) -> None:
            """A class of tests may have an exception."""
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
    """The plugin comes with the package, whatever that was installed for."""
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
    # Another plugin may well load some of these.
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
    """It is loaded into every session of pytest, also into those that never use it."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert "['voyageai_emulator', 'voyageai_emulator.pytest_plugin']" == done.stdout.strip()


def test_the_environment_is_restored(project: pytest.Pytester) -> None:
    """Variables come back, set or unset, also after a failed test, and no server stays."""
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
    """Hugging Face's library reads the environment once, when it is imported."""
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
    """A setting that is passed over would make a test mean something else."""
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
    """With the command that helps, not with a traceback."""
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
    """By pytest's own switch."""
    project.makepyfile("def test_it(voyage_emulator): ...")
    result = project.runpytest_subprocess("-p", "no:voyageai_emulator")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'voyage_emulator' not found*"])


def test_the_fixture_and_the_mark_are_listed(project: pytest.Pytester) -> None:
    """`pytest --markers` and `pytest --fixtures` are where people look."""
    shown = project.runpytest_subprocess("--markers").stdout
    shown.fnmatch_lines(["@pytest.mark.voyage_emulator(?*settings): *"])
    shown = project.runpytest_subprocess("--fixtures").stdout
    shown.fnmatch_lines(["voyage_emulator -- *", "*Run an emulator for the test*"])


def test_a_mistyped_setting_is_named_with_what_was_meant(project: pytest.Pytester) -> None:
    """Not with the traceback of a function that the test does not call."""
    project.makepyfile("""
        import pytest

        @pytest.mark.voyage_emulator(teir="free")
        def test_limited(voyage_emulator): ...
    """)
    result = project.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["voyage_emulator has no setting 'teir': did you mean tier?"])
    result.stdout.no_fnmatch_line("*Traceback*")
