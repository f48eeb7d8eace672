"""Processes killed while they build a table: no row is lost, and no batch sent twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import voyageai
from voyageai_emulator import Emulator

from ..tables.conftest import KEY
from ..tables.killed import CONCURRENCY, PER_BATCH, PER_QUERY, ROWS, outlive

KINDS = ["Client", "AsyncClient"]
KILLS = 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_live_table_outlives_being_killed_at_random_moments(
    kind: str, emulator: Emulator, tmp_path: Path
) -> None:
    """The table has each row once, and only requests in flight are sent again."""
    rows = outlive(kind, "live", emulator, tmp_path, KILLS)
    sent = Counter(text for request in emulator.requests for text in request.body["documents"])

    assert {row["body"] for row in rows} == set(sent)
    assert sum(sent.values()) - ROWS <= KILLS * CONCURRENCY * PER_QUERY


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_by_batches_outlives_being_killed_at_random_moments(
    kind: str, emulator: Emulator, tmp_path: Path
) -> None:
    """No batch is submitted twice, and the answers of none are lost."""
    outlive(kind, "batch", emulator, tmp_path, KILLS)
    lines = Counter[str]()
    with voyageai.Client(KEY, base_url=emulator) as vo:
        batches = list(vo.batches.list())
        for batch in batches:
            assert "completed" == batch.status
            lines.update(row["custom_id"] for row in vo.files.content(batch.input_file_id).lines())
        files = list(vo.files.list(purpose="batch"))

    assert ROWS // PER_BATCH == len(batches) == len(files)
    assert {1} == set(lines.values())
    assert ROWS // PER_QUERY == len(lines)
