"""Tables whose processes are killed or that have many bad rows hold each row once."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import voyageai
from voyageai.tables.slices import read_info
from voyageai_emulator import Emulator
from voyageai_emulator.recording.record import fingerprint

from ..tables.bad_rows import check_bad_rows
from .tables_killed import CONCURRENCY, OPTIONS, PER_REQUEST, SLICE

KILLS, ROWS = 50, 5600
PATIENCE = 120


def number_of(text: str) -> int:
    """Return the row number of a text."""
    return int(text.rpartition(" ")[2])


def answered(directory: Path, rows: int) -> set[int]:
    """Return the rows for which a job has stored answers."""
    found = set[int]()
    for path in directory.glob("part-*.parquet"):
        part = read_info(path)
        found.update(range(part.first, part.first + part.rows))
    for log in directory.glob("_job/[0-9]*/log.jsonl"):
        first = int(log.parent.name) * rows
        for line in log.read_bytes().splitlines(keepends=True):
            event = json.loads(line) if line.endswith(b"\n") else {}
            for start, stop in event.get("rows", ()) if "answered" in event else ():
                found.update(range(first + start, first + stop))
    return found


def sent(emulator: Emulator, key: str) -> Counter[int]:
    """Count how often each row was sent with a key, by the emulator's record."""
    mark = fingerprint(key)
    bodies = [one.body for one in emulator.requests if one.key == mark and one.body is not None]
    texts = [body.get("documents") or body["input"] for body in bodies]
    return Counter(number_of(text) for some in texts for text in some)


@pytest.mark.parametrize(("method", "kind"), [("embed", "Client"), ("rerank", "AsyncClient")])
def test_a_table_outlives_fifty_kills(
    method: str, kind: str, emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    """Only requests in flight at a kill are sent again, and no row is lost or doubled.

    Every other process is killed once the emulator has received some requests, the others before
    they open, rename or remove some file.
    """
    rows = range(ROWS)
    source, into = tmp_path / "rows.parquet", tmp_path / "vectors"
    columns = {
        "id": [f"id-{row}" for row in rows],
        "query": [f"query {row // PER_REQUEST}" for row in rows],
        "body": [f"text {row}" for row in rows],
    }
    pq.write_table(pa.table(columns), source, row_group_size=ROWS // 4)
    emulator.latency = 0.01
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    keys, kept = list[str](), list[set[int]]()
    while True:
        # A request may arrive after its sender was killed, so each process has its own key.
        keys.append(f"key-{len(keys)}")
        kills, begun = len(kept), len(emulator.requests)
        by_file = chance.randint(1, 60) if kills % 2 and kills < KILLS else 0
        requests = begun + chance.randint(1, 9) if kills < KILLS and not by_file else 10**9
        with run(
            "tables_killed", method, kind, emulator, keys[-1], source, into, by_file
        ) as process:
            while process.poll() is None:
                if len(emulator.requests) >= requests:
                    process.kill()
                    break
                time.sleep(0.001)
            _, errors = process.communicate(timeout=PATIENCE)
        if process.returncode == 0:
            break
        assert -9 == process.returncode, errors
        kept.append(answered(into, SLICE[method]))

    emulator.requests.settle()
    by_key = [sent(emulator, key) for key in keys]
    lost = [some.keys() - done for some, done in zip(by_key, [*kept, set(rows)], strict=True)]
    total = sum(by_key, Counter[int]())
    table = pq.read_table(into)
    assert KILLS == len(kept)
    assert columns["id"] == table["id"].to_pylist()
    assert set(rows) == total.keys()
    assert max(map(len, lost)) <= CONCURRENCY * PER_REQUEST
    assert ROWS + sum(map(len, lost)) == total.total()
    with voyageai.Client("key", base_url=emulator) as vo:
        if method == "embed":
            some = chance.sample(rows, 100)
            live = vo.embed([columns["body"][row] for row in some], "voyage-4", **OPTIONS)
            assert live.embeddings == table.take(some)["embedding"].to_pylist()
        else:
            first = vo.rerank("query 7", columns["body"][70:80], "rerank-2.5")
            scores = {result.index: result.relevance_score for result in first.results}
            assert [scores[row] for row in range(10)] == table["relevance_score"][70:80].to_pylist()


def test_two_hundred_bad_rows_of_twenty_thousand_stop_no_other(
    emulator: Emulator, tmp_path: Path
) -> None:
    """Rows fail for five different reasons, and a retry sends only those again."""
    check_bad_rows(emulator, tmp_path, 20_000)
