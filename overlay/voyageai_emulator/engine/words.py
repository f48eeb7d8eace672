"""Tokens and units: what of a text counts as a word, and for how much."""

from __future__ import annotations

import re
import unicodedata

from .commonwords import COMMON, FUNCTION

__all__ = ["letters_of", "tokens_of", "units_of", "weight_of"]

_TOKEN = re.compile(r"\w+|[\u2190-\u2bff\U0001f000-\U0001faff]")
_ASCII_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PART = re.compile(r"[^\W\d_]+|\d+")
_SPACELESS = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003ffff]+"
)


def tokens_of(text: str) -> list[str]:
    """The tokens of a text in reading order; of a text without any word, its characters."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _TOKEN.findall(text) or list(text)


def units_of(token: str) -> list[str]:
    """The units one token stands for.

    >>> units_of("BaseHTTPServer")
    ['base', 'http', 'server', 'basehttpserver']
    """
    if token.isascii():
        if token.islower() and token.isalpha():
            return [token]
        parts = _ASCII_PART.findall(token)
    else:
        parts = _PART.findall(token)
        if _SPACELESS.search(token):
            return [unit for part in parts for unit in _pairs(part)] or [token]
    folded = [part.casefold() for part in parts]
    if len(folded) == 1:
        return folded
    return [*folded, "".join(folded)] if folded else [token]


def _pairs(part: str) -> list[str]:
    if len(part) < 2:
        return [part]
    return [part[i : i + 2] for i in range(len(part) - 1)]


def weight_of(unit: str) -> float:
    """How much a unit tells of a text, from its form alone: about 1 for a word of some length."""
    if unit in FUNCTION:
        return 0.05
    weight = {1: 0.25, 2: 0.4, 3: 0.75, 4: 0.9}.get(len(unit), 1.0 if len(unit) < 8 else 1.1)
    if not unit.isascii() and _SPACELESS.search(unit):
        return 0.8
    return weight * 0.6 if unit in COMMON else weight


def letters_of(unit: str) -> bytes:
    """A unit as one byte per character, without accents, for cutting into n-grams."""
    if unit.isascii():
        return unit.encode("ascii")
    plain = "".join(c for c in unicodedata.normalize("NFKD", unit) if not unicodedata.combining(c))
    return bytes(ord(c) if c < "\x7f" else 128 + ord(c) * 31 % 128 for c in plain)
