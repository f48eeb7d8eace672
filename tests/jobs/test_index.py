"""Index twenty thousand files in spite of kills, search the index and update it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from voyageai_emulator import Emulator
from voyageai_emulator.recording.record import fingerprint

FILES = 20_000
LINES = 35
CHANGED = 10
OPERATION = "createEmbeddings"
KEY, KILLED = "pa-emulated", "pa-killed"
MEMORY = 200_000_000


def sources() -> Iterator[str]:
    """Yield the source of the standard library in files of a few dozen lines."""
    library = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(library.rglob("*.py")):
        if "site-packages" in path.parts:
            continue
        try:
            lines = path.read_text("utf-8").splitlines(keepends=True)
        except UnicodeDecodeError:  # some of the library's test files
            continue
        for first in range(0, len(lines), LINES):
            text = "".join(lines[first : first + LINES])
            if text.strip() and "\0" not in text:
                yield text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the files into a folder, with a time one hour ago."""
    found = tmp_path_factory.mktemp("library")
    then = time.time() - 3600
    for number, text in enumerate(islice(sources(), FILES)):
        path = found / f"{number // 100:03}" / f"{number:05}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8", newline="")
        os.utime(path, (then, then))
    return found


def begin(emulator: Emulator, *words: str | Path, key: str = KEY) -> subprocess.Popen[str]:
    """Start a command in a new process."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "voyageai", *map(str, words), "--json"],
        env={**os.environ, "VOYAGE_API_KEY": key, "VOYAGE_BASE_URL": emulator.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def done(emulator: Emulator, *words: str | Path) -> Any:
    """Run a command and return its output."""
    with begin(emulator, *words) as process:
        output, errors = process.communicate()
    assert 0 == process.returncode, errors
    return json.loads(output)


def texts(emulator: Emulator, *keys: str) -> Counter[str]:
    """Count how often each text was sent with any of the keys in a request that was not a 400.

    The first requests may be refused for too many tokens, which is not billed: until the first
    answer the command does not know the number of tokens per character.
    """
    emulator.requests.settle()
    prints = {fingerprint(key) for key in keys}
    return Counter(
        text
        for request in emulator.requests.of(OPERATION)
        if request.key in prints and request.status != 400
        for text in request.body["input"]
    )


def answered_rows(log: Path) -> int:
    """Count the rows of a job that have an answer."""
    lines = log.read_text().splitlines(keepends=True) if log.exists() else []
    events = [json.loads(line) for line in lines if line.endswith("\n")]
    return sum(
        stop - start for event in events for start, stop in event.get("rows", ()) if "crc" in event
    )


def test_twenty_thousand_files_are_indexed_searched_and_kept_up(
    folder: Path, emulator: Emulator
) -> None:
    """After a kill only requests in flight are sent again, and later only changed files."""
    log = folder / ".voyageai/_work/job/_job/000000/log.jsonl"
    with begin(emulator, "index", "-m", "voyage-4", folder, key=KILLED) as process:
        while answered_rows(log) < 2000:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.kill()
    answered = answered_rows(log)
    result = done(emulator, "index", "-m", "voyage-4", folder)
    # A request may arrive after its sender was killed, so each process has its own key.
    once, first = texts(emulator, KEY, KILLED), texts(emulator, KILLED)
    again = once - Counter(set(once))
    print(f"{result}; {first.total():,} sent and {answered:,} kept before, {again.total():,} twice")

    assert FILES == result["files"]
    assert 0 == result["failed"]
    assert again <= first
    assert first.total() - answered == again.total()
    assert result["embedded"] == len(once) - answered

    emulator.requests.clear()
    hits = done(emulator, "search", "how is a compressed file read?", folder, "-k", "5")
    assert 5 == len(hits)
    for hit in hits:
        assert hit["text"] in Path(hit["path"]).read_text("utf-8")

    emulator.requests.clear()
    changed = sorted(folder.rglob("*.py"))[7 :: FILES // CHANGED]
    for path in changed:
        path.write_text(path.read_text("utf-8") + "# a line that was not there\n", "utf-8")
    result = done(emulator, "index", folder)
    sent = texts(emulator, KEY)

    assert CHANGED == len(changed)
    assert result["embedded"] == len(sent) == sent.total()
    assert CHANGED <= len(sent) <= 2 * CHANGED
    now = [path.read_text("utf-8") for path in changed]
    assert all(any(text in whole for whole in now) for text in sent)


PROBE = """
import re, runpy, sys
try:
    sys.argv = ["voyageai", *sys.argv[1:]]
    runpy.run_module("voyageai", run_name="__main__")
finally:
    status = open("/proc/self/status").read()
    sys.stderr.write(re.search("VmHWM:\\s*(\\d+)", status)[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_a_search_in_200_000_chunks_takes_little_memory(emulator: Emulator, tmp_path: Path) -> None:
    """The vectors take 205 megabytes, which are never in memory all at once."""
    write_index(tmp_path, rows=200_000, columns=1024)
    environment = {"VOYAGE_API_KEY": "pa-emulated", "VOYAGE_BASE_URL": emulator.url}
    process = subprocess.run(
        [sys.executable, "-c", PROBE, "search", "anything", str(tmp_path)],
        env={**os.environ, **environment},
        capture_output=True,
        check=True,
        text=True,
    )
    peak = 1024 * int(process.stderr.splitlines()[-1])
    print(f"{peak / 1e6:.0f} MB")

    assert 10 == len(process.stdout.splitlines())
    assert peak < MEMORY


def write_index(base: Path, *, rows: int, columns: int) -> None:
    """Write an index of random vectors for files that do not exist."""
    import numpy as np
    from attrs import asdict
    from voyageai.cli.folder_index.settings import KEY, Settings
    from voyageai.cli.folder_index.store import PART, Known, Row
    from voyageai.cli.folder_index.store import write_index as write
    from voyageai.tables.slices import PartInfo

    class Random(Known):
        def matrix(self, digests: Any) -> Any:
            numbers = np.random.default_rng(len(digests))
            return numbers.integers(-90, 90, (len(digests), columns), np.int8)

    about = {
        "model": "voyage-4",
        "output_dtype": "int8",
        "dimension": columns,
        "space": "voyage-4",
        KEY: asdict(Settings(model="voyage-4")),
    }
    info = PartInfo(
        job="",
        slice=0,
        input=0,
        first=0,
        rows=rows,
        failed=0,
        last=True,
        digest="",
        tokens=0,
        unknown_tokens=0,
        about=about,
    )
    chunks = [
        Row(f"folder/file-{n // 10}.py", n % 10, n % 10, 0, 1, f"{n:064x}", 1, 1)
        for n in range(rows)
    ]
    (base / ".voyageai").mkdir()
    write(base / ".voyageai" / PART, chunks, Random(), info)
