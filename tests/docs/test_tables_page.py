"""Times and costs on the page of tables, by the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest
from voyageai.ratelimit import RateLimiter
from voyageai_rest.catalogue import MODELS

PAGE = (Path(__file__).parents[2] / "docs/tables.md").read_text(encoding="utf-8")
ROWS = 10_000_000
SIZES = (100, 500)


def lasts(tokens: float, tpm: float) -> str:
    """The least time that so many tokens take, as the page writes it."""
    minutes = tokens / tpm
    return f"{minutes:.0f} minutes" if minutes < 60 else f"{minutes / 60:.1f} hours"


@pytest.mark.parametrize(
    ("model", "tier", "head"),
    [
        ("voyage-4", 1, "`voyage-4`, tier 1 ({} million tokens a minute)"),
        ("voyage-4", 3, "`voyage-4`, tier 3 ({} million)"),
        ("voyage-4-large", 1, "`voyage-4-large`, tier 1 ({} million)"),
    ],
)
def test_ten_million_rows_take_what_the_page_says(model, tier, head):
    """At the limits of a tier, whose requests are large enough for their number not to count."""
    rpm, tpm = RateLimiter(tier).limits(model)
    assert rpm * MODELS[model].max_request_tokens > tpm
    cells = [head.format(f"{tpm / 1e6:g}"), *(lasts(ROWS * size, tpm) for size in SIZES)]
    assert f"| {' | '.join(cells)} |" in PAGE


def test_ten_million_rows_cost_what_the_page_says():
    """At the catalogue's prices."""
    models = ("voyage-4", "voyage-4-large")
    costs = [
        "; ".join(
            f"${ROWS * size / 1e6 * MODELS[model].price.usd_per_million_tokens:.0f}"
            for model in models
        )
        for size in SIZES
    ]
    assert f"| cost of `voyage-4`; of `voyage-4-large` | {' | '.join(costs)} |" in PAGE
