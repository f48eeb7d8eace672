"""A byte-level BPE, trained on texts or made of another vocabulary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import pairwise

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY = 64_000
LONGEST_TOKEN = 32

# Cut as the current models' tokenizers were seen to cut: letters with the sign or space before
# them, each digit by itself, signs with the space before and the line breaks after them, white
# space. Nothing looks back, and a space before something visible begins a part: the emulator's
# `tokenizer` cuts texts into parts on the strength of that.
LETTERS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
ENDINGS = r"'(?i:[sdmt]|ll|ve|re)"
SIGNS = r" ?[^\s\p{L}\p{N}]+[\r\n]*"
PATTERN = rf"{ENDINGS}|{LETTERS}|\p{{N}}|{SIGNS}|\s*[\r\n]+|\s+(?!\S)|\s"


def train(texts: Iterable[str]) -> bytes:
    """Train a tokenizer on texts, and return the content to keep of its `tokenizer.json`."""
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
    # In the form that releases of the library before 0.20 read too, and that is shorter.
    model["merges"] = [" ".join(pair) for pair in model["merges"]]
    # The tokens follow from the merges; only those that none makes, the bytes, are named.
    model["vocab"] = {token: number for token, number in model["vocab"].items() if len(token) == 1}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def count_by_ranks(ranks: Mapping[bytes, int], texts: Iterable[str]) -> list[int]:
    """Count the tokens of texts by the vocabulary of another tokenizer that cuts texts alike.

    Args:
        ranks: The number of each token; a token is merged before those of greater numbers.
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
    """Return the letter that stands for each byte: itself if visible, else a spare one."""
    visible = {*range(33, 127), *range(161, 173), *range(174, 256)}
    spare = iter(range(256, 512))
    return [chr(byte if byte in visible else next(spare)) for byte in range(256)]


def _last_merge(token: bytes, ranks: Mapping[bytes, int]) -> tuple[bytes, bytes]:
    """Return the two tokens that a token is made of, when all others are merged by their ranks."""
    parts = [token[at : at + 1] for at in range(len(token))]
    while len(parts) > 2:
        pairs = [one + other for one, other in pairwise(parts)]
        at = min(range(len(pairs)), key=lambda at: ranks.get(pairs[at], len(ranks)))
        parts[at : at + 2] = [pairs[at]]
    left, right = parts
    return left, right
