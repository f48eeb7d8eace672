"""Processes killed while they run a job: no line runs twice, and none is lost."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import voyageai
from voyageai_emulator import Emulator

from .killed import OPTIONS, PER_BATCH, PER_LINE, ROWS, TEXTS

KINDS = ["Client", "AsyncClient"]
KILLS = 12
PATIENCE = 60
BATCHES = ROWS // PER_BATCH


def begin(process: Any) -> float:
    """Wait until a process starts its job, and return the time."""
    assert "ready\n" == process.stdout.readline(), process.stderr.read()
    return time.perf_counter()


def end(process: Any) -> None:
    """Wait until a process has finished its job."""
    _, errors = process.communicate(timeout=PATIENCE)
    assert (0, "") == (process.returncode, errors)


def check(emulator: Emulator, key: str, directory: Path) -> None:
    """Assert that a job is complete, and each line was uploaded, run and paid for once."""
    with voyageai.Client(key, base_url=emulator) as vo:
        options = {name: OPTIONS[name] for name in ("model", "input_type", "output_dimension")}
        live = vo.embed(TEXTS, **options)
        results = vo.batches.resume(directory).results()
        assert (live.embeddings, live.total_tokens) == (results.embeddings, results.total_tokens)
        lines = Counter[str]()
        for batch in vo.batches.list():
            assert "completed" == batch.status
            lines.update(row["custom_id"] for row in vo.files.content(batch.input_file_id).lines())
        assert BATCHES == len(list(vo.files.list(purpose="batch")))
    rows = sorted(int(name.split("-")[1]) for name in lines.elements())
    assert list(range(0, ROWS, PER_LINE)) == rows


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_outlives_being_killed_at_random_moments(
    kind: str, emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    """Each job is killed and resumed again and again until it completes."""
    with run("killed", kind, emulator, "measured", tmp_path / "measured") as process:
        begun = begin(process)
        end(process)
        seconds = time.perf_counter() - begun
    seed = random.randrange(2**32)
    print(f"seed {seed}, a job takes {seconds:.2f} s")
    dice = random.Random(seed)
    kills = 0
    for job in count():
        key, directory = f"key-{job}", tmp_path / f"job-{job}"
        is_done = False
        while not is_done:
            with run("killed", kind, emulator, key, directory) as process:
                begin(process)
                try:
                    process.wait(dice.uniform(0, seconds) if kills < KILLS else PATIENCE)
                except subprocess.TimeoutExpired:
                    process.kill()
                    kills += 1
                else:
                    end(process)
                    is_done = True
        check(emulator, key, directory)
        if kills == KILLS:
            break


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operation", ["uploadFile", "createBatch"])
@pytest.mark.parametrize("fault", ["drip", "hang"], ids=["done", "not-done"])
def test_a_job_outlives_being_killed_before_an_answer(
    kind: str, operation: str, fault: str, emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    """The server may have carried out the request although its answer never arrived."""
    slow: dict[str, Any] = {"size": 1, "delay": 1.0} if fault == "drip" else {}
    for _ in range(BATCHES):
        emulator.faults.next(fault, operation=operation, **slow)
        seen = len(emulator.requests.of(operation))
        with run("killed", kind, emulator, "key", tmp_path) as process:
            begin(process)
            while len(emulator.requests.of(operation)) == seen or not is_under_way(
                emulator, operation, fault, seen
            ):
                assert process.poll() is None
                time.sleep(0.01)
            process.kill()
    with run("killed", kind, emulator, "key", tmp_path) as process:
        begin(process)
        end(process)
    check(emulator, "key", tmp_path)


def is_under_way(emulator: Emulator, operation: str, fault: str, seen: int) -> bool:
    """Return whether the server has reached the point at which a fault happens."""
    if fault == "hang":
        return True
    with voyageai.Client("key", base_url=emulator) as vo:
        listed = vo.files if operation == "uploadFile" else vo.batches
        return len(list(listed.list())) > seen
