"""A pytest plugin: the fixture ``voyage_emulator``. pytest loads it by itself.

A test that asks for the fixture has an emulator of its own, to which the environment leads: clients
that read VOYAGE_API_KEY and VOYAGE_BASE_URL, and downloads of tokenizers by HF_ENDPOINT, into a
cache of the test's own. Afterwards all is as it was. Tests that do not ask for it notice nothing.

    import pytest
    import voyageai

    def test_questions_are_embedded_as_queries(voyage_emulator):
        with voyageai.Client() as vo:
            vo.embed_query("Where are the keys?", model="voyage-4")
        assert voyage_emulator.requests.last.model.input_type == "query"

    @pytest.mark.voyage_emulator(tier="free")
    def test_a_rate_limit(voyage_emulator): ...

The mark takes the settings of `voyageai_emulator.running`. For many tests at once, a fixture
``voyage_emulator_settings`` of your own returns them as a dict; a mark's go before them.
"""

from __future__ import annotations

import contextlib
import importlib
import warnings
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from .emulator import Emulator

MARK = "voyage_emulator"
KEY = "emulator"
"""An API key as good as any other."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line(
        "markers", f"{MARK}(**settings): settings of the emulator that the fixture {MARK} gives."
    )


@pytest.fixture
def voyage_emulator_settings() -> Mapping[str, Any]:
    """Settings of the emulators of many tests, as `voyageai_emulator.running` takes them."""
    return {}


@pytest.fixture
def voyage_emulator(
    request: pytest.FixtureRequest,
    voyage_emulator_settings: Mapping[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Emulator]:
    """A running emulator of the test's own, to which the environment leads.

    It is its base URL, with attributes for what was asked and what goes wrong: see
    `voyageai_emulator.running`.
    """
    from . import running
    from .settings import SettingsDict

    known = [*SettingsDict.__annotations__, "host", "port", "expose"]
    settings = dict(voyage_emulator_settings)
    for mark in reversed(list(request.node.iter_markers(MARK))):
        if mark.args:
            raise TypeError(f"the mark {MARK} takes settings by name, not {mark.args}")
        settings |= mark.kwargs
    if wrong := [name for name in settings if name not in known]:
        near = get_close_matches(wrong[0], known, 1)
        meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        pytest.fail(f"{MARK} has no setting {wrong[0]!r}: {meant}", pytrace=False)
    with contextlib.ExitStack() as stack:
        try:
            emulator = stack.enter_context(running(**settings))
        except ImportError as error:
            pytest.fail(str(error), pytrace=False)
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("VOYAGE_API_KEY_PATH", raising=False)
            patch.setenv("VOYAGE_API_KEY", settings.get("api_key") or KEY)
            patch.setenv("VOYAGE_BASE_URL", emulator.url)
            _lead_hub(patch, emulator.origin, tmp_path_factory.mktemp("huggingface"))
            yield emulator


def _lead_hub(patch: pytest.MonkeyPatch, origin: str, home: Path) -> None:
    """Have Hugging Face's library ask the emulator, and keep what it gets in a folder."""
    variables = {
        "HF_ENDPOINT": origin,
        "HF_HOME": str(home),
        "HF_HUB_CACHE": str(home / "hub"),
        # Who works offline otherwise still has the emulator, which should get no real token.
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    }
    # The library reads them when it is imported. It is imported first, because afterwards it has
    # to be as it would be without the test.
    with warnings.catch_warnings(action="ignore"):
        try:
            importlib.import_module("huggingface_hub.hf_api")
            hub = importlib.import_module("huggingface_hub.constants")
        except ImportError:
            hub = None
    for name, value in variables.items():
        patch.setenv(name, value)
    if hub is None:
        return
    template = origin + hub.HUGGINGFACE_CO_URL_TEMPLATE.removeprefix(hub.ENDPOINT)
    read = {
        "constants.ENDPOINT": origin,
        "constants.HUGGINGFACE_CO_URL_TEMPLATE": template,
        "file_download.HUGGINGFACE_CO_URL_TEMPLATE": template,  # a copy, below 1.0
        "constants.HF_HOME": str(home),
        "constants.HF_HUB_CACHE": str(home / "hub"),
        "constants.HUGGINGFACE_HUB_CACHE": str(home / "hub"),
        "constants.HF_HUB_OFFLINE": False,
        "constants.HF_HUB_DISABLE_IMPLICIT_TOKEN": True,
        "hf_api.api.endpoint": origin,
    }
    for name, setting in read.items():
        patch.setattr(f"huggingface_hub.{name}", setting, raising=False)
