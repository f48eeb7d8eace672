from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any

from attrs import define

from ..types import UNSET, JsonModel, Shape, Unset, list_of, optional, parsed, plain, shape, to_json

if TYPE_CHECKING:
    from ..models.encoding_format import EncodingFormat
    from ..models.input_type import InputType
    from ..models.multimodal_input import MultimodalInput
    from ..models.output_dtype import OutputDtype


@define(kw_only=True, repr=False)
class MultimodalEmbeddingsRequest(JsonModel):
    """Sequences of texts, images and videos to embed.

    Attributes:
        inputs: The inputs. The model limits the tokens of each input and of all inputs
            together.
        model: Name of a multimodal embedding model.
        input_type: Purpose of the inputs. If unset, no prompt is prepended. The server's
            default is null.
        truncation: Truncate inputs that exceed the context length. An image that does not fit
            is dropped as a whole. If false, such inputs are an error. The server's default is true.
        output_dimension: Dimension of the vectors, one of the model's. If unset, the model's
            default. The server's default is null.
        output_dtype: Type of the vectors' numbers. The server's default is float.
        encoding_format: Encoding of the vectors. If unset, lists of numbers. The server's
            default is null.

    Example:
        >>> value = MultimodalEmbeddingsRequest.from_dict(
        ...     {
        ...         "inputs": [{"content": [{"type": "text", "text": "A banana."}]}],
        ...         "model": "voyage-multimodal-3.5",
        ...         "input_type": "document",
        ...     }
        ... )
    """

    inputs: list[MultimodalInput]
    model: str
    input_type: InputType | None | Unset = UNSET
    truncation: bool | Unset = UNSET
    output_dimension: int | None | Unset = UNSET
    output_dtype: None | OutputDtype | Unset = UNSET
    encoding_format: EncodingFormat | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["inputs"] = to_json(self.inputs)
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
        from ..models.multimodal_input import MultimodalInput

        return shape(
            None,
            inputs=parsed("inputs", list_of(MultimodalInput.from_dict)),
            model=plain("model", str),
            input_type=optional(plain("input_type", str, NoneType)),
            truncation=optional(plain("truncation", bool)),
            output_dimension=optional(plain("output_dimension", int, NoneType)),
            output_dtype=optional(plain("output_dtype", str, NoneType)),
            encoding_format=optional(plain("encoding_format", str, NoneType)),
        )
