"""Responses as dictionaries whose keys are attributes, too."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, Self

__all__ = ["VoyageHttpResponse", "VoyageResponse"]


class VoyageResponse(dict[str, Any]):
    """A dictionary whose keys are attributes.

    Example:
        >>> answer = VoyageResponse.construct_from({"usage": {"total_tokens": 3}})
        >>> answer.usage.total_tokens
        3
    """

    def __init__(self, **params: Any) -> None:  # noqa: ARG002  # of the official client
        super().__init__()

    @classmethod
    def construct_from(cls, values: Any) -> Self:
        """Convert a dictionary; nested dictionaries are converted as well."""
        made = cls()
        made.refresh_from(values)
        return made

    def refresh_from(self, values: Mapping[str, Any]) -> None:
        """Replace all values."""
        self.clear()
        for key, value in values.items():
            super().__setitem__(key, _converted(value))

    def to_dict(self) -> dict[str, Any]:
        """Return a shallow copy as a plain dictionary."""
        return dict(self)

    def to_dict_recursive(self) -> dict[str, Any]:
        """Return nested plain dictionaries."""
        return {key: _plain(value) for key, value in self.items()}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            super().__setattr__(name, value)
        else:
            self[name] = value

    def __setitem__(self, key: str, value: Any) -> None:
        if value == "":
            raise ValueError(f"{key} can't be an empty string; set it to None to remove it")
        super().__setitem__(key, value)

    def __delattr__(self, name: str) -> None:
        raise NotImplementedError("del is not supported")

    def __delitem__(self, key: str) -> None:
        raise NotImplementedError("del is not supported")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).construct_from, (dict(self),)

    def __copy__(self) -> Self:
        return self.construct_from(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        made = self.__copy__()
        memo[id(self)] = made
        for key, value in self.items():
            made.update({key: copy.deepcopy(value, memo)})
        return made

    def __str__(self) -> str:
        return json.dumps(self, indent=2, default=str).replace("\x7f", "\\u007f")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {hex(id(self))}> JSON: {self}"


class VoyageHttpResponse:
    """A decoded body and the headers of a response.

    Attributes:
        data: The decoded body.
    """

    def __init__(self, data: Any, headers: Mapping[str, str]) -> None:
        self.data = data
        self._headers = headers

    @property
    def request_id(self) -> str | None:
        """The server's id of the request, for support cases."""
        return self._headers.get("x-request-id") or self._headers.get("request-id")

    @property
    def retry_after(self) -> int | None:
        """Seconds to wait, if the server sends an integer."""
        header = self._headers.get("retry-after", "")
        return int(header) if header.isdigit() else None

    @property
    def operation_location(self) -> str | None:
        """Never sent by this API."""
        return self._headers.get("operation-location")

    @property
    def organization(self) -> str | None:
        """Never sent by this API."""
        return self._headers.get("Voyage-Organization")

    @property
    def response_ms(self) -> int | None:
        """Never sent by this API."""
        header = self._headers.get("Voyage-Processing-Ms")
        return None if header is None else round(float(header))


def _converted(value: Any) -> Any:
    if isinstance(value, VoyageResponse):
        return value
    if isinstance(value, dict):
        return VoyageResponse.construct_from(value)
    if isinstance(value, list):
        return [_converted(item) for item in value]  # pyright: ignore[reportUnknownVariableType]  # anything
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, VoyageResponse):
        return value.to_dict_recursive()
    if isinstance(value, list):
        return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]  # anything
    return value
