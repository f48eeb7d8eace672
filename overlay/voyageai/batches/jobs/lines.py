"""Lines of batch files: their names, their sizes and their JSON.

A line's `custom_id` is `JOB-FIRST-LAST-DIGEST`, such as

    9f2c4e81a6b07d35-000000100-000000199-5d41402a

the job's id, the first and the last row of the line (counted from 0 over the whole job), and the
beginning of a digest of the line's content. It is the same whenever the line is sent, so an answer
can be told from one of another job, or of another content.

A batch carries the job's id and its own number in its metadata, and its file carries them in its
name. That is how a job that was interrupted finds the batches and files that it made before.
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
"""Bytes at the beginning of a line that hold its name."""
PATTERN = re.compile(r"([0-9a-f]{16})-(\d{9,})-(\d{9,})-([0-9a-f]{8})")


class LineName(NamedTuple):
    """A `custom_id`, taken apart.

    Attributes:
        job: Id of the job.
        first: First row of the line.
        last: Last row of the line.
        digest: Beginning of a digest of its content.
    """

    job: str
    first: int
    last: int
    digest: str

    @classmethod
    def parse(cls, custom_id: str) -> LineName | None:
        """Read a `custom_id`; return None if no job has made it.

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
        """Read the name of a line without parsing its JSON; return None if it has none."""
        match = PATTERN.search(line[:HEAD].decode("ascii", "replace"))
        return None if match is None else cls.parse(match.group())

    def __str__(self) -> str:
        return f"{self.job}-{self.first:09d}-{self.last:09d}-{self.digest}"


def new_job_id() -> str:
    """Return an id that no other job has: 16 hexadecimal digits."""
    return secrets.token_hex(8)


def line_digest(content: bytes) -> str:
    """Return the digest of a line's content, cut to the length that a line's name has room for."""
    return hashlib.sha256(content).hexdigest()[:8]


def upload_name(job: str, number: int) -> str:
    """Return the name under which a batch's file is uploaded."""
    return f"voyageai-{job}-{number:04d}.jsonl"


def batch_metadata(job: str, number: int) -> dict[str, str]:
    """Return the metadata that a job's batch is created with."""
    return {JOB: job, NUMBER: str(number)}


def is_batch_of(metadata: Mapping[str, str], job: str, number: int) -> bool:
    """Return whether metadata names this batch of a job; there may be more in it."""
    return batch_metadata(job, number).items() <= metadata.items()


def dumps(value: Any) -> bytes:
    """Return a value as one line of JSON that a person can read."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def loads(line: bytes) -> Any:
    """Parse a line of JSON.

    Raises:
        ValueError: It is not JSON, or is nested too deeply to be read.
    """
    try:
        return json.loads(line)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


class Size(NamedTuple):
    """The size of a row, a line or a batch, in each unit that is limited.

    Attributes:
        rows: Texts, documents, or queries with their documents.
        inputs: Texts or documents, as a batch's limit counts them.
        tokens: Tokens, estimated or counted.
        most_tokens: Tokens that can be billed at most.
        chunks: Chunks of documents; 0 where there are none.
        bytes: Bytes of a line.
    """

    rows: int = 0
    inputs: int = 0
    tokens: int = 0
    most_tokens: int = 0
    chunks: int = 0
    bytes: int = 0


class Bin:
    """A line that is filled with rows, or a batch that is filled with lines, up to its limits.

    Args:
        limits: The most of each field of `Size`; a field that is None or left out has no limit.

    Attributes:
        size: The size of what is in it.
    """

    def __init__(self, **limits: int | None) -> None:
        self._limits = [
            (Size._fields.index(name), most) for name, most in limits.items() if most is not None
        ]
        self.size = Size()

    def fits(self, more: Size) -> bool:
        """Return whether more fits in. What is too large by itself fits into an empty bin."""
        size = self.size
        return not size.rows or all(size[at] + more[at] <= most for at, most in self._limits)

    def add(self, more: Size) -> None:
        """Count more rows and bytes."""
        self.size = Size(*map(int.__add__, self.size, more))

    def clear(self) -> Size:
        """Empty it, and return the size of what was in it."""
        size, self.size = self.size, Size()
        return size
