from __future__ import annotations

from typing import Any, Self

from attrs import define

from ..types import Model, as_fields, as_str, list_of, nothing_left, one_of, required


@define(kw_only=True, repr=False)
class BatchEmbeddingsBody(Model):
    """Fields that differ from line to line of a job for /v1/embeddings.

    Attributes:
        input: A text, or a list of texts.

    Example:
        >>> value = BatchEmbeddingsBody.from_dict({"input": ["Where are the keys?"]})
    """

    input: list[str] | str

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["input"] = self.input
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        model = cls(input=required(data, "input", one_of(list_of(as_str), as_str)))
        nothing_left(data)
        return model
