from __future__ import annotations

from typing import Any

from attrs import define

from ..types import JsonModel, Shape, as_str, list_of, one_of, parsed, shape


@define(kw_only=True, repr=False)
class BatchEmbeddingsBody(JsonModel):
    """Fields that differ from line to line of a job for /v1/embeddings.

    Attributes:
        input: A text, or a list of texts.

    Example:
        >>> value = BatchEmbeddingsBody.from_dict({"input": ["Where are the keys?"]})
    """

    input: list[str] | str

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["input"] = self.input
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(None, input=parsed("input", one_of(list_of(as_str), as_str)))
