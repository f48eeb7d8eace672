"""Files for batch jobs: `client.files`."""

from __future__ import annotations

from .content import FileContent
from .content_async import AsyncFileContent
from .objects import FileObject
from .paging import AsyncPages, Page, Pages
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
