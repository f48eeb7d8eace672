from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any

from attrs import define

from ..types import UNSET, JsonModel, Shape, Unset, optional, plain, shape

if TYPE_CHECKING:
    from ..models.encoding_format import EncodingFormat
    from ..models.input_type import InputType
    from ..models.output_dtype import OutputDtype


@define(kw_only=True, repr=False)
class BatchContextualizedEmbeddingsParams(JsonModel):
    """Arguments of /v1/contextualizedembeddings that all lines of a job share.

    Attributes:
        model: Name of a contextualized embedding model.
        input_type: Purpose of the texts. The server's default is null.
        output_dimension: Dimension of the vectors. The server's default is null.
        output_dtype: Type of the vectors' numbers. The server's default is float.
        encoding_format: Encoding of the vectors. The server's default is null.
        enable_auto_chunking: Split documents into chunks on the server. The server's default is
            false.
        chunk_size: Maximum tokens per chunk. The server's default is 512.
        chunk_overlap: Number of tokens shared by adjacent chunks. The server's default is 0.

    Example:
        >>> value = BatchContextualizedEmbeddingsParams.from_dict(
        ...     {"model": "voyage-context-3", "input_type": "document"}
        ... )
    """

    model: str
    input_type: InputType | None | Unset = UNSET
    output_dimension: int | None | Unset = UNSET
    output_dtype: None | OutputDtype | Unset = UNSET
    encoding_format: EncodingFormat | None | Unset = UNSET
    enable_auto_chunking: bool | Unset = UNSET
    chunk_size: int | Unset = UNSET
    chunk_overlap: int | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["model"] = self.model
        if self.input_type is not UNSET:
            data["input_type"] = self.input_type
        if self.output_dimension is not UNSET:
            data["output_dimension"] = self.output_dimension
        if self.output_dtype is not UNSET:
            data["output_dtype"] = self.output_dtype
        if self.encoding_format is not UNSET:
            data["encoding_format"] = self.encoding_format
        if self.enable_auto_chunking is not UNSET:
            data["enable_auto_chunking"] = self.enable_auto_chunking
        if self.chunk_size is not UNSET:
            data["chunk_size"] = self.chunk_size
        if self.chunk_overlap is not UNSET:
            data["chunk_overlap"] = self.chunk_overlap
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            None,
            model=plain("model", str),
            input_type=optional(plain("input_type", str, NoneType)),
            output_dimension=optional(plain("output_dimension", int, NoneType)),
            output_dtype=optional(plain("output_dtype", str, NoneType)),
            encoding_format=optional(plain("encoding_format", str, NoneType)),
            enable_auto_chunking=optional(plain("enable_auto_chunking", bool)),
            chunk_size=optional(plain("chunk_size", int)),
            chunk_overlap=optional(plain("chunk_overlap", int)),
        )
