"""Token counting by clients, with the files that the emulator serves for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from voyageai_emulator import Emulator
from voyageai_emulator.hub import create_hub
from voyageai_rest.catalogue import MODELS

from tests.emulator.contract_client import ContractClient, send
from tests.emulator.sample_texts import texts

FILE = "/voyageai/voyage-4/resolve/main/tokenizer.json"
WITH_PIXELS = [name for name, model in MODELS.items() if model.pixels]


@pytest.fixture(scope="session")
def http(url: Emulator) -> Iterator[httpx2.Client]:
    """Return an HTTP client of the emulator, without the API's base path."""
    with httpx2.Client(base_url=url.origin) as http:
        yield http


@pytest.fixture(scope="session")
def downloaded(url: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """Download the tokenizer of a model with the Hub's library."""
    cache = tmp_path_factory.mktemp("hub")
    path = hf_hub_download(
        "voyageai/voyage-4", "tokenizer.json", endpoint=url.origin, cache_dir=cache
    )
    return Tokenizer.from_file(path)


@given(text=texts.filter(bool))
def test_both_sides_count_the_same(ask: ContractClient, downloaded: Tokenizer, text: str) -> None:
    """A request that a client fills up to the limit by its own count must not be refused."""
    usage = ask("/embeddings", {"input": [text], "model": "voyage-4"})["usage"]
    assert len(downloaded.encode(text).ids) == usage["total_tokens"]


@settings(max_examples=20)
@given(query=texts, documents=st.lists(texts.filter(bool), min_size=1, max_size=5))
def test_rerankers_count_the_same(
    ask: ContractClient, downloaded: Tokenizer, query: str, documents: list[str]
) -> None:
    """A client can compute the documented sum for a query and its documents."""
    body = {"query": query, "documents": documents, "model": "rerank-2.5"}
    asked, *theirs = (len(downloaded.encode(text).ids) for text in (query, *documents))
    assert asked * len(documents) + sum(theirs) == ask("/rerank", body)["usage"]["total_tokens"]


@pytest.mark.parametrize("name", MODELS)
def test_every_model_has_a_tokenizer(url: Emulator, tmp_path: Path, name: str) -> None:
    """A new model in the catalogue needs nothing else for token counts."""
    path = hf_hub_download(
        f"voyageai/{name}", "tokenizer_config.json", endpoint=url.origin, cache_dir=tmp_path
    )
    config = json.loads(Path(path).read_bytes())
    assert MODELS[name].context_length == config["model_max_length"]


@pytest.mark.parametrize("name", WITH_PIXELS)
def test_pixels_are_counted_by_the_catalogue(url: Emulator, tmp_path: Path, name: str) -> None:
    """Videos count like images where no source says otherwise."""
    path = hf_hub_download(
        f"voyageai/{name}", "client_config.json", endpoint=url.origin, cache_dir=tmp_path
    )
    pixels = MODELS[name].pixels
    assert pixels is not None
    expected = {
        "multimodal_image_pixels_min": pixels.image_min,
        "multimodal_image_pixels_max": pixels.image_max,
        "multimodal_image_to_tokens_ratio": pixels.image_per_token,
    }
    if pixels.video_per_token:
        expected |= {
            "multimodal_video_pixels_min": pixels.video_min or pixels.image_min,
            "multimodal_video_pixels_max": pixels.video_max or pixels.image_max,
            "multimodal_video_to_tokens_ratio": pixels.video_per_token,
        }
    assert expected == json.loads(Path(path).read_bytes())


def test_the_hub_library_can_inspect_a_repository(url: Emulator) -> None:
    """Other libraries list a repository before they download from it."""
    api = HfApi(endpoint=url.origin)
    repo = "voyageai/voyage-multimodal-3.5"
    files = {"tokenizer.json", "tokenizer_config.json", "client_config.json"}
    info = api.model_info(repo)
    assert (repo, False) == (info.id, info.private)
    assert files == set(api.list_repo_files(repo))
    assert files == {entry.path for entry in api.list_repo_tree(repo)}
    assert info.sha == api.model_info(repo, revision=info.sha).sha
    assert api.file_exists(repo, "tokenizer.json")
    assert not api.file_exists(repo, "model.safetensors")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            {"repo_id": "voyageai/voyage-unknown", "filename": "tokenizer.json"},
            RepositoryNotFoundError,
        ),
        ({"repo_id": "voyageai/voyage-4", "filename": "model.bin"}, EntryNotFoundError),
        ({"repo_id": "voyageai/voyage-4", "filename": "client_config.json"}, EntryNotFoundError),
        (
            {"repo_id": "voyageai/voyage-4", "filename": "tokenizer.json", "revision": "v9"},
            RevisionNotFoundError,
        ),
    ],
)
def test_a_missing_file_is_answered_as_by_the_hub(
    url: Emulator, tmp_path: Path, arguments: dict[str, str], error: type[Exception]
) -> None:
    """Libraries distinguish a missing optional file from a mistyped model."""
    with pytest.raises(error):
        hf_hub_download(**arguments, endpoint=url.origin, cache_dir=tmp_path)


