"""A pytest plugin with the fixture ``voyage_emulator``, which pytest loads automatically.

Each test that uses the fixture gets its own emulator, and an environment that directs clients to
it: clients read VOYAGE_API_KEY and VOYAGE_BASE_URL, and tokenizers are downloaded from HF_ENDPOINT
into a temporary cache. The environment is restored after the test. Tests that do not use the
fixture are not affected, and do not load the emulator.

    import pytest
    import voyageai

    def test_questions_are_embedded_as_queries(voyage_emulator):
        with voyageai.Client() as vo:
            vo.embed_query("Where are the keys?", model="voyage-4")
        assert voyage_emulator.requests.last.model.input_type == "query"

    @pytest.mark.voyage_emulator(tier="free")
    def test_a_rate_limit(voyage_emulator): ...

The mark takes the settings of `voyageai_emulator.running`. To use the same settings in many tests,
override the fixture ``voyage_emulator_settings``, which returns them as a dict; settings of a mark
take precedence.
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
"""Value of VOYAGE_API_KEY; the emulator accepts any key."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line(
        "markers", f"{MARK}(**settings): settings of the emulator of the fixture {MARK}."
    )


@pytest.fixture
def voyage_emulator_settings() -> Mapping[str, Any]:
    """Return the settings of the emulators, as arguments of `voyageai_emulator.running`."""
    return {}


@pytest.fixture
def voyage_emulator(
    request: pytest.FixtureRequest,
    voyage_emulator_settings: Mapping[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Emulator]:
    """Run an emulator for the test, and direct the environment to it.

    Yields:
        The base URL of the emulator, as `voyageai_emulator.running` yields it.
    """
    from . import running
    from .settings import check_names

    settings = dict(voyage_emulator_settings)
    for mark in reversed(list(request.node.iter_markers(MARK))):
        if mark.args:
            raise TypeError(f"the mark {MARK} takes keyword arguments only, not {mark.args}")
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
    """Direct Hugging Face's library to the emulator, with a temporary folder as its cache."""
    variables = {
        "HF_ENDPOINT": origin,
        "HF_HOME": str(home),
        "HF_HUB_CACHE": str(home / "hub"),
        # The emulator is reachable even when the library is set to be offline, and must get no
        # token.
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    }
    # The library reads these variables on import. Importing it before they are set keeps their
    # original values for after the test.
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
        "file_download.HUGGINGFACE_CO_URL_TEMPLATE": template,  # a copy, in versions below 1.0
        "constants.HF_HOME": str(home),
        "constants.HF_HUB_CACHE": str(home / "hub"),
        "constants.HUGGINGFACE_HUB_CACHE": str(home / "hub"),
        "constants.HF_HUB_OFFLINE": False,
        "constants.HF_HUB_DISABLE_IMPLICIT_TOKEN": True,
        "hf_api.api.endpoint": origin,
    }
    for name, setting in read.items():
        patch.setattr(f"huggingface_hub.{name}", setting, raising=False)
