from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any

from attrs import define

from ..types import (
    UNSET,
    JsonModel,
    Shape,
    Unset,
    as_str,
    list_of,
    one_of,
    optional,
    parsed,
    plain,
    shape,
)

if TYPE_CHECKING:
    from ..models.encoding_format import EncodingFormat
    from ..models.input_type import InputType
    from ..models.output_dtype import OutputDtype


@define(kw_only=True, repr=False)
class ContextualizedEmbeddingsRequest(JsonModel):
    """Documents to embed, each a list of chunks.

    Attributes:
        inputs: A list of documents, each a list of its chunks in order. With `input_type`
            query, each inner list holds one query. With auto-chunking, each inner list holds one
            whole document. In these two cases, a flat list of texts is accepted too. The model
            limits the tokens of each inner list, and the total number of tokens and of chunks.
        model: Name of a contextualized embedding model.
        input_type: Purpose of the texts. With auto-chunking it must be `document`. The server's
            default is null.
        output_dimension: Dimension of the vectors, one of the model's. If unset, the model's
            default. The server's default is null.
        output_dtype: Type of the vectors' numbers. The server's default is float.
        encoding_format: Encoding of the vectors. If unset, lists of numbers. The server's
            default is null.
        enable_auto_chunking: Split each document into chunks on the server. The server's
            default is false.
        chunk_size: Maximum number of tokens per chunk. Only with auto-chunking. The server's
            default is 512.
        chunk_overlap: Number of tokens shared by adjacent chunks, less than `chunk_size`. Only
            with auto-chunking. The server's default is 0.

    Example:
        >>> value = ContextualizedEmbeddingsRequest.from_dict(
        ...     {
        ...         "inputs": [["The river rose.", "It fell in May."], ["Snow came early."]],
        ...         "model": "voyage-context-4",
        ...         "input_type": "document",
        ...     }
        ... )
    """

    inputs: list[list[str]] | list[str]
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
        data["inputs"] = self.inputs
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
            inputs=parsed("inputs", one_of(list_of(list_of(as_str)), list_of(as_str))),
            model=plain("model", str),
            input_type=optional(plain("input_type", str, NoneType)),
            output_dimension=optional(plain("output_dimension", int, NoneType)),
            output_dtype=optional(plain("output_dtype", str, NoneType)),
            encoding_format=optional(plain("encoding_format", str, NoneType)),
            enable_auto_chunking=optional(plain("enable_auto_chunking", bool)),
            chunk_size=optional(plain("chunk_size", int)),
            chunk_overlap=optional(plain("chunk_overlap", int)),
        )
