"""A job continues after its process is killed: no line is lost or answered twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from voyageai_emulator import running
from voyageai_emulator.batches.runner import Runner
from voyageai_emulator.batches.worker import Worker
from voyageai_emulator.settings import Settings
from voyageai_emulator.state import EmulatorState
from voyageai_emulator.store import IN_FLIGHT, FileStore, Store

from tests.emulator.batch_jobs import ENDPOINT, SMALL, Jobs, ids, jsonl, some_lines
from tests.emulator.http_helpers import until

LINES = 2000
KILLS = 6
MOST = 0.25
"""The longest time in seconds before the process is killed."""
SERVE = """
import sys
from voyageai_emulator.server import Server
from voyageai_emulator.settings import Settings

def say(url):
    print(url, flush=True)

Server("127.0.0.1", 0, Settings(state=sys.argv[1]), on_ready=say).run()
"""


@contextmanager
def serving(state: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run an emulator in a process that ends by a kill; yield the process and its base URL."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(state)], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def unfinished(jobs: Jobs) -> list[dict[str, Any]]:
    """Return the jobs in flight."""
    batches: list[dict[str, Any]] = jobs.get("/batches")["data"]
    return [batch for batch in batches if batch["status"] in IN_FLIGHT]


def check_groups(state: Path, job: str) -> int:
    """Fail unless the committed groups of lines follow one another; return their number."""
    store = Store(str(state))
    try:
        found = store.jobs.find(job, None)
        assert found is not None
        groups = store.jobs.answered(found.number)
        assert [1, *(stop for _, stop in groups)] == [*(start for start, _ in groups), LINES + 1]
        return len(groups)
    finally:
        store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_no_line_is_lost_or_repeated_however_often_the_process_is_killed(tmp_path: Path) -> None:
    """The kills come while lines are checked, run and written, and while files are made."""
    state, moment = tmp_path / "state.db", random.Random(4)
    content = jsonl(some_lines(LINES))
    created: list[str] = []
    killed_in: list[str] = []
    while len(killed_in) < KILLS:
        with serving(state) as (process, url), Jobs(url) as jobs:
            if not unfinished(jobs):
                created.append(jobs.create(content)["id"])
            # The test waits in real time, as the kill must come from outside.
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(moment.uniform(0, MOST))
            killed_in += [batch["status"] for batch in unfinished(jobs)]
            process.kill()
            assert -signal.SIGKILL == process.wait()
    assert "in_progress" in killed_in
    with running(state=state) as emulator, Jobs(emulator.url) as jobs:
        assert 0 == emulator.batches.settle(timeout=30)
        for job in created:
            batch = jobs.get(f"/batches/{job}")
            output, errors = jobs.results(job)
            assert ("completed", {"total": LINES, "completed": LINES, "failed": 0}) == (
                batch["status"],
                batch["request_counts"],
            )
            assert (ids(some_lines(LINES)), []) == (ids(output), errors)
        assert len(created) * 2 == len(jobs.get("/files")["data"])
    for job in created:
        assert check_groups(state, job) > 1


def runner_of(store: Store, state: EmulatorState) -> Runner:
    """Return the runner for the jobs of a store."""
    parts: Any = SimpleNamespace(
        store=store,
        contract=state.contract,
        model_context=state.model_context,
        now=state.now,
        max_body=state.max_body,
        batch_limits=state.batch_limits,
    )
    return Runner(parts)


def add_job(store: Store, state: EmulatorState, lines: list[dict[str, Any]]) -> None:
    """Add a job to a store."""
    file = store.files.begin("me", "lines.jsonl", "batch")
    store.files.append(file, jsonl(lines))
    store.files.publish(file, 0, 10**15)
    store.jobs.add(
        owner="me",
        endpoint=ENDPOINT,
        model=SMALL["model"],
        input_file_id="file-1",
        input_file=file,
        completion_window="12h",
        request_params=SMALL,
        created_at=state.now(),
        expected_completion_at=10**15,
    )


def test_a_stop_does_not_wait_for_the_lines_of_a_step() -> None:
    """Each line may take a second, and the next process repeats the step anyway."""
    state = EmulatorState(Settings(clock=lambda: 1000.0))
    add_job(state.store, state, list(some_lines(10)))
    runner = runner_of(state.store, state)
    while (job := state.store.jobs.in_flight()[0]).status == "validating":
        runner.step(job)
    runner.stopping.set()
    runner.step(job)
    assert 0 == state.store.jobs.all()[0].completed
    runner_of(state.store, state).step(job)
    assert 10 == state.store.jobs.all()[0].completed
    state.close()


def test_a_job_goes_on_from_wherever_it_was(tmp_path: Path) -> None:
    """Every single step must leave a state from which another process can continue."""
    file = str(tmp_path / "state.db")
    lines = list(some_lines(200))
    seen: list[tuple[str, int]] = []

    state = EmulatorState(Settings(clock=lambda: 1000.0))
    store = Store(file)
    add_job(store, state, lines)
    while flying := store.jobs.in_flight():
        seen.append((flying[0].status, flying[0].completed))
        runner_of(store, state).step(flying[0])
        store.close()
        store = Store(file)
    (job,) = store.jobs.all()
    assert job.output_file is not None
    output = b"".join(store.files.pieces(job.output_file)).splitlines()
    store.close()
    state.close()
    assert ids(lines) == ids(map(json.loads, output))
    assert [
        ("validating", 0),
        ("validating", 0),
        ("in_progress", 0),
        ("in_progress", 64),
        ("in_progress", 128),
        ("in_progress", 192),
        ("in_progress", 200),
        ("finalizing", 200),
    ] == seen
    assert ("completed", 200) == (job.status, job.completed)


class FullDisk:
    """Stand-in for the files that reports a full disk three times for one line."""

    def __init__(self, files: FileStore) -> None:
        self._files = files
        self.refusals = 3

    def append(self, number: int, content: bytes) -> None:
        if b"line-70" in content and self.refusals:
            self.refusals -= 1
            raise OSError("database or disk is full")
        self._files.append(number, content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)


def test_a_full_disk_pauses_only_its_own_job() -> None:
    """The job continues once there is space, and no line is lost or answered twice."""
    state = EmulatorState(Settings(clock=lambda: 1000.0))
    store: Any = state.store
    for number in (150, 3):
        add_job(store, state, list(some_lines(number)))
    disk = store.files = FullDisk(store.files)
    worker = Worker(state, runner_of(store, state), retry_seconds=0.01)
    worker.wake()
    until(lambda: not worker.settle(5))
    worker.stop()
    assert 0 == disk.refusals
    outputs = {job.total: b"".join(disk.pieces(job.output_file)) for job in store.jobs.all()}
    state.close()
    for number, output in outputs.items():
        assert ids(some_lines(number)) == ids(map(json.loads, output.splitlines()))
    assert {150, 3} == set(outputs)


def test_a_job_is_taken_up_again_when_the_emulator_starts(tmp_path: Path) -> None:
    """An unfinished job resumes without any request."""
    state = tmp_path / "state.db"
    lines = list(some_lines(100))
    with running(state=state) as emulator, Jobs(emulator.url) as jobs:
        emulator.batches.fail("line-1")
        emulator.batches.hold("finalizing")
        job = jobs.create(lines)["id"]
        assert 1 == emulator.batches.settle()
    with running(state=state) as emulator, Jobs(emulator.url) as jobs:
        assert 0 == emulator.batches.settle()
        output, errors = jobs.results(job)
        assert ids(lines) == ids(output) + ids(errors)
        assert ["line-1"] == list(ids(errors))
