"""What all results share."""

from __future__ import annotations

from typing import Any


class Result:
    """What all results share."""

    total_tokens: int
    model: str | None
    request_id: str | None
    usage: Any

    def __init__(self) -> None:
        self.total_tokens = 0
        self.model = None
        self.request_id = None
        self.usage = None

    def _account(self, response: Any) -> None:
        self.usage = response.usage
        self.total_tokens += response.usage.total_tokens
        model = getattr(response, "model", None)
        self.model = model if isinstance(model, str) else self.model

    def _origin(self) -> str:
        return f"model={self.model!r}, total_tokens={self.total_tokens}"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._content() == other._content()

    __hash__ = None  # type: ignore[assignment]  # results can be changed

    def _content(self) -> tuple[Any, ...]:
        raise NotImplementedError("each result says what it is compared by")
