"""A transformer of one layer with fixed vectors for a few words, without training.

The layer's weights are 0, so that it hands on what it gets: a text's vector is the mean of its
words'. Words of one line of `MEANINGS` have the same vector though they share no letters, which
the emulator's lexical engine cannot know. Any other word falls apart into letters.
"""

from __future__ import annotations

import string
from pathlib import Path

MEANINGS = [
    "car automobile vehicle",
    "doctor physician surgeon",
    "buy purchase acquire",
    "house home dwelling",
    "ill sick unwell",
    "fast quick rapid",
    "happy glad joyful",
    "film movie picture",
]
FUNCTION = "a an i is of the to where can for who this"
WIDTH = 384
"""Between two dimensions of the catalogue: the smaller truncates, the larger pads."""
LENGTH = 64
"""Maximum number of input tokens."""


def make(folder: Path, prompts: dict[str, str], width: int = WIDTH) -> Path:
    """Write the model to a folder and return its path."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3Model

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    letters = string.ascii_lowercase + string.digits + string.punctuation
    words = [word for line in [*MEANINGS, FUNCTION] for word in line.split()]
    pieces = [*special, *letters, *(f"##{letter}" for letter in letters), *words]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}

    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(piece, vocabulary[piece]) for piece in ("[CLS]", "[SEP]")],
    )
    config = Qwen3Config(
        vocab_size=len(vocabulary),
        hidden_size=width,
        num_hidden_layers=1,
        num_attention_heads=1,
        num_key_value_heads=1,
        head_dim=8,
        intermediate_size=8,
    )
    layers = Qwen3Model(config)
    vectors = torch.randn(len(vocabulary), width, generator=torch.Generator().manual_seed(0))
    for line in MEANINGS:
        first, *others = (vocabulary[word] for word in line.split())
        vectors[others] = vectors[first].clone()
    vectors[[vocabulary[piece] for piece in [*special, *FUNCTION.split()]]] = 0
    with torch.no_grad():
        for name, weights in layers.named_parameters():
            if "norm" not in name:
                weights.zero_()
        layers.embed_tokens.weight.copy_(vectors)

    plain = folder / "plain"
    layers.save_pretrained(plain)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=LENGTH,
        **{f"{name.lower()}_token": f"[{name}]" for name in ("PAD", "UNK", "CLS", "SEP")},
    ).save_pretrained(plain)
    saved = folder / "saved"
    read = SentenceTransformer(str(plain), device="cpu")
    parts = [read[0], Pooling(width, pooling_mode="mean")]
    SentenceTransformer(modules=parts, device="cpu", prompts=prompts).save(str(saved))
    return saved
