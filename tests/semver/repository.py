"""A small repository with one release, laid out like this one, for tests of verdicts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from generator.semver import changelog
from generator.semver.verdict import Verdict, verdict
from tests.drift.pairs import base

FILES = {
    "pyproject.toml": """\
[project]
name = "voyageai"
dependencies = ["httpx>=0.27"]
requires-python = ">=3.11"

[project.optional-dependencies]
numpy = ["numpy"]

[tool.mypy]
strict = true
mypy_path = ["generated", "overlay"]
""",
    "CHANGELOG.md": "# Changelog\n\n## 0.6.0 (2026-01-02)\n\n### Added\n\n- Everything.\n",
    "overlay/voyageai/__init__.py": """\
from .client import Client
from .media.urls import Url
from .version import VERSION

__all__ = ["VERSION", "Client", "Url"]
""",
    "overlay/voyageai/version.py": 'VERSION = "0.6.0"\n',
    "overlay/voyageai/_base.py": """\
class Base:
    def close(self) -> None: ...
""",
    "overlay/voyageai/client.py": """\
from ._base import Base


class Client(Base):
    def __init__(self, key: str, retries: int = 0) -> None: ...

    def search(self, text: str, limit: int | None = None) -> list[str]:
        return []
""",
    "overlay/voyageai/error.py": """\
class Error(Exception):
    status: int | None = None


class Refused(Error):
    pass
""",
    "overlay/voyageai/media/__init__.py": "",
    "overlay/voyageai/media/urls.py": """\
class Url:
    def __init__(self, url: str) -> None: ...
""",
    "overlay/voyageai/options.py": """\
from attrs import field, frozen
from attrs.validators import ge


@frozen(kw_only=True)
class Options:
    fast: bool = True
    tries: int = field(default=2, validator=ge(0))
""",
    "overlay/voyageai/transport.py": "def send(body: bytes) -> None: ...\n",
    "overlay/voyageai_emulator/__init__.py": """\
from .server import Server, running

__all__ = ["Server", "running"]
""",
    "overlay/voyageai_emulator/server.py": """\
class Server:
    port: int = 0


def running(port: int = 0) -> Server:
    return Server()


def listen(port: int) -> None: ...
""",
    "generated/voyageai_rest/__init__.py": "",
    "generated/voyageai_rest/models.py": """\
from attrs import define


@define
class Search:
    text: str
    limit: int | None = None
""",
    "tests/typing/usage.py": """\
from voyageai import Client

found: list[str] = Client("key").search("a")
Client(1)  # type: ignore[arg-type]  # must be refused
""",
}
CLIENT = "overlay/voyageai/client.py"


class Repository:
    """A repository in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.contract = base()

    def release(self) -> None:
        """Create the repository, and release its first version."""
        for name, text in FILES.items():
            self.write(name, text)
        self.describe()
        self.write(".gitignore", ".mypy_cache/\n")
        self.git("init", "--quiet")
        self.git("config", "user.name", "A maintainer")
        self.git("config", "user.email", "maintainer@example.com")
        self.commit("As released")
        self.git("tag", "v0.6.0")

    def write(self, name: str, text: str) -> None:
        """Write a file in the repository."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace text in a file of the repository."""
        text = self.root.joinpath(name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def describe(self, change: Callable[[Any], None] = lambda contract: None) -> None:
        """Change a file of the spec in the repository."""
        change(self.contract)
        for name in ("openapi", "catalogue"):
            self.write(f"spec/{name}.yaml", json.dumps(self.contract[name]))

    def begin(self, version: str, lines: str = "") -> None:
        """Set the next version, with lines in its section of the changelog."""
        self.write("overlay/voyageai/version.py", f'VERSION = "{version}.dev0"\n')
        text = self.root.joinpath("CHANGELOG.md").read_text(encoding="utf-8")
        section = f"## {version} ({changelog.UNRELEASED})\n\n{lines}\n\n"
        self.write("CHANGELOG.md", text.replace("## 0.6.0", f"{section}## 0.6.0"))

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def git(self, *arguments: str) -> None:
        """Run git in the repository."""
        subprocess.run(["git", "-C", self.root, *arguments], check=True)

    def verdict(self, *checkers: tuple[str, ...]) -> Verdict:
        """Compare the repository with its release."""
        return verdict(self.root, "v0.6.0", checkers)

    def reported(self) -> list[tuple[str, str]]:
        """Return level and sentence of each change that users may notice."""
        return [(item.level.name.lower(), item.sentence) for item in self.verdict().changes]
