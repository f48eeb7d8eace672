"""Files for batch jobs: `client.files`."""

from __future__ import annotations

from .content import AsyncFileContent, FileContent
from .objects import AsyncPages, FileObject, Page, Pages
from .resource import Files
from .resource_async import AsyncFiles

__all__ = [
    "AsyncFileContent",
    "AsyncFiles",
    "AsyncPages",
    "FileContent",
    "FileObject",
    "Files",
    "Page",
    "Pages",
]
