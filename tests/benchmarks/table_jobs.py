"""Cost of table jobs: CPU and memory compared with a bare loop, and their use of a rate limit.

    python -m tests.benchmarks.table_jobs cpu [--rows 200000] [--rounds 5] [--latency 0.1]
    python -m tests.benchmarks.table_jobs share [--rows 200000] [--tpm 1000000] [--processes 1]

Both need the package with the extras `tables` and `emulator`, and measure in separate processes.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import voyageai
import voyageai_emulator

WIDTH, AT_ONCE, ROW_GROUP = 256, 1000, 50_000
WORDS = [f"word{number}" for number in range(5000)]
ARGUMENTS: dict[str, Any] = {
    "model": "voyage-4",
    "input_type": "document",
    "output_dimension": WIDTH,
}
MIB = 1024 if sys.platform != "darwin" else 1 << 20
RPM = 2000
LATENCY = 0.3
FIRST_ROWS = 2000
MINUTE = 60.0


# Rows, and a stub server for them


def write_rows(path: Path, rows: int, words: tuple[int, int]) -> None:
    """Write a table of texts, one row group at a time."""
    chance = random.Random(rows)
    schema = pa.schema({"id": pa.int64(), "body": pa.string()})
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, ROW_GROUP):
            ids = range(start, min(rows, start + ROW_GROUP))
            texts = [" ".join(chance.choices(WORDS, k=chance.randint(*words))) for _ in ids]
            writer.write_table(pa.table({"id": list(ids), "body": texts}, schema))


@cache
def answer(count: int) -> bytes:
    """Return the response body with `count` vectors."""
    vector = base64.b64encode(array("f", [0.0625] * WIDTH)).decode()
    data = [{"object": "embedding", "embedding": vector, "index": place} for place in range(count)]
    usage = {"total_tokens": 25 * count}
    return json.dumps(
        {"object": "list", "data": data, "model": "voyage-4", "usage": usage}
    ).encode()


class Stub(BaseHTTPRequestHandler):
    """Respond with the same prepared vectors, after a delay."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    latency = 0.0

    def do_POST(self) -> None:  # the name is fixed by http.server
        """Respond with a vector for each text."""
        body = self.rfile.read(int(self.headers["content-length"]))
        content = answer(len(json.loads(body)["input"]))
        time.sleep(self.latency)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def serve(latency: str) -> None:
    """Serve until the process ends; print the port."""
    Stub.latency = float(latency)
    with ThreadingHTTPServer(("127.0.0.1", 0), Stub) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


# CPU and memory


def bare(url: str, source: str, into: str) -> None:
    """Embed a file without a job: a loop that sends one request after the other."""
    vector = pa.list_(pa.float32(), WIDTH)
    schema = pa.schema({"id": pa.int64(), "embedding": vector})
    with (
        voyageai.Client("key", base_url=url) as vo,
        pq.ParquetWriter(
            into, schema, compression="none", use_dictionary=["id"], write_statistics=["id"]
        ) as writer,
    ):
        for batch in pq.ParquetFile(source).iter_batches(AT_ONCE):
            result = vo.embed(batch.column("body").to_pylist(), **ARGUMENTS)
            columns = [batch.column("id"), result.to_arrow()]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))


def job(url: str, source: str, into: str) -> None:
    """Embed a file with a table job."""
    with voyageai.Client("key", base_url=url) as vo:
        vo.tables.embed(source, text="body", id="id", into=into, progress=False, **ARGUMENTS)


WAYS = {"bare": bare, "job": job}


# The share of a rate limit


def limited(url: str, source: str, into: str, tpm: str, processes: str) -> None:
    """Run a job at its share of a rate limit."""
    limit = voyageai.RateLimit(rpm=RPM, tpm=int(tpm))
    share = 1 / int(processes)
    with voyageai.Client("key", base_url=url, rate_limit=limit) as vo:
        vo.tables.embed(
            source, text="body", id="id", into=into, progress=False, share=share, **ARGUMENTS
        )


