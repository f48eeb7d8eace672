"""A job on the emulator whose file has one bad row in a hundred, of five kinds."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pyarrow.parquet as pq
import voyageai
from voyageai_emulator import Emulator

from .conftest import KEY

MARK = "the server refuses this"
MODEL, TOO_LONG = "voyage-2", "a " * 4100  # 4,100 tokens; the limit is 4,000
KINDS: list[tuple[str | None, str, int | None, str]] = [
    (None, "null", None, "it is null"),
    ("", "empty", None, "it is empty"),
    (TOO_LONG, "refused", 400, "too many tokens"),
    ("half of a letter: \ud83d", "invalid_text", None, "it is not valid Unicode"),
    (MARK, "refused", 422, "of its own"),
]
"""By kind: the text, and the code, status and part of the message of its failure."""


def check_bad_rows(emulator: Emulator, folder: Path, rows: int) -> None:
    """Embed the file, then retry failed rows at a server that refuses fewer rows."""
    bad = {row: KINDS[row // 100 % 5] for row in range(99, rows, 100)}
    bodies = [bad[row][0] if row in bad else f"text {row} of many" for row in range(rows)]
    with (folder / "rows.ndjson").open("w") as file:
        for row, body in enumerate(bodies):
            file.write(json.dumps({"id": f"id-{row}", "body": body}) + "\n")
    refused = MARK.encode()

    def refuse(request: httpx2.Request) -> None:
        if refused and refused in request.content:
            request.headers["x-emulator-fault"] = (
                "status; status=422; detail=for reasons of its own"
            )

    with (
        httpx2.Client(event_hooks={"request": [refuse]}) as http,
        voyageai.Client(KEY, base_url=emulator, transport=http) as vo,
    ):
        job = vo.tables.prepare_embed(
            folder / "rows.ndjson",
            text="body",
            id="id",
            model=MODEL,
            input_type="document",
            into=folder / "vectors",
            truncation=False,
            progress=False,
        )
        result = job.run()
        failures = {failure.id: failure for failure in result.failures()}
        there = ids_in(folder / "vectors")
        begun, refused = len(emulator.requests), b""
        again = job.retry_failed()

    assert (rows - len(bad), len(bad)) == (result.rows, result.failed)
    assert {f"id-{row}" for row in bad} == failures.keys()
    for row, (_, code, status, message) in bad.items():
        failure = failures[f"id-{row}"]
        assert (code, status) == (failure.code, failure.status)
        assert message in failure.message
    assert [f"id-{row}" for row in range(rows) if row not in bad] == there

    sent = [text for request in emulator.requests[begun:] for text in request.body["input"]]
    assert {TOO_LONG, MARK} == set(sent)
    mended = {row for row, (text, *_) in bad.items() if text == MARK}
    assert (rows - len(bad) + len(mended), len(bad) - len(mended)) == (again.rows, again.failed)
    assert [f"id-{row}" for row in range(rows) if row not in bad or row in mended] == ids_in(
        folder / "vectors"
    )


def ids_in(path: Path) -> list[str]:
    """Return the ids of a table."""
    ids: list[str] = pq.read_table(path, columns=["id"])["id"].to_pylist()
    return ids
