"""What the contract must hold, whatever else is changed in it."""

from generator import contract
from generator.checks import Documents

OPERATIONS = {
    ("createEmbeddings", "POST", "/embeddings"),
    ("createContextualizedEmbeddings", "POST", "/contextualizedembeddings"),
    ("createMultimodalEmbeddings", "POST", "/multimodalembeddings"),
    ("rerank", "POST", "/rerank"),
    ("uploadFile", "POST", "/files"),
    ("listFiles", "GET", "/files"),
    ("retrieveFile", "GET", "/files/{file_id}"),
    ("retrieveFileContent", "GET", "/files/{file_id}/content"),
    ("deleteFile", "DELETE", "/files/{file_id}"),
    ("deleteFiles", "POST", "/files/delete"),
    ("createBatch", "POST", "/batches"),
    ("listBatches", "GET", "/batches"),
    ("retrieveBatch", "GET", "/batches/{batch_id}"),
    ("cancelBatch", "POST", "/batches/{batch_id}/cancel"),
}
HOSTS = {
    "voyage": "https://api.voyageai.com/v1",
    "atlas": "https://ai.mongodb.com/v1",
    "us": "https://us.ai.mongodb.com/v1",
    "eu": "https://eu.ai.mongodb.com/v1",
}


def test_every_known_operation_is_there(documents: Documents) -> None:
    """An operation that is lost in an edit would be lost from the client without a word."""
    found = {
        (operation["id"], operation["method"], operation["path"])
        for operation in contract.operations(documents.openapi)
    }
    assert OPERATIONS <= found


def test_every_known_host_is_there(documents: Documents) -> None:
    """The client finds its host by these names."""
    found = {server["name"]: server["url"] for server in contract.servers(documents.openapi)}
    assert HOSTS == found


def test_files_and_batches_are_on_one_host(documents: Documents) -> None:
    """No page of the vendor's says that the others have them."""
    found = {
        operation["tag"]: operation["servers"]
        for operation in contract.operations(documents.openapi)
    }
    everywhere = tuple(HOSTS)
    assert {
        "embeddings": everywhere,
        "reranking": everywhere,
        "files": ("voyage",),
        "batches": ("voyage",),
    } == found


def test_keys_of_atlas_are_told_by_their_prefix(documents: Documents) -> None:
    """A key sent to the wrong host is refused, and the refusal does not say why."""
    prefixes = {
        server["name"]: server["key_prefix"] for server in contract.servers(documents.openapi)
    }
    assert {"voyage": None, "atlas": "al-", "us": None, "eu": None} == prefixes
