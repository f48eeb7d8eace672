"""What all results share."""

from __future__ import annotations

from typing import Any


class Result:
    """What all results share."""

    # Of the class, so that what the official client pickled has them too.
    total_tokens: int = 0
    model: str | None = None
    request_id: str | None = None
    usage: Any = None

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
