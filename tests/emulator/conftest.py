"""An emulator shared by all tests, and a client that checks responses against the contract."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from voyageai_emulator import running

from tests.emulator.contract_client import ContractClient


@pytest.fixture(scope="package", autouse=True)
def no_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Use an empty folder of certificates: tests use plain HTTP, and loading real ones is slow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("certificates")))
        yield


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """Base URL of a running emulator."""
    with running() as url:
        yield url


@pytest.fixture(scope="session")
def ask(url: str) -> Iterator[ContractClient]:
    """A client that posts requests to the emulator, with a key by default."""
    with httpx2.Client(base_url=url, timeout=30) as http:
        yield ContractClient(http)
