from __future__ import annotations

from typing import Any, Self

from attrs import define

from ..types import Model, as_fields, as_str, list_of, nothing_left, one_of, required


@define(kw_only=True, repr=False)
class BatchContextualizedEmbeddingsBody(Model):
    """Fields that differ from line to line of a job for /v1/contextualizedembeddings.

    Attributes:
        inputs: Documents, each a list of its chunks.

    Example:
        >>> value = BatchContextualizedEmbeddingsBody.from_dict(
        ...     {"inputs": [["The river rose.", "It fell in May."]]}
        ... )
    """

    inputs: list[list[str]] | list[str]

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["inputs"] = self.inputs
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        model = cls(
            inputs=required(data, "inputs", one_of(list_of(list_of(as_str)), list_of(as_str)))
        )
        nothing_left(data)
        return model
