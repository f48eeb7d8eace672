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
class EmbeddingsRequest(JsonModel):
    """Texts to embed.

    Attributes:
        input: A text, or a list of texts. The model also limits the total number of tokens.
        model: Name of a text embedding model.
        input_type: Purpose of the texts. If unset, no prompt is prepended. Set it for
            retrieval. The server's default is null.
        truncation: Truncate texts that exceed the context length. If false, such texts are an
            error. The server's default is true.
        output_dimension: Dimension of the vectors, one of the model's. If unset, the model's
            default. The server's default is null.
        output_dtype: Type of the vectors' numbers. The server's default is float.
        encoding_format: Encoding of the vectors. If unset, lists of numbers. The server's
            default is null.

    Example:
        >>> value = EmbeddingsRequest.from_dict(
        ...     {"input": ["Where are the keys?", "On the table."], "model": "voyage-4"}
        ... )
    """

    input: list[str] | str
    model: str
    input_type: InputType | None | Unset = UNSET
    truncation: bool | Unset = UNSET
    output_dimension: int | None | Unset = UNSET
    output_dtype: None | OutputDtype | Unset = UNSET
    encoding_format: EncodingFormat | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["input"] = self.input
        data["model"] = self.model
        if self.input_type is not UNSET:
            data["input_type"] = self.input_type
        if self.truncation is not UNSET:
            data["truncation"] = self.truncation
        if self.output_dimension is not UNSET:
            data["output_dimension"] = self.output_dimension
        if self.output_dtype is not UNSET:
            data["output_dtype"] = self.output_dtype
        if self.encoding_format is not UNSET:
            data["encoding_format"] = self.encoding_format
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            None,
            input=parsed("input", one_of(list_of(as_str), as_str)),
            model=plain("model", str),
            input_type=optional(plain("input_type", str, NoneType)),
            truncation=optional(plain("truncation", bool)),
            output_dimension=optional(plain("output_dimension", int, NoneType)),
            output_dtype=optional(plain("output_dtype", str, NoneType)),
            encoding_format=optional(plain("encoding_format", str, NoneType)),
        )
