"""One emulator for all tests, and a way to ask it that checks every answer against the contract."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from voyageai_emulator import running

from tests.emulator.contract_client import ContractClient


@pytest.fixture(scope="package", autouse=True)
def no_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Trust nobody: all is plain HTTP, and reading the system's takes as long as ten requests."""
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
    """Posts to it, with a key unless told otherwise."""
    with httpx2.Client(base_url=url, timeout=30) as http:
        yield ContractClient(http)
