"""The change that is rehearsed: a model and an optional field, as a maintainer writes them."""

from __future__ import annotations

from pathlib import Path

MODEL, FIELD = "voyage-rehearsed", "priority"
LIKE = "voyage-4"
PLACE = "    EmbeddingsRequest:\n"
BEFORE = "        output_dimension:\n"
PROPERTY = """\
        priority:
          type: [integer, "null"]
          description: How soon the answer is needed; the higher, the sooner.
          minimum: 1
          maximum: 9
          default: null
          x-source: [VREF (documented)]
"""


def change(spec: Path) -> None:
    """Write the model into the catalogue and the field into the contract."""
    catalogue, openapi = spec / "catalogue.yaml", spec / "openapi.yaml"
    catalogue.write_text(_with_model(catalogue.read_text("utf-8")), encoding="utf-8")
    openapi.write_text(_with_field(openapi.read_text("utf-8")), encoding="utf-8")


def _with_model(text: str) -> str:
    """Its own entry, like that of a model that is there."""
    head, start, rest = text.partition(f"\n  {LIKE}:\n")
    entry, end, tail = rest.partition("\n\n")
    return f"{head}{start}{entry}\n\n  {MODEL}:\n{entry}{end}{tail}"


def _with_field(text: str) -> str:
    head, start, rest = text.partition(PLACE)
    fields, end, tail = rest.partition(BEFORE)
    return f"{head}{start}{fields}{PROPERTY}{end}{tail}"
