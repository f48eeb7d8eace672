"""A pytest plugin: the fixture ``voyage_emulator``. pytest loads it by itself.

A test that uses the fixture has an emulator of its own. The environment points to it: clients read
VOYAGE_API_KEY and VOYAGE_BASE_URL, and tokenizers are downloaded from HF_ENDPOINT, into a cache of
the test's own. After the test the environment is as before. Tests without the fixture are not
affected, and load nothing of the emulator.

    import pytest
    import voyageai

    def test_questions_are_embedded_as_queries(voyage_emulator):
        with voyageai.Client() as vo:
            vo.embed_query("Where are the keys?", model="voyage-4")
        assert voyage_emulator.requests.last.model.input_type == "query"

    @pytest.mark.voyage_emulator(tier="free")
    def test_a_rate_limit(voyage_emulator): ...

The mark takes the settings of `voyageai_emulator.running`. For many tests at once, override the
fixture ``voyage_emulator_settings``, which returns them as a dict; those of a mark take precedence.
"""

from __future__ import annotations

import contextlib
import importlib
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from . import Emulator

MARK = "voyage_emulator"
KEY = "emulator"
"""The API key of the environment; the emulator accepts any."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line(
        "markers", f"{MARK}(**settings): settings of the emulator that the fixture {MARK} gives."
    )


@pytest.fixture
def voyage_emulator_settings() -> Mapping[str, Any]:
    """Return the settings of emulators, as `voyageai_emulator.running` takes them."""
    return {}


@pytest.fixture
def voyage_emulator(
    request: pytest.FixtureRequest,
    voyage_emulator_settings: Mapping[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Emulator]:
    """Run an emulator for the test, with the environment pointing to it.

    Yields:
        Its base URL, with the attributes that `voyageai_emulator.running` lists.
    """
    from . import running
    from .settings import check_names

    settings = dict(voyage_emulator_settings)
    for mark in reversed(list(request.node.iter_markers(MARK))):
        if mark.args:
            raise TypeError(f"the mark {MARK} takes settings by name, not {mark.args}")
        settings |= mark.kwargs
    try:
        check_names(MARK, settings, "host", "port", "expose")
    except TypeError as error:
        pytest.fail(str(error), pytrace=False)
    with contextlib.ExitStack() as stack:
        try:
            emulator = stack.enter_context(running(**settings))
        except ImportError as error:
            pytest.fail(str(error), pytrace=False)
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("VOYAGE_API_KEY_PATH", raising=False)
            patch.setenv("VOYAGE_API_KEY", settings.get("api_key") or KEY)
            patch.setenv("VOYAGE_BASE_URL", emulator.url)
            _redirect_hub(patch, emulator.origin, tmp_path_factory.mktemp("huggingface"))
            yield emulator


def _redirect_hub(patch: pytest.MonkeyPatch, origin: str, home: Path) -> None:
    """Point Hugging Face's library to the emulator, with a folder as its cache."""
    variables = {
        "HF_ENDPOINT": origin,
        "HF_HOME": str(home),
        "HF_HUB_CACHE": str(home / "hub"),
        # The emulator is there even for those who work offline, and must not get a real token.
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    }
    # The library reads them on import. It is imported before they are set, so that after the test
    # it is as it would be without it.
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
