"""The models of requests and responses. Each is imported when it is first accessed."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .batch import Batch as Batch
    from .batch_contextualized_embeddings_body import (
        BatchContextualizedEmbeddingsBody as BatchContextualizedEmbeddingsBody,
    )
    from .batch_contextualized_embeddings_params import (
        BatchContextualizedEmbeddingsParams as BatchContextualizedEmbeddingsParams,
    )
    from .batch_embeddings_body import BatchEmbeddingsBody as BatchEmbeddingsBody
    from .batch_embeddings_params import BatchEmbeddingsParams as BatchEmbeddingsParams
    from .batch_endpoint import BatchEndpoint as BatchEndpoint
    from .batch_error import BatchError as BatchError
    from .batch_errors import BatchErrors as BatchErrors
    from .batch_input_line import BatchInputLine as BatchInputLine
    from .batch_line_answer import BatchLineAnswer as BatchLineAnswer
    from .batch_line_error import BatchLineError as BatchLineError
    from .batch_line_response import BatchLineResponse as BatchLineResponse
    from .batch_list import BatchList as BatchList
    from .batch_metadata import BatchMetadata as BatchMetadata
    from .batch_output_line import BatchOutputLine as BatchOutputLine
    from .batch_request_counts import BatchRequestCounts as BatchRequestCounts
    from .batch_rerank_body import BatchRerankBody as BatchRerankBody
    from .batch_rerank_params import BatchRerankParams as BatchRerankParams
    from .batch_status import BatchStatus as BatchStatus
    from .chunk_embedding import ChunkEmbedding as ChunkEmbedding
    from .completion_window import CompletionWindow as CompletionWindow
    from .contextualized_embeddings_request import (
        ContextualizedEmbeddingsRequest as ContextualizedEmbeddingsRequest,
    )
    from .contextualized_embeddings_response import (
        ContextualizedEmbeddingsResponse as ContextualizedEmbeddingsResponse,
    )
    from .create_batch_request import CreateBatchRequest as CreateBatchRequest
    from .delete_files_request import DeleteFilesRequest as DeleteFilesRequest
    from .delete_files_response import DeleteFilesResponse as DeleteFilesResponse
    from .deleted_file import DeletedFile as DeletedFile
    from .document_embeddings import DocumentEmbeddings as DocumentEmbeddings
    from .embedding import Embedding as Embedding
    from .embeddings_request import EmbeddingsRequest as EmbeddingsRequest
    from .embeddings_response import EmbeddingsResponse as EmbeddingsResponse
    from .encoding_format import EncodingFormat as EncodingFormat
    from .error import Error as Error
    from .file_list import FileList as FileList
    from .file_object import FileObject as FileObject
    from .file_purpose import FilePurpose as FilePurpose
    from .image_base_64_content import ImageBase64Content as ImageBase64Content
    from .image_url_content import ImageUrlContent as ImageUrlContent
    from .input_type import InputType as InputType
    from .multimodal_embeddings_request import (
        MultimodalEmbeddingsRequest as MultimodalEmbeddingsRequest,
    )
    from .multimodal_embeddings_response import (
        MultimodalEmbeddingsResponse as MultimodalEmbeddingsResponse,
    )
    from .multimodal_input import MultimodalInput as MultimodalInput
    from .multimodal_usage import MultimodalUsage as MultimodalUsage
    from .output_dtype import OutputDtype as OutputDtype
    from .rerank_request import RerankRequest as RerankRequest
    from .rerank_response import RerankResponse as RerankResponse
    from .rerank_result import RerankResult as RerankResult
    from .sort_order import SortOrder as SortOrder
    from .text_content import TextContent as TextContent
    from .token_usage import TokenUsage as TokenUsage
    from .upload_file_request import UploadFileRequest as UploadFileRequest
    from .upload_purpose import UploadPurpose as UploadPurpose
    from .video_base_64_content import VideoBase64Content as VideoBase64Content
    from .video_url_content import VideoUrlContent as VideoUrlContent

_MODULES = {
    "Batch": ".batch",
    "BatchContextualizedEmbeddingsBody": ".batch_contextualized_embeddings_body",
    "BatchContextualizedEmbeddingsParams": ".batch_contextualized_embeddings_params",
    "BatchEmbeddingsBody": ".batch_embeddings_body",
    "BatchEmbeddingsParams": ".batch_embeddings_params",
    "BatchEndpoint": ".batch_endpoint",
    "BatchError": ".batch_error",
    "BatchErrors": ".batch_errors",
    "BatchInputLine": ".batch_input_line",
    "BatchLineAnswer": ".batch_line_answer",
    "BatchLineError": ".batch_line_error",
    "BatchLineResponse": ".batch_line_response",
    "BatchList": ".batch_list",
    "BatchMetadata": ".batch_metadata",
    "BatchOutputLine": ".batch_output_line",
    "BatchRequestCounts": ".batch_request_counts",
    "BatchRerankBody": ".batch_rerank_body",
    "BatchRerankParams": ".batch_rerank_params",
    "BatchStatus": ".batch_status",
    "ChunkEmbedding": ".chunk_embedding",
    "CompletionWindow": ".completion_window",
    "ContextualizedEmbeddingsRequest": ".contextualized_embeddings_request",
    "ContextualizedEmbeddingsResponse": ".contextualized_embeddings_response",
    "CreateBatchRequest": ".create_batch_request",
    "DeleteFilesRequest": ".delete_files_request",
    "DeleteFilesResponse": ".delete_files_response",
    "DeletedFile": ".deleted_file",
    "DocumentEmbeddings": ".document_embeddings",
    "Embedding": ".embedding",
    "EmbeddingsRequest": ".embeddings_request",
    "EmbeddingsResponse": ".embeddings_response",
    "EncodingFormat": ".encoding_format",
    "Error": ".error",
    "FileList": ".file_list",
    "FileObject": ".file_object",
    "FilePurpose": ".file_purpose",
    "ImageBase64Content": ".image_base_64_content",
    "ImageUrlContent": ".image_url_content",
    "InputType": ".input_type",
    "MultimodalEmbeddingsRequest": ".multimodal_embeddings_request",
    "MultimodalEmbeddingsResponse": ".multimodal_embeddings_response",
    "MultimodalInput": ".multimodal_input",
    "MultimodalUsage": ".multimodal_usage",
    "OutputDtype": ".output_dtype",
    "RerankRequest": ".rerank_request",
    "RerankResponse": ".rerank_response",
    "RerankResult": ".rerank_result",
    "SortOrder": ".sort_order",
    "TextContent": ".text_content",
    "TokenUsage": ".token_usage",
    "UploadFileRequest": ".upload_file_request",
    "UploadPurpose": ".upload_purpose",
    "VideoBase64Content": ".video_base_64_content",
    "VideoUrlContent": ".video_url_content",
}

__all__ = (
    "Batch",
    "BatchContextualizedEmbeddingsBody",
    "BatchContextualizedEmbeddingsParams",
    "BatchEmbeddingsBody",
    "BatchEmbeddingsParams",
    "BatchEndpoint",
    "BatchError",
    "BatchErrors",
    "BatchInputLine",
    "BatchLineAnswer",
    "BatchLineError",
    "BatchLineResponse",
    "BatchList",
    "BatchMetadata",
    "BatchOutputLine",
    "BatchRequestCounts",
    "BatchRerankBody",
    "BatchRerankParams",
    "BatchStatus",
    "ChunkEmbedding",
    "CompletionWindow",
    "ContextualizedEmbeddingsRequest",
    "ContextualizedEmbeddingsResponse",
    "CreateBatchRequest",
    "DeletedFile",
    "DeleteFilesRequest",
    "DeleteFilesResponse",
    "DocumentEmbeddings",
    "Embedding",
    "EmbeddingsRequest",
    "EmbeddingsResponse",
    "EncodingFormat",
    "Error",
    "FileList",
    "FileObject",
    "FilePurpose",
    "ImageBase64Content",
    "ImageUrlContent",
    "InputType",
    "MultimodalEmbeddingsRequest",
    "MultimodalEmbeddingsResponse",
    "MultimodalInput",
    "MultimodalUsage",
    "OutputDtype",
    "RerankRequest",
    "RerankResponse",
    "RerankResult",
    "SortOrder",
    "TextContent",
    "TokenUsage",
    "UploadFileRequest",
    "UploadPurpose",
    "VideoBase64Content",
    "VideoUrlContent",
)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
