"""Lines of batch files: names, sizes and JSON.

A line's `custom_id` is `JOB-FIRST-LAST-DIGEST`, such as

    9f2c4e81a6b07d35-000000100-000000199-5d41402a

the job's id, the first and the last row of the line (from 0, over the whole job), and the beginning
of a digest of the line's content. It is the same whenever the line is sent, so that a response to
another job, or to another content, is recognized.

A batch carries the job's id and its own number in its metadata, and its file in its name. By these
an interrupted job finds the batches and files that it has already made.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Bin",
    "LineName",
    "Size",
    "batch_metadata",
    "dumps",
    "is_batch_of",
    "line_digest",
    "loads",
    "new_job_id",
    "upload_name",
]

JOB, NUMBER = "voyageai_job", "voyageai_batch"
HEAD = 128
"""Bytes at the beginning of a line in which its name is found."""
PATTERN = re.compile(r"([0-9a-f]{16})-(\d{9,})-(\d{9,})-([0-9a-f]{8})")


class LineName(NamedTuple):
    """A parsed `custom_id`.

    Attributes:
        job: Id of the job.
        first: Number of the first row of the line.
        last: Number of the last row of the line.
        digest: Beginning of the digest of the line's content.
    """

    job: str
    first: int
    last: int
    digest: str

    @classmethod
    def parse(cls, custom_id: str) -> LineName | None:
        """Parse a `custom_id`; return None if it is not one of a job.

        Example:
            >>> LineName.parse("9f2c4e81a6b07d35-000000100-000000199-5d41402a").first
            100
        """
        match = PATTERN.fullmatch(custom_id)
        if match is None:
            return None
        job, first, last, digest = match.groups()
        return cls(job, int(first), int(last), digest)

    @classmethod
    def find(cls, line: bytes) -> LineName | None:
        """Find the name of a line without parsing its JSON; return None if there is none."""
        match = PATTERN.search(line[:HEAD].decode("ascii", "replace"))
        return None if match is None else cls.parse(match.group())

    def __str__(self) -> str:
        return f"{self.job}-{self.first:09d}-{self.last:09d}-{self.digest}"


def new_job_id() -> str:
    """Return a unique id: 16 random hexadecimal digits."""
    return secrets.token_hex(8)


def line_digest(content: bytes) -> str:
    """Return the digest of a line's content, shortened to 8 digits for the line's name."""
    return hashlib.sha256(content).hexdigest()[:8]


def upload_name(job: str, number: int) -> str:
    """Return the name under which a batch's file is uploaded."""
    return f"voyageai-{job}-{number:04d}.jsonl"


def batch_metadata(job: str, number: int) -> dict[str, str]:
    """Return the metadata that a job's batch is created with."""
    return {JOB: job, NUMBER: str(number)}


def is_batch_of(metadata: Mapping[str, str], job: str, number: int) -> bool:
    """Return whether metadata names a batch of a job, perhaps among other pairs."""
    return batch_metadata(job, number).items() <= metadata.items()


def dumps(value: Any) -> bytes:
    """Encode a value as one line of readable JSON."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def loads(line: bytes) -> Any:
    """Parse a line of JSON.

    Raises:
        ValueError: The line is not JSON, or is nested too deeply.
    """
    try:
        return json.loads(line)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


class Size(NamedTuple):
    """The size of a row, a line or a batch, in each unit that has a limit.

    Attributes:
        rows: Number of texts, of documents, or of queries with their documents.
        inputs: Number of texts or documents, as the limit of batches counts them.
        tokens: Tokens, estimated or counted.
        most_tokens: Most tokens that can be billed.
        chunks: Number of chunks of documents; 0 for other rows.
        bytes: Bytes of lines.
    """

    rows: int = 0
    inputs: int = 0
    tokens: int = 0
    most_tokens: int = 0
    chunks: int = 0
    bytes: int = 0


class Bin:
    """A line that is filled with rows, or a batch that is filled with lines, up to the limits.

    Args:
        limits: Maximum of each field of `Size`; a field that is None or left out has no limit.

    Attributes:
        size: Size of the content.
    """

    def __init__(self, **limits: int | None) -> None:
        self._limits = [
            (Size._fields.index(name), maximum)
            for name, maximum in limits.items()
            if maximum is not None
        ]
        self.size = Size()

    def fits(self, added: Size) -> bool:
        """Return whether an addition fits; anything fits into an empty bin."""
        size = self.size
        return not size.rows or all(size[at] + added[at] <= maximum for at, maximum in self._limits)

    def add(self, added: Size) -> None:
        """Add a size to the content."""
        self.size = Size(*map(int.__add__, self.size, added))

    def clear(self) -> Size:
        """Empty the bin, and return the size of its former content."""
        size, self.size = self.size, Size()
        return size
