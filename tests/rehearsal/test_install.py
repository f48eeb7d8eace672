"""Each documented line that installs this package, run as a reader runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from generator.semver import version
from tests.docs.test_pages import PAGES

LINE = re.compile(r"pip install [^\n`#]+")
OTHERS = (
    'pip install "nox[uv]"',
    "pip install llama-index-core",
    "pip install opentelemetry-exporter-otlp-proto-http",
    "pip install logfire",
    "pip install langfuse",
    "pip install --no-deps llama-index-embeddings-voyageai llama-index-postprocessor-voyageai-rerank",
)
"""Other packages that the documentation installs."""
WHOSE = """
import importlib.metadata, voyageai, voyageai_rest
print(importlib.metadata.version("voyageai"), hasattr(voyageai.Client, "embed_documents"))
"""


def lines() -> list[str]:
    """Return every install line of all pages once."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    return sorted({found.strip() for found in LINE.findall(text)} - {*OTHERS})


@pytest.mark.parametrize("line", lines())
def test_an_install_line_installs_this_package(line, released, tmp_path):
    """The vendor's package has the same name, and a reader who gets it meets errors at once."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    programs = environment / ("Scripts" if sys.platform == "win32" else "bin")
    path = os.pathsep.join([str(programs), os.environ["PATH"]])

    done = subprocess.run(
        f"set -e\n{line}\npython -I -c '{WHOSE}'",
        shell=True,
        cwd=released,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"{version.read(released)} True" == done.stdout.splitlines()[-1]
    assert "does not provide the extra" not in done.stdout + done.stderr
