"""Names that tell the parts of a job apart, on disk and at the server.

A line's `custom_id` is `JOB-FIRST-LAST-DIGEST`, such as

    9f2c4e81a6b07d35-000000100-000000199-5d41402a

the job's id, the first and the last row of the line (counted from 0 over the whole job), and the
beginning of a digest of the line's content. It is the same whenever the line is sent, so an answer
can be told from one of another job, or of another content.

A batch carries the job's id and its own number in its metadata, and its file carries them in its
name. That is how a job that was interrupted finds what it had already made.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LineName", "digest_of", "file_name", "is_of", "marker", "new_job_id"]

JOB, NUMBER = "voyageai_job", "voyageai_batch"
HEAD = 128
"""Bytes at the beginning of a line that hold its name."""
PATTERN = re.compile(r"([0-9a-f]{16})-(\d{9,})-(\d{9,})-([0-9a-f]{8})")


class LineName(NamedTuple):
    """What a `custom_id` says.

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
        """Read a `custom_id`; None if it is none of ours.

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
        """The name of a line that was written here; None if it has none."""
        match = PATTERN.search(line[:HEAD].decode("ascii", "replace"))
        return None if match is None else cls.parse(match.group())

    def __str__(self) -> str:
        return f"{self.job}-{self.first:09d}-{self.last:09d}-{self.digest}"


def new_job_id() -> str:
    """An id that no other job has."""
    return secrets.token_hex(8)


def digest_of(content: bytes) -> str:
    """The digest of a line's content, as long as its name has room for."""
    return hashlib.sha256(content).hexdigest()[:8]


def file_name(job: str, number: int) -> str:
    """The name under which a batch's file is uploaded."""
    return f"voyageai-{job}-{number:04d}.jsonl"


def marker(job: str, number: int) -> dict[str, str]:
    """What a batch carries as metadata."""
    return {JOB: job, NUMBER: str(number)}


def is_of(metadata: Mapping[str, str], job: str, number: int) -> bool:
    """Whether metadata is that of a job's batch, whatever else is in it."""
    return marker(job, number).items() <= metadata.items()
