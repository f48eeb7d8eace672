"""Data that a run keeps for the next one, each file named by a digest of its sources.

A file is written under a temporary name and then renamed, so an existing file is complete. A file
that can't be read is created again.
"""

import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import corpus
import numpy as np
import numpy.typing as npt
import voyageai_emulator
from corpus.docstring import Docstring

FOLDER = Path(__file__).with_name(".cache")

Vector = npt.NDArray[np.float32]


def kept_corpus(folder: Path, make: Callable[[], list[Docstring]]) -> list[Docstring]:
    """Return the docstrings from the cache, or read and cache them.

    Args:
        folder: Folder of the cache.
        make: Function that reads the standard library.
    """
    # The digest covers this interpreter, for docstrings in C, and the code that reads docstrings.
    readers = Path(corpus.__file__).parent.glob("*.py")
    path = folder / f"corpus-{_digest([sys.version], [*corpus.files(), *readers])}.json"
    try:
        return [Docstring(*row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        made = make()
        _write(path, json.dumps([astuple(entry) for entry in made]).encode())
        return made


def emulator_version() -> str:
    """Return a version of the emulator's vectors; other versions may not be comparable."""
    code = Path(voyageai_emulator.__file__).parent.rglob("*")
    return f"emulator-{_digest([], [path for path in code if path.suffix != '.pyc'])[:12]}"


class Vectors:
    """Vectors of texts by one model, each keyed by the digest of its text.

    Args:
        folder: Folder of the cache; None to keep vectors in memory only.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._known: dict[str, Vector] = {}
        for path in folder.glob("*.npz") if folder else ():
            self._known.update(_read(path))

    @classmethod
    def of(cls, folder: Path, engine: str, model: str) -> "Vectors":
        """Return the vectors of a model at a host."""
        return cls(folder / "vectors" / re.sub(r"[^\w.-]", "-", f"{engine}-{model}"))

    def __contains__(self, text: str) -> bool:
        return _digest([text]) in self._known

    def matrix(self, texts: Iterable[str]) -> Vector:
        """Return the cached vectors of texts, an array of shape (texts, dimension)."""
        return np.stack([self._known[_digest([text])] for text in texts])

    def add(self, texts: Iterable[str], vectors: Vector) -> None:
        """Store vectors of texts in a new file at once, so that billed vectors are not lost."""
        digests = [_digest([text]) for text in texts]
        self._known.update(zip(digests, vectors, strict=True))
        if self._folder:
            content = BytesIO()
            np.savez(content, digests=np.array(digests), vectors=vectors)
            _write(self._folder / f"{_digest(digests)}.npz", content.getvalue())


def _read(path: Path) -> dict[str, Vector]:
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as part:
            return dict(zip(part["digests"].tolist(), part["vectors"], strict=True))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return {}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".half", delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)


def _digest(words: Iterable[str], files: Iterable[Path] = ()) -> str:
    """Return a digest of strings, and of the names and contents of files."""
    found = hashlib.sha256()
    for part in _parts(words, files):
        found.update(len(part).to_bytes(8))
        found.update(part)
    return found.hexdigest()


def _parts(words: Iterable[str], files: Iterable[Path]) -> Iterator[bytes]:
    for word in words:
        yield word.encode("utf-8", "surrogatepass")
    for path in sorted(files):
        if path.is_file():
            yield str(path).encode("utf-8", "surrogateescape")
            yield path.read_bytes()
