"""The operations and hosts of the API, as data."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Operation:
    """An operation of the API.

    Attributes:
        id: The `operationId` in the contract.
        method: HTTP method.
        path: Path below the base URL, with `{name}` for parameters.
        tag: Tag of the operation, which groups operations.
        servers: Names of the hosts that serve the operation.
        module: Name of the operation's module below `voyageai_rest.api`.
        request: Name of the schema of the request body; None without a body.
    """

    id: str
    method: str
    path: str
    tag: str
    servers: tuple[str, ...]
    module: str
    request: str | None


@frozen(kw_only=True)
class Server:
    """A host of the API.

    Attributes:
        name: Short name.
        url: Base URL.
        platform: The entry in `platforms` of the models that this host serves.
        key_prefix: Prefix of this host's API keys; None if the keys have no prefix of their own.
    """

    name: str
    url: str
    platform: str
    key_prefix: str | None


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="createEmbeddings",
        method="POST",
        path="/embeddings",
        tag="embeddings",
        servers=("voyage", "atlas", "us", "eu"),
        module="embeddings.create_embeddings",
        request="EmbeddingsRequest",
    ),
    Operation(
        id="createContextualizedEmbeddings",
        method="POST",
        path="/contextualizedembeddings",
        tag="embeddings",
        servers=("voyage", "atlas", "us", "eu"),
        module="embeddings.create_contextualized_embeddings",
        request="ContextualizedEmbeddingsRequest",
    ),
    Operation(
        id="createMultimodalEmbeddings",
        method="POST",
        path="/multimodalembeddings",
        tag="embeddings",
        servers=("voyage", "atlas", "us", "eu"),
        module="embeddings.create_multimodal_embeddings",
        request="MultimodalEmbeddingsRequest",
    ),
    Operation(
        id="rerank",
        method="POST",
        path="/rerank",
        tag="reranking",
        servers=("voyage", "atlas", "us", "eu"),
        module="reranking.rerank",
        request="RerankRequest",
    ),
    Operation(
        id="listFiles",
        method="GET",
        path="/files",
        tag="files",
        servers=("voyage",),
        module="files.list_files",
        request=None,
    ),
    Operation(
        id="uploadFile",
        method="POST",
        path="/files",
        tag="files",
        servers=("voyage",),
        module="files.upload_file",
        request="UploadFileRequest",
    ),
    Operation(
        id="deleteFiles",
        method="POST",
        path="/files/delete",
        tag="files",
        servers=("voyage",),
        module="files.delete_files",
        request="DeleteFilesRequest",
    ),
    Operation(
        id="retrieveFile",
        method="GET",
        path="/files/{file_id}",
        tag="files",
        servers=("voyage",),
        module="files.retrieve_file",
        request=None,
    ),
    Operation(
        id="deleteFile",
        method="DELETE",
        path="/files/{file_id}",
        tag="files",
        servers=("voyage",),
        module="files.delete_file",
        request=None,
    ),
    Operation(
        id="retrieveFileContent",
        method="GET",
        path="/files/{file_id}/content",
        tag="files",
        servers=("voyage",),
        module="files.retrieve_file_content",
        request=None,
    ),
    Operation(
        id="listBatches",
        method="GET",
        path="/batches",
        tag="batches",
        servers=("voyage",),
        module="batches.list_batches",
        request=None,
    ),
    Operation(
        id="createBatch",
        method="POST",
        path="/batches",
        tag="batches",
        servers=("voyage",),
        module="batches.create_batch",
        request="CreateBatchRequest",
    ),
    Operation(
        id="retrieveBatch",
        method="GET",
        path="/batches/{batch_id}",
        tag="batches",
        servers=("voyage",),
        module="batches.retrieve_batch",
        request=None,
    ),
    Operation(
        id="cancelBatch",
        method="POST",
        path="/batches/{batch_id}/cancel",
        tag="batches",
        servers=("voyage",),
        module="batches.cancel_batch",
        request=None,
    ),
)

SERVERS: tuple[Server, ...] = (
    Server(name="voyage", url="https://api.voyageai.com/v1", platform="voyage", key_prefix=None),
    Server(name="atlas", url="https://ai.mongodb.com/v1", platform="atlas", key_prefix="al-"),
    Server(
        name="us", url="https://us.ai.mongodb.com/v1", platform="geography", key_prefix="al-us-"
    ),
    Server(
        name="eu", url="https://eu.ai.mongodb.com/v1", platform="geography", key_prefix="al-eu-"
    ),
)
