"""Fixtures shared by the tests of the spec."""

import pytest

from generator.checks import Documents, read


@pytest.fixture(scope="session")
def contracts() -> dict[str, Documents]:
    """Return the contracts of `spec/` by package, loaded once; a test must copy before changing."""
    return {documents.contract.package: documents for documents in read()}


@pytest.fixture(scope="session")
def documents(contracts: dict[str, Documents]) -> Documents:
    """Return the contract of embedding and reranking."""
    return contracts["voyageai_rest"]
