"""Facts that the contract must state, whatever else changes in it."""

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
    """An operation lost in an edit would silently disappear from the client."""
    found = {
        (operation["id"], operation["method"], operation["path"])
        for operation in contract.operations(documents.openapi)
    }
    assert OPERATIONS <= found


def test_every_known_host_is_there(documents: Documents) -> None:
    """The client chooses its base URL by these names."""
    found = {server["name"]: server["url"] for server in contract.servers(documents.openapi)}
    assert HOSTS.items() <= found.items()


def test_files_and_batches_are_on_one_host(documents: Documents) -> None:
    """The vendor documents files and batches for its own host only."""
    found = {
        operation["tag"]: operation["servers"]
        for operation in contract.operations(documents.openapi)
    }
    everywhere = tuple(server["name"] for server in contract.servers(documents.openapi))
    assert [("voyage",)] * 2 == [found["files"], found["batches"]]
    assert [everywhere] * 2 == [found["embeddings"], found["reranking"]]


def test_keys_of_a_host_are_recognized_by_their_prefix(documents: Documents) -> None:
    """A key sent to the wrong host is refused, and the refusal does not say why."""
    prefixes = {
        server["name"]: server["key_prefix"] for server in contract.servers(documents.openapi)
    }
    known = {"voyage": None, "atlas": "al-", "us": "al-us-", "eu": "al-eu-"}
    assert known.items() <= prefixes.items()


def test_a_prefix_that_no_page_states_is_marked_as_inferred(documents: Documents) -> None:
    """If keys of the United States have another prefix, this inferred fact needs correction."""
    sources = {server["x-name"]: server["x-source"] for server in documents.openapi["servers"]}
    inferred = [name for name, source in sources.items() if "inferred" in str(source)]
    assert ["us"] == inferred


def test_only_voyage_s_own_host_takes_null(documents: Documents) -> None:
    """Atlas's definition has no null for these arguments since September 2026."""
    schemas = documents.openapi["components"]["schemas"]
    found = {
        (schema, name): node["x-null"]
        for schema, body in schemas.items()
        for name, node in body.get("properties", {}).items()
        if "x-null" in node
    }
    bodies = [name for name in schemas if name.endswith("EmbeddingsRequest")]
    expected = [(body, name) for body in bodies for name in ("input_type", "encoding_format")]
    assert {key: ["voyage"] for key in expected} == found


def test_rerankers_of_today_have_rate_limits(documents: Documents) -> None:
    """Without a limit of its own, a reranker would be held to the lowest limit of any model."""
    models = documents.catalogue["models"]
    limits = {
        name: (models[name]["tpm"], models[name]["rpm"]) for name in ("rerank-3", "rerank-3-lite")
    }
    assert {"rerank-3": (2_000_000, 2_000), "rerank-3-lite": (4_000_000, 2_000)} == limits


def test_vectors_of_different_models_are_not_compared_but_in_one_series(
    documents: Documents,
) -> None:
    """The vendor's migration guide says so; mixing spaces gives search results that are noise."""
    models = documents.catalogue["models"]
    spaces: dict[str, set[str]] = {}
    for name, model in models.items():
        if "embedding_space" in model:
            spaces.setdefault(model["embedding_space"], set()).add(name)
    series = {"voyage-4-large", "voyage-4", "voyage-4-lite", "voyage-4-nano"}
    assert series <= spaces["voyage-4"]
    # No earlier model shares a space with another.
    first = models["voyage-4"]["released"]
    shared = {name for names in spaces.values() if len(names) > 1 for name in names}
    assert set() == {name for name in shared if models[name].get("released", "") < first}
