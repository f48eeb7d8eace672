"""Run the tests that frameworks ship with their sources, on this client, against the emulator.

    python -m tests.frameworks.upstream_tests

Of the frameworks here two ship tests that call the client. Those of `langchain-voyageai` are for the
API, whose place the emulator takes. Those of `opentelemetry-instrumentation-voyageai` play cassettes
of the API's own answers, which they find by its address.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

from voyageai_emulator import running

SHIPPED = {
    # Left out: tests that name the API's own address.
    "langchain-voyageai": ("-k", "not with_base_url"),
    "opentelemetry-instrumentation-voyageai": ("-p", "cassettes", "--record-mode=none"),
}
PLAYED = {"opentelemetry-instrumentation-voyageai"}
"""Frameworks whose tests replay cassettes and need no emulator."""


def main() -> int:
    """Fetch, unpack and run the tests; return the number of frameworks that fail."""
    failed = 0
    with running() as emulator, tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "VOYAGE_API_KEY": "pa-emulated",
            "VOYAGE_BASE_URL": emulator.url,
            "HF_ENDPOINT": emulator.origin,
            "HF_HOME": str(Path(folder, "hub")),
            "PYTHONPATH": str(Path(__file__).parent),  # for plugins
        }
        played = {**environment, "VOYAGE_BASE_URL": ""}
        for name, arguments in SHIPPED.items():
            tests = _unpack(f"{name}=={version(name)}", Path(folder, name))
            options = ["-q", "-n", "auto", "-o", "addopts=", "-o", "asyncio_mode=auto"]
            command = [sys.executable, "-m", "pytest", *options, *arguments, "tests"]
            known = played if name in PLAYED else environment
            done = subprocess.run(command, cwd=tests, env=known, check=False)
            failed += done.returncode != 0
    return failed


def _unpack(requirement: str, folder: Path) -> Path:
    """Unpack a source distribution and return its folder."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*pip, "--dest", str(folder), requirement], check=True)
    [archive] = folder.glob("*.tar.gz")
    with tarfile.open(archive) as sources:
        sources.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


if __name__ == "__main__":
    sys.exit(main())
