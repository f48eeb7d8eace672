from __future__ import annotations

from typing import Any

from attrs import define

from ..types import JsonModel, Shape, as_str, list_of, one_of, parsed, shape


@define(kw_only=True, repr=False)
class BatchContextualizedEmbeddingsBody(JsonModel):
    """Fields that differ from line to line of a job for /v1/contextualizedembeddings.

    Attributes:
        inputs: Documents, each a list of chunks.

    Example:
        >>> value = BatchContextualizedEmbeddingsBody.from_dict(
        ...     {"inputs": [["The river rose.", "It fell in May."]]}
        ... )
    """

    inputs: list[list[str]] | list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["inputs"] = self.inputs
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            None, inputs=parsed("inputs", one_of(list_of(list_of(as_str)), list_of(as_str)))
        )
