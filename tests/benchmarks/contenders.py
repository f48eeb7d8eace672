"""The clients that are compared, each in its own virtual environment."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .bars import OFFICIAL, OURS, OURS_EMULATOR, OURS_NUMPY

AIOHTTP = "aiohttp"
# The bars refer to this release of the official client.
OFFICIAL_RELEASE = "0.5.0"
# Pinned, so that a release of another project does not change a row.
OPENAI_RELEASE = "3.52.0"

VOYAGEAI_FIRST = """
import voyageai
client = voyageai.Client(api_key="benchmark", base_url={url!r})
client.embed(["hello"], "voyage-4", "document", output_dimension=1024).embeddings[0][0]
"""
TLS_FIRST = """
from voyageai.transport.config import ConnectionConfig
ConnectionConfig().context()
"""
"""What a first call by https costs beside, as the stub server has no TLS."""
OPENAI_FIRST = """
import openai
client = openai.OpenAI(api_key="benchmark", base_url={url!r})
client.embeddings.create(input=["hello"], model="voyage-4", dimensions=1024).data[0].embedding[0]
"""
HTTPX2_FIRST = """
import array, base64, httpx2
body = {{"input": ["hello"], "model": "voyage-4", "output_dimension": 1024,
        "encoding_format": "base64"}}
answer = httpx2.post({url!r} + "/embeddings", json=body)
array.array("f", base64.b64decode(answer.json()["data"][0]["embedding"]))[0]
"""


@dataclass(frozen=True)
class Contender:
    """A client to measure.

    Attributes:
        name: Name in tables.
        requirements: Requirements for pip.
        module: Module to import.
        first: Program from the import to the first number of a vector, with the placeholder
            `url`. Empty for clients of which only calls are measured.
    """

    name: str
    requirements: tuple[str, ...]
    module: str
    first: str = ""


def contenders(wheel: Path) -> dict[str, Contender]:
    """Return all contenders by name; this project is installed from the wheel."""
    all_of_them = (
        Contender(OURS, (str(wheel),), "voyageai", VOYAGEAI_FIRST),
        Contender(OURS_EMULATOR, (f"{wheel}[emulator]",), "voyageai_emulator"),
        Contender(OURS_NUMPY, (f"{wheel}[numpy]",), "voyageai", VOYAGEAI_FIRST),
        Contender(OFFICIAL, (f"voyageai=={OFFICIAL_RELEASE}",), "voyageai", VOYAGEAI_FIRST),
        Contender("openai", (f"openai=={OPENAI_RELEASE}",), "openai", OPENAI_FIRST),
        Contender("httpx2", ("httpx2", "numpy"), "httpx2", HTTPX2_FIRST),
        Contender(AIOHTTP, ("aiohttp", "numpy"), "aiohttp"),
    )
    return {contender.name: contender for contender in all_of_them}


@dataclass(frozen=True)
class Environment:
    """An installed contender.

    Attributes:
        contender: The client.
        python: Path of the interpreter.
        distributions: Version, and size in bytes, of each installed distribution, by name.
    """

    contender: Contender
    python: Path
    distributions: dict[str, tuple[str, int]]


# Sizes of the files that each distribution lists, with compiled files, without pip itself.
WEIGH = """
import json
from importlib.metadata import distributions
found = {}
for one in distributions():
    if one.name not in ("pip", "setuptools"):
        paths = [path.locate() for path in one.files or ()]
        found[one.name] = one.version, sum(p.stat().st_size for p in paths if p.is_file())
print(json.dumps(found))
"""


def install(contender: Contender, folder: Path, wheel: Path) -> Environment:
    """Create the contender's environment, or reuse one with the same wheel and pins."""
    parts = [sys.version, *contender.requirements]
    if contender.name in (OURS, OURS_EMULATOR, OURS_NUMPY):
        parts.append(hashlib.sha256(wheel.read_bytes()).hexdigest())
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
    stem = contender.name.replace(" ", "")
    home = folder / f"{stem}-{digest}"
    python = str(home / "bin/python")
    done = home / "distributions.json"
    if not done.exists():
        for old in folder.glob(f"{stem}-*"):
            shutil.rmtree(old)
        print(f"installing {contender.name}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        command = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*command, *contender.requirements], check=True)
        weighed = subprocess.run([python, "-I", "-c", WEIGH], check=True, stdout=subprocess.PIPE)
        done.write_bytes(weighed.stdout)
    return Environment(contender, Path(python), json.loads(done.read_text()))