def share(rows: int, tpm: int, processes: int) -> None:
    """Run jobs at a rate limit, and print the fraction they used, from the emulator's record."""
    with (
        tempfile.TemporaryDirectory() as folder,
        voyageai_emulator.running(latency=LATENCY) as emulator,
        ExitStack() as stack,
    ):
        emulator.limits.set(ARGUMENTS["model"], rpm=RPM, tpm=tpm)
        arguments: list[tuple[object, ...]] = []
        for number in range(processes):
            source = Path(folder, f"rows-{number}.parquet")
            write_rows(source, rows // processes, (3, 10))
            arguments.append((source, Path(folder, f"vectors-{number}"), tpm, processes))
        jobs = [stack.enter_context(started("limited", emulator, *some)) for some in arguments]
        for process in jobs:
            if process.wait():
                sys.exit("a job failed")
        requests = list(emulator.requests)
    refused = sum(request.status == 429 for request in requests)
    begun = requests[0].time
    minutes = int((requests[-1].time - begun) // MINUTE) - 1
    answered = [
        (request.time - begun, request.tokens or 0) for request in requests if request.status == 200
    ]
    if minutes < 1:
        sys.exit("the jobs took less than two minutes; take more rows")
    within = [tokens for time, tokens in answered if MINUTE <= time < MINUTE * (minutes + 1)]
    print(
        f"{rows:,} rows of {sum(tokens for _, tokens in answered) / rows:.1f} tokens, "
        f"{processes} processes, {len(requests)} requests, {refused} refused (429)\n"
        f"share of {tpm:,} TPM, from second 60 to {60 * (minutes + 1)}: "
        f"{sum(within) / (tpm * minutes):.4f}, by minutes: "
        + ", ".join(
            f"{sum(tokens for time, tokens in answered if time // MINUTE == minute) / tpm:.3f}"
            for minute in range(minutes + 2)
        )
        + f"; the last request came at {answered[-1][0]:.0f} s"
    )


def measured(way: str, url: str, first: str, source: str, into: str) -> None:
    """Embed a file in one way, and print the CPU seconds and the peak memory in MiB.

    A few rows go first, since the time of imports depends on whether bytecode is cached.
    """
    WAYS[way](url, first, f"{into}-first")
    before = cpu()
    WAYS[way](url, source, into)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    print(json.dumps({"cpu": cpu() - before, "peak": peak}))


def cpu() -> float:
    """Return the user and system CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def compare(rows: int, rounds: int, latency: float) -> None:
    """Measure the two ways alternately, and print medians and their ratio."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder, started("serve", latency) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        source = Path(folder, "rows.parquet")
        first = Path(folder, "first.parquet")
        write_rows(source, rows, (8, 24))
        write_rows(first, FIRST_ROWS, (8, 24))
        for number in range(rounds):
            for way, readings in found.items():
                into = Path(folder, f"{way}-{number}")
                with started("measured", way, url, first, source, into) as process:
                    readings.append(json.loads(process.communicate()[0]))
                print(way, readings[-1], flush=True)
    seconds = {way: median(one["cpu"] for one in readings) for way, readings in found.items()}
    peaks = {way: max(one["peak"] for one in readings) for way, readings in found.items()}
    for way in WAYS:
        print(f"{rows:,} rows, {way}: {seconds[way]:.2f} s of CPU, {peaks[way]:.0f} MiB at most")
    ratios = [
        one["cpu"] / other["cpu"] for one, other in zip(found["job"], found["bare"], strict=True)
    ]
    print(f"CPU of the job: {median(ratios):.2f} of the bare loop's, {sorted(ratios)}")


@contextmanager
def started(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run a function of this module in a process, which is killed when the context exits."""
    command = [sys.executable, "-m", __spec__.name, *map(str, arguments)]
    with ExitStack() as stack:
        process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(process.kill)
        yield process


def main() -> None:
    """Run the function that the command line names."""
    commands = {"serve": serve, "measured": measured, "limited": limited}
    if sys.argv[1:2] and sys.argv[1] in commands:
        commands[sys.argv[1]](*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}")
    kinds = parser.add_subparsers(dest="what", required=True)
    figures = kinds.add_parser("cpu", help="CPU and memory beside a bare loop")
    figures.add_argument("--rows", type=int, default=200_000)
    figures.add_argument("--rounds", type=int, default=5)
    figures.add_argument("--latency", type=float, default=0.1, help="seconds before an answer")
    figures = kinds.add_parser("share", help="share of a rate limit, by the emulator's record")
    figures.add_argument("--rows", type=int, default=200_000)
    figures.add_argument("--tpm", type=int, default=1_000_000)
    figures.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    if options.what == "cpu":
        compare(options.rows, options.rounds, options.latency)
    else:
        share(options.rows, options.tpm, options.processes)


if __name__ == "__main__":
    main()
