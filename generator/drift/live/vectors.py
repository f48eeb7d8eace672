"""Check the dimension and dtype of vectors, and the effect of prompts."""

import base64
import binascii
import math
import struct
from collections.abc import Iterator
from typing import Any, TypeAlias

from ...spec import Document
from ..differences import Difference, Place
from .findings import catalogue_difference, live_difference

SAME = 0.999
"""Minimum cosine of two vectors of the same text, as results of servers vary slightly."""
BASE64 = "base64"
NUMBERS = "numbers"
FORMATS = {"float32": "f", "int8": "b", "uint8": "B"}
RANGES = {"int8": (-128, 127), "uint8": (0, 255)}

Vector: TypeAlias = list[float]


def check_vectors(
    request: Document, body: Document, model: Document, memory: Document, place: Place
) -> Iterator[Difference]:
    """Yield the problems of the vectors of an answer.

    Args:
        request: Body of the request.
        body: Body of the answer; vectors have the shape (dimension,), or (dimension / 8,) if
            packed.
        model: Catalogue entry of the model.
        memory: `x-memory` of the contract: the type of numbers in memory, by dtype.
        place: Place of the answer.
    """
    dtype = request.get("output_dtype", model["dtypes"][0])
    number = memory[dtype]["number"]
    expected = request.get("output_dimension", model["dimensions"]["default"])
    name = request["model"]
    encoding = BASE64 if request.get("encoding_format") == BASE64 else NUMBERS
    for embedding in embeddings(body):
        if (seen := BASE64 if isinstance(embedding, str) else NUMBERS) != encoding:
            yield live_difference("encoding-changed", place, encoding, seen)
            continue
        vector = decode(embedding, number)
        if vector is None:
            yield live_difference("numbers-changed", place, dtype, "they can't be read", name=name)
            continue
        dimension = len(vector) * memory[dtype]["dimensions_per_number"]
        if dimension != expected:
            yield _other_dimension(request, name, expected, dimension, place)
        if problem := _problem(vector, number):
            yield live_difference("numbers-changed", place, dtype, problem, name=name)


def _other_dimension(
    request: Document, model: str, expected: int, seen: int, place: Place
) -> Difference:
    if "output_dimension" in request:
        return live_difference("dimension-changed", place, expected, seen, name=model)
    return catalogue_difference("meaning-changed", model, "dimensions.default", expected, seen)


def embeddings(body: Any) -> Iterator[Any]:
    """Yield the undecoded vectors of an answer in order, also those within documents."""
    data = body.get("data") if isinstance(body, dict) else None
    for entry in data if isinstance(data, list) else ():
        if isinstance(entry, dict) and "embedding" in entry:
            yield entry["embedding"]
        else:
            yield from embeddings(entry)


def decode(embedding: Any, number: str) -> Vector | None:
    """Return the numbers of a vector; None if they can't be read."""
    if isinstance(embedding, str):
        try:
            memory = base64.b64decode(embedding, validate=True)
            code = FORMATS[number]
            return list(struct.unpack(f"<{len(memory) // struct.calcsize(code)}{code}", memory))
        except (binascii.Error, struct.error):
            return None
    numbers = isinstance(embedding, list) and all(isinstance(n, int | float) for n in embedding)
    return embedding if numbers else None


def check_prompts(
    plain: list[Vector], prompted: dict[str, Vector], prompts: dict[str, str], model: str
) -> Iterator[Difference]:
    """Check that an input_type has the effect of its prompt.

    Args:
        plain: Vectors without input_type, of the text alone and with each prompt before it: 1 +
            len(prompts) vectors of shape (dimension,).
        prompted: Vectors of the text by input_type, each of shape (dimension,).
        prompts: Prompts by input_type.
        model: Name of the model.
    """
    for index, (role, prompt) in enumerate(prompts.items(), start=1):
        if role not in prompted or index >= len(plain):
            continue
        same, without = (cosine(prompted[role], plain[at]) for at in (index, 0))
        if same < SAME or without >= same:
            name = f"input_type {role} of {model}"
            yield catalogue_difference(
                "prompt-changed", model, f"prompts.{role}", prompt, round(same, 3), name=name
            )


def cosine(one: Vector, other: Vector) -> float:
    """Return the cosine similarity of two vectors; 0 for those of different lengths."""
    if len(one) != len(other):
        return 0.0
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / ((math.hypot(*one) * math.hypot(*other)) or 1.0)


def _problem(vector: Vector, number: str) -> str | None:
    if number not in RANGES:
        length = math.hypot(*vector)
        return None if abs(length - 1) < 0.01 else f"a vector of length {length:.3g}"
    low, high = RANGES[number]
    wrong = (n for n in vector if not isinstance(n, int) or not low <= n <= high)
    return next((f"{n:.6g}" for n in wrong), None)