def test_a_missing_entry_names_the_commit(http: httpx2.Client) -> None:
    """The library remembers by the commit that the file is missing."""
    missing = http.head("/voyageai/voyage-4/resolve/main/config.json")
    assert (404, "EntryNotFound") == (missing.status_code, missing.headers["x-error-code"])
    assert http.head(FILE).headers["x-repo-commit"] == missing.headers["x-repo-commit"]


def test_a_file_is_described_before_it_is_fetched(http: httpx2.Client) -> None:
    """The library first requests size, ETag and commit, and stores the file under them."""
    described, fetched = http.head(FILE), http.get(FILE)
    assert b"" == described.content
    for name in ("etag", "x-repo-commit", "content-length", "content-type"):
        assert fetched.headers[name] == described.headers[name]
    assert str(len(fetched.content)) == fetched.headers["content-length"]
    commit = fetched.headers["x-repo-commit"]
    assert 40 == len(commit)
    assert fetched.content == http.get(FILE.replace("main", commit)).content
    assert fetched.headers["x-emulator"]


@pytest.mark.parametrize("condition", ["{tag}", "W/{tag}", '"a", {tag}', "*"])
def test_a_cached_file_is_not_sent_again(http: httpx2.Client, condition: str) -> None:
    """A cache sends the ETag that it has."""
    tag = http.head(FILE).headers["etag"]
    known = http.get(FILE, headers={"if-none-match": condition.format(tag=tag)})
    assert (304, b"", tag) == (known.status_code, known.content, known.headers["etag"])
    assert 200 == http.get(FILE, headers={"if-none-match": '"a"'}).status_code


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-3", 0, 3), ("bytes=5-", 5, -1), ("bytes=7-99999999", 7, -1)],
)
def test_a_download_goes_on_where_it_stopped(
    http: httpx2.Client, asked: str, first: int, last: int
) -> None:
    """The library requests the rest after a broken connection."""
    whole = http.get(FILE).content
    last %= len(whole)
    part = http.get(FILE, headers={"range": asked})
    assert 206 == part.status_code
    assert f"bytes {first}-{last}/{len(whole)}" == part.headers["content-range"]
    assert whole[first : last + 1] == part.content


def test_a_range_that_does_not_exist_is_refused(http: httpx2.Client) -> None:
    """A range beyond the end gets a 416, and a part of another version gets the whole file."""
    size = http.head(FILE).headers["content-length"]
    beyond = http.get(FILE, headers={"range": f"bytes={size}-"})
    assert (416, f"bytes */{size}") == (beyond.status_code, beyond.headers["content-range"])
    changed = http.get(FILE, headers={"range": "bytes=1-", "if-range": '"a"'})
    assert (200, size) == (changed.status_code, changed.headers["content-length"])


@pytest.mark.parametrize(
    "path",
    [
        "../../../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/tokenizer/README.md",
        "/etc/passwd",
        "README.md",
        "__init__.py",
        "tokenizer.json/",
        "tokenizer.json%00",
    ],
)
def test_no_path_reaches_the_disk(path: str) -> None:
    """Names are looked up in the repository's list only."""
    app = create_hub(MODELS)
    response = send(app, "GET", f"http://hub/voyageai/voyage-4/resolve/main/{path}", None)
    assert 404 == response.status_code


def test_the_hub_is_no_part_of_what_is_recorded(url: Emulator, http: httpx2.Client) -> None:
    """Assertions about requests concern the API only."""
    before = len(url.requests)
    assert 200 == http.get(FILE).status_code
    assert before == len(url.requests)
