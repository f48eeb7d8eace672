"""A local package index that accepts one token, and each file once."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from generator.release.publish import Index

TOKEN = "the token of this index"
SERVER = Path(__file__).parent / "index_server.py"


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Index]:
    """Run an index that stores its files in a folder, in a new process."""
    folder.mkdir()
    command = [sys.executable, SERVER, folder, TOKEN]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as server:
        try:
            address = server.stdout.readline().strip()
            yield Index(upload=f"{address}/", simple=f"{address}/simple/")
        finally:
            server.terminate()
