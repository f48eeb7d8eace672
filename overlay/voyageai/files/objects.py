"""Files as users see them."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import field, frozen
from voyageai_rest import models
from voyageai_rest.errors import printable
from voyageai_rest.types import Unset

from .._utils import safe_repr

if TYPE_CHECKING:
    from voyageai_rest.models import FilePurpose

T = TypeVar("T")

# One segment of a path, whatever gateways make of it. No id comes near the length.
ID = re.compile(r"(?!\.{1,2}$)[!-.0-\[\]-~]{1,512}")


@frozen(kw_only=True, repr=False)
class FileObject:
    """A stored file.

    Attributes:
        id: Its id.
        bytes: Its size in bytes.
        created_at: When it was stored, with a time zone.
        expires_at: When it is removed, with a time zone; None if the server does not say.
        filename: Its name.
        purpose: What it is for: `batch`, `batch-output`, `batch-error`, or what is new since.
        request_id: What the server calls the request that gave it; None for those of a list.

    Example:
        >>> file = vo.files.upload(b'{"custom_id": "a", "body": {"input": "Rain."}}')
        >>> file.purpose, file.bytes, file.expires_at > file.created_at
        ('batch', 46, True)
    """

    id: str
    bytes: int
    created_at: datetime.datetime
    expires_at: datetime.datetime | None
    filename: str
    purpose: FilePurpose | str
    request_id: str | None = field(default=None, eq=False)
    _model: models.FileObject = field(eq=False, alias="model")

    @classmethod
    def of(cls, model: models.FileObject, request_id: str | None = None) -> Self:
        """The file that an answer describes."""
        expires_at = given(model.expires_at)
        return cls(
            id=model.id,
            bytes=model.bytes,
            created_at=aware(model.created_at),
            expires_at=None if expires_at is None else aware(expires_at),
            filename=model.filename,
            purpose=model.purpose,
            request_id=request_id,
            model=model,
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The file in decoded JSON, as `to_dict` gives it.

        Raises:
            voyageai_rest.errors.ShapeError: It is none; a ValueError.
        """
        return cls.of(models.FileObject.from_dict(data))

    def to_dict(self) -> dict[str, Any]:
        """The file as JSON has it, with fields that this release does not know."""
        return self._model.to_dict()

    @safe_repr
    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.id!r}, {self.filename!r}, {self.bytes} bytes, "
            f"{printable(self.purpose)})"
        )


def is_id(id: object) -> bool:
    """Whether something can be the id of a file or a batch."""
    return isinstance(id, str) and ID.fullmatch(id) is not None


def given(value: T | Unset) -> T | None:
    """None for what the server left out."""
    return None if isinstance(value, Unset) else value


def aware(moment: datetime.datetime) -> datetime.datetime:
    """A time with its zone; the API's is UTC, should it once not say so."""
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
