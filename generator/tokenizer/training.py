"""Byte-level BPE tokenizers: train one, or build one from another vocabulary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import pairwise

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY = 64_000
LONGEST_TOKEN = 32

# Splits texts as the current models' tokenizers do: letters with the sign or space before them,
# single digits, signs with the space before and the line breaks after them, white space. There are
# no lookbehinds, and a space before a visible character begins a part; the emulator's `tokenizer`
# relies on this to count parts separately.
LETTERS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
ENDINGS = r"'(?i:[sdmt]|ll|ve|re)"
SIGNS = r" ?[^\s\p{L}\p{N}]+[\r\n]*"
PATTERN = rf"{ENDINGS}|{LETTERS}|\p{{N}}|{SIGNS}|\s*[\r\n]+|\s+(?!\S)|\s"


def train(texts: Iterable[str]) -> bytes:
    """Train a tokenizer on texts, and return the content of its `tokenizer.json`, shortened."""
    tokenizer = _byte_level(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        max_token_length=LONGEST_TOKEN,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=[],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    data = json.loads(tokenizer.to_str())
    model = data["model"]
    # The shorter format, which releases of the library before 0.20 read too.
    model["merges"] = [" ".join(pair) for pair in model["merges"]]
    # Keep only the tokens of single bytes, as the others follow from the merges.
    model["vocab"] = {token: number for token, number in model["vocab"].items() if len(token) == 1}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def count_by_ranks(ranks: Mapping[bytes, int], texts: Iterable[str]) -> list[int]:
    """Count the tokens of texts with another vocabulary that splits texts in the same way.

    Args:
        ranks: Rank of each token; merges that give lower ranks come first.
        texts: The texts.
    """
    letters = _letters()
    spell = {token: "".join(letters[byte] for byte in token) for token in ranks}
    merges = [
        _last_merge(token, ranks)
        for token in sorted(ranks, key=ranks.__getitem__)
        if len(token) > 1
    ]
    tokenizer = _byte_level(
        models.BPE(
            vocab={spell[token]: rank for token, rank in ranks.items()},
            merges=[(spell[left], spell[right]) for left, right in merges],
        )
    )
    return [len(tokenizer.encode(text).ids) for text in texts]


def _byte_level(model: models.BPE) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _letters() -> list[str]:
    """Return the character of each byte in byte-level BPE: itself if visible, else a spare one."""
    visible = {*range(33, 127), *range(161, 173), *range(174, 256)}
    spare = iter(range(256, 512))
    return [chr(byte if byte in visible else next(spare)) for byte in range(256)]


def _last_merge(token: bytes, ranks: Mapping[bytes, int]) -> tuple[bytes, bytes]:
    """Return the two tokens whose merge gives a token, by the ranks of all others."""
    parts = [token[at : at + 1] for at in range(len(token))]
    while len(parts) > 2:
        pairs = [one + other for one, other in pairwise(parts)]
        at = min(range(len(pairs)), key=lambda at: ranks.get(pairs[at], len(ranks)))
        parts[at : at + 2] = [pairs[at]]
    left, right = parts
    return left, right
