"""The example of a batch job: it states its cost, resumes, and retries failed rows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import voyageai
import voyageai_emulator
from voyageai_emulator import Emulator

EXAMPLE = Path(__file__).parents[2] / "docs/examples/batch_job.py"
ROWS = 250
TEXTS = [f"It rains on day {row}." for row in range(ROWS)]


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Run an emulator, and point the environment variables at it."""
    with voyageai_emulator.running() as found:
        monkeypatch.setenv("VOYAGE_API_KEY", "emulator")
        monkeypatch.setenv("VOYAGE_BASE_URL", found.url)
        yield found


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Run the example with a file of texts, and return its output."""
    (tmp_path / "texts.txt").write_text("\n".join([*TEXTS, "", ""]), encoding="utf-8")

    def call(*options: str, fails: bool = False) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", str(EXAMPLE), "texts.txt", "job", *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert fails is bool(done.returncode), done.stderr
        return done.stderr if fails else done.stdout

    return call


def test_texts_become_a_matrix(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    """Rows of the matrix follow the order of the texts, and a second run sends nothing."""
    said = run("--max-cost", "1")
    assert said.startswith("250 texts in 3 requests in 1 batch, ")
    assert "250 of 250 texts for $0.0" in said
    with voyageai.Client() as vo:
        live = vo.embed(TEXTS, model="voyage-4", input_type="document").embeddings
    assert live == np.load(tmp_path / "job/vectors.npy").tolist()
    sent = len(emulator.requests)
    assert said == run()
    assert sent == len(emulator.requests)


def test_what_failed_is_tried_again_if_asked_for(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    """Until the retry, a failed text's row in the matrix is NaN."""
    emulator.batches.fail(times=1)
    said = run()
    assert "line 1): 500 Internal Server Error: 'It rains on day" in said
    assert " of 250 texts for $0.0" in said
    assert np.isnan(np.load(tmp_path / "job/vectors.npy")).any()
    assert "250 of 250 texts" in run("--retry")
    assert not np.isnan(np.load(tmp_path / "job/vectors.npy")).any()


def test_it_does_not_start_if_it_costs_too_much(emulator: Emulator, run: Any) -> None:
    """The example states the cost and stops before anything is billed."""
    assert "max_cost is $0.000001, but the job would cost about $0.0" in run(
        "--max-cost", "0.000001", fails=True
    )
    assert 0 == len(emulator.requests)
