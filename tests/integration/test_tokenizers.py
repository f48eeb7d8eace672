"""Where the client gets tokenizers from."""

from __future__ import annotations

import time

import pytest
import voyageai
from huggingface_hub import constants
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from voyageai import tokenization
from voyageai.media import sizing
from voyageai.video_utils import Video, optimize_video
from voyageai_emulator import running
from voyageai_rest.catalogue import MODELS

from tests.calls import calls_of
from tests.hub_cache import hide_hub, keep
from tests.overlay.sample_videos import film

VIDEO_MODEL = next(name for name, model in MODELS.items() if "video" in model.modalities)
TEXTS = ["Where are the keys?", "On the table."]
NOBODY = "http://127.0.0.1:9"
WORDS = Tokenizer(WordLevel({"?": 0}, unk_token="?"))
WORDS.pre_tokenizer = WhitespaceSplit()


def forget():
    """Forget the tokenizers that were loaded."""
    tokenization._loaded.clear()
    tokenization._serving.clear()
    sizing._config.cache_clear()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Use an empty cache folder, and no host from the environment."""
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    forget()
    yield tmp_path
    forget()


@pytest.fixture
def impatient(monkeypatch):
    """Fail the test on any wait."""

    def sleep(seconds):
        raise AssertionError(f"slept {seconds} s")

    monkeypatch.setattr(time, "sleep", sleep)


@pytest.fixture
def unreachable(monkeypatch):
    """Make the Hugging Face Hub unreachable."""
    hide_hub(monkeypatch)


@pytest.mark.parametrize("is_named", [False, True], ids=["unset", "HF_ENDPOINT"])
def test_an_emulator_is_asked_for_its_tokenizer(home, unreachable, monkeypatch, is_named):
    """Both count alike without configuration, and its files never replace those of the Hub."""
    with running() as emulator, voyageai.Client("any-key", base_url=emulator) as vo:
        if is_named:
            monkeypatch.setenv("HF_ENDPOINT", emulator.origin)
        counted = vo.count_tokens(TEXTS, model="voyage-4")
        assert vo.embed(TEXTS, "voyage-4", None).total_tokens == counted

    assert ["voyageai-emulator"] == [path.name for path in home.iterdir()]


def test_a_tokenizer_in_the_cache_of_the_hub_is_used_without_a_connection(home, unreachable):
    """A tokenizer fetched once works offline; this one counts words."""
    keep(home / "hub", "voyage-4", "tokenizer.json", WORDS.to_str())
    with voyageai.Client("any-key") as vo:
        assert vo.count_tokens(["three unbelievable words", "one"], model="voyage-4") == 4


def test_an_emulator_counts_by_its_own_whatever_the_cache_of_the_hub_has(home, unreachable):
    """Token counts in a test must not depend on the machine."""
    test_a_tokenizer_in_the_cache_of_the_hub_is_used_without_a_connection(home, unreachable)
    with running() as emulator, voyageai.Client("any-key", base_url=emulator) as vo:
        counted = vo.count_tokens(TEXTS, model="voyage-4")
        assert vo.embed(TEXTS, "voyage-4", None).total_tokens == counted > 8


def test_an_emulator_is_asked_how_it_scales_videos(unreachable, tmp_path, monkeypatch):
    """A client needs no configuration for it, and code without a client one variable."""
    path = film(tmp_path / "a.mp4", "64x64", "4", 8)
    with running() as emulator, voyageai.Client("any-key", base_url=emulator) as vo:
        made = Video.from_path(path, model=VIDEO_MODEL, optimize=False)
        assert made.estimated_num_tokens is None
        counted = vo.count_usage([[made]], VIDEO_MODEL)
        assert vo.multimodal_embed([[made]], VIDEO_MODEL).video_pixels == counted["video_pixels"]

        monkeypatch.setenv("VOYAGE_BASE_URL", emulator)
        small = optimize_video(path, model=VIDEO_MODEL, max_video_tokens=1000)
        assert 0 < small.estimated_num_tokens <= 1000


def test_an_emulator_that_starts_late_is_found(unreachable):
    """A failed first try must not be remembered."""
    with running() as emulator:
        port = int(emulator.origin.rpartition(":")[2])
    with voyageai.Client("any-key", base_url=f"{NOBODY[:-1]}{port}/v1") as vo:
        with pytest.raises(OSError, match="could not be fetched"):
            vo.count_tokens(TEXTS, model="voyage-4")
        with running(port=port):
            assert vo.count_tokens(TEXTS, model="voyage-4") > 0


def test_hf_endpoint_has_priority(monkeypatch):
    """A user who sets HF_ENDPOINT wants that host."""
    monkeypatch.setenv("HF_ENDPOINT", NOBODY)
    with (
        running() as emulator,
        voyageai.Client("any-key", base_url=emulator) as vo,
        pytest.raises(OSError, match=f"from {NOBODY}/voyageai/voyage-4"),
    ):
        vo.count_tokens(TEXTS, model="voyage-4")


def test_a_host_of_other_things_is_not_taken_for_an_emulator(unreachable):
    """The host has no tokenizer for the model, so the client asks the Hub."""
    with running() as emulator, voyageai.Client("any-key", base_url=emulator) as vo:
        with calls_of(tokenization._file_metadata) as looks:
            for _ in range(2):
                with pytest.raises(OSError, match=r"from https://huggingface\.co/voyageai/a-gate"):
                    vo.count_tokens(TEXTS, model="a-gateways-own")
        assert [emulator.origin, None, None] == [look["emulator"] for look in looks]


def test_without_a_connection_the_error_comes_at_once_and_names_the_way_out(unreachable, impatient):
    """The libraries' own errors would not tell the user what to do."""
    vo = voyageai.Client("any-key")
    with pytest.raises(OSError, match="could not be fetched from") as caught:
        vo.count_tokens(TEXTS, model="voyage-4")

    for way in ("tokenizers={'voyage-4': 'path/to/tokenizer.json'}", "set HF_ENDPOINT"):
        assert way in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
