"""The times and costs on the page about tables follow from the catalogue."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from voyageai.batches.jobs.estimate import dollars, rounds
from voyageai.flow import BatchLimits
from voyageai_rest.catalogue import BATCH, MODELS, TIERS

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"
ROWS, MILLION = 10_000_000, 1_000_000
PER_ROW = (100, 500)
HOURS = int(BATCH.completion_window.removesuffix("h"))


def row(begin: str) -> list[str]:
    """Return the cells of the table row whose first cell starts with a text."""
    (line,) = [one for one in PAGE.read_text("utf-8").splitlines() if one.startswith(f"| {begin}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def as_text(time: timedelta) -> str:
    """Return a duration in the format of the page."""
    hours = time / timedelta(hours=1)
    return f"{hours:.1f} hours" if hours > 1 else f"{hours * 60:.0f} min"


@pytest.mark.parametrize(
    ("model", "tier"),
    [("voyage-4", "tier_1"), ("voyage-4", "tier_3"), ("voyage-4-large", "tier_1")],
)
def test_the_times_are_those_of_the_rate_limits(model, tier):
    """Readers choose a usage tier by these times."""
    tpm = MODELS[model].tpm * getattr(TIERS, tier).factor
    cells = row(f"`{model}`, {tier.replace('_', ' ')} (")

    assert f"({tpm / MILLION:g} million" in cells[0]
    assert [as_text(timedelta(minutes=ROWS * per / tpm)) for per in PER_ROW] == [
        cell.replace("minutes", "min") for cell in cells[1:]
    ]


def test_the_times_of_batches_are_those_of_what_may_be_in_flight():
    """Batches run in rounds of what may be in flight, each of up to the full window."""
    size = BATCH.max_inputs
    times = [
        HOURS * rounds(BatchLimits(), [per * size] * (ROWS // size), exact=False) for per in PER_ROW
    ]

    assert [f"{hours} hours" for hours in times] == row("either, by batches")[1:]


@pytest.mark.parametrize(
    ("begin", "share"), [("cost of `voyage-4`", 1.0), ("the same by batches", 1 - BATCH.discount)]
)
def test_the_costs_are_those_of_the_catalogue(begin, share):
    """Readers choose between live requests and batches by these costs."""
    prices = [MODELS[name].price.usd_per_million_tokens for name in ("voyage-4", "voyage-4-large")]
    costs = [
        "; ".join(
            dollars(price * share * ROWS * per / MILLION).removesuffix(".00") for price in prices
        )
        for per in PER_ROW
    ]

    assert costs == row(begin)[1:]


def test_the_limits_of_batches_are_those_of_the_catalogue():
    """Readers choose between live requests and batches by these limits."""
    page = re.sub(r"\s+", " ", PAGE.read_text("utf-8"))

    assert f"{BATCH.discount:.0%}".removesuffix("%") + " % less" in page
    assert f"{BATCH.max_jobs_in_flight} batches and a billion tokens in flight" in page
    assert BATCH.max_tokens_in_flight == 10**9
    assert HOURS == 12
