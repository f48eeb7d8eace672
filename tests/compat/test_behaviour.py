"""The behaviour of the official client, case by case; each difference has a reason."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
import voyageai

from .cases import CASES, Recorder, observe, official
from .record import FOLDER, KINDS, OFFICIAL, OURS, differing

EXPECTED = json.loads(OFFICIAL.read_text(encoding="utf-8"))
OTHERWISE = json.loads(OURS.read_text(encoding="utf-8"))
REASONS = json.loads((FOLDER / "differences.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    """A server that answers as each case says."""
    with Recorder().running() as recorder:
        yield recorder


def reasons(name: str, aspect: str) -> list[dict[str, Any]]:
    """Return the reasons why a case may differ in an aspect."""
    return [one for one in REASONS if aspect in one["aspects"] and fnmatchcase(name, one["cases"])]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_a_call_does_what_the_official_client_does(name, kind, recorder, monkeypatch):
    """An upgrade changes nothing for users but what differences.json lists with a reason."""
    monkeypatch.setattr(random, "random", lambda: 0.0)  # retries at once
    outcome = observe(voyageai, kind, CASES[name], recorder)
    found = json.loads(json.dumps(official(outcome)).replace(recorder.url, "<url>"))

    assert OTHERWISE.get(name, {}).get(kind, {}) == differing(found, EXPECTED[name][kind])


def test_every_difference_has_a_reason():
    """A difference that nobody decided on is a mistake."""
    rows = [
        (name, aspect)
        for name, kinds in OTHERWISE.items()
        for one in kinds.values()
        for aspect in one
    ]

    assert [] == [row for row in rows if not reasons(*row)]


def test_every_reason_has_a_difference():
    """A reason stays in the list only while its difference exists, so the list can be trusted."""
    rows = {
        (name, aspect)
        for name, kinds in OTHERWISE.items()
        for one in kinds.values()
        for aspect in one
    }
    used = {id(one) for row in rows for one in reasons(*row)}

    assert [] == [one for one in REASONS if id(one) not in used]


def test_the_table_has_every_case():
    """A new case is first observed with the official client, never written down by guess."""
    assert set(CASES) == set(EXPECTED)
