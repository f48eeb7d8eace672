"""Ray at a rate limit, and Daft with an instant server: `python -m tests.benchmarks.engines`.

`budget`: two Ray workers share a `RateBudget`. Prints the tokens that the emulator processed from
second 60 to the end, as a fraction of its limit, and the number of requests it refused. `daft`: CPU
time and peak memory of a process in which Daft's native runner embeds a Parquet file with our
provider and writes the result. Needs the packages of `nox -s engines`. Asserts nothing.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import resource
import tempfile
import time
from array import array
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

MODEL, WIDTH = "voyage-4", 256
TEXT = "It rains on day {}, and the river in the valley is as high as it was in spring."
WARM_UP = 60
WORKERS = 2


def limited(pipe: Connection, tpm: int) -> None:
    """Run an emulator with a rate limit; at the end send its record of the requests."""
    import voyageai_emulator

    with voyageai_emulator.running(latency=0.3) as emulator:
        emulator.limits.set(MODEL, rpm=2000, tpm=tpm)
        pipe.send(emulator.url)
        pipe.recv()
        pipe.send([(each.time, each.status, each.tokens or 0) for each in emulator.requests])


class Stub(BaseHTTPRequestHandler):
    """Respond immediately, with the same vector for each text."""

    protocol_version = "HTTP/1.1"
    vector = base64.b64encode(array("f", [0.5] * WIDTH).tobytes()).decode()

    def do_POST(self) -> None:  # named by the library
        """Respond with a vector for each text."""
        size = int(self.headers["content-length"])
        texts = json.loads(self.rfile.read(size))["input"]
        data = [
            {"object": "embedding", "index": place, "embedding": self.vector}
            for place in range(len(texts))
        ]
        usage = {"total_tokens": 25 * len(texts)}
        body = {"object": "list", "data": data, "model": MODEL, "usage": usage}
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def stub(pipe: Connection) -> None:
    """Run a server that responds immediately, until it is terminated."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    pipe.send(f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()


def beside(target: Callable[..., None], *args: object) -> tuple[Any, Connection]:
    """Run a function in its own process, with one end of a pipe as the first argument."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=target, args=(there, *args))
    process.start()
    return process, here


def budget(tpm: int, seconds: int) -> None:
    """Measure two Ray workers that share a budget."""
    import pyarrow as pa
    import ray
    from voyageai.integrations.ray import RateBudget
    from voyageai.ratelimit import RateLimit
    from voyageai.tables import Embedder

    server, pipe = beside(limited, tpm)
    url = pipe.recv()
    ray.init(num_cpus=WORKERS, logging_level="ERROR", log_to_driver=False)
    embedder = Embedder(
        "body",
        model=MODEL,
        input_type="document",
        output_dimension=WIDTH,
        rate_limit=RateBudget(RateLimit(rpm=2000, tpm=tpm)),
        base_url=url,
        api_key="emulator",
    )

    def work(worker: int, end: float) -> int:
        rows = 0
        while time.time() < end:
            texts = [TEXT.format(f"{worker}-{rows + row}") for row in range(2000)]
            embedder(pa.record_batch({"body": texts}))
            rows += len(texts)
        return rows

    remote = ray.remote(work)
    begun = time.time()
    done = ray.get([remote.remote(worker, begun + seconds) for worker in range(WORKERS)])
    pipe.send("done")
    answers = pipe.recv()
    server.join()
    first = min(at for at, _, _ in answers)
    last = first + seconds
    counted = sum(
        tokens for at, status, tokens in answers if status == 200 and first + WARM_UP <= at < last
    )
    share = counted / (tpm * (seconds - WARM_UP) / 60)
    refused = sum(status == 429 for _, status, _ in answers)
    print(f"{WORKERS} workers: rows {done}, {len(answers)} requests, {refused} refused")
    print(f"{counted:,} tokens from second {WARM_UP} to {seconds}: {share:.3f} of {tpm:,} TPM")


def embed_with_daft(pipe: Connection, url: str, folder: str) -> None:
    """Embed a Parquet file, and send the CPU seconds and the peak memory in bytes."""
    import daft
    from daft.functions import embed_text
    from voyageai.integrations.daft import VoyageProvider

    provider = VoyageProvider(input_type="document", base_url=url, api_key="stub")
    vectors = embed_text(daft.col("body"), provider=provider, model=MODEL, dimensions=WIDTH)
    frame = daft.read_parquet(f"{folder}/in.parquet").select("id", vectors.alias("v"))
    frame.write_parquet(f"{folder}/out")
    used = resource.getrusage(resource.RUSAGE_SELF)
    pipe.send((used.ru_utime + used.ru_stime, used.ru_maxrss * 1024))


def native(rows: int) -> None:
    """Measure Daft's native runner."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    server, pipe = beside(stub)
    url = pipe.recv()
    with tempfile.TemporaryDirectory() as folder:
        table = pa.table({"id": range(rows), "body": [TEXT.format(row) for row in range(rows)]})
        pq.write_table(table, Path(folder, "in.parquet"), row_group_size=50_000)
        begun = time.perf_counter()
        process, result = beside(embed_with_daft, url, folder)
        seconds, memory = result.recv()
        process.join()
        wall = time.perf_counter() - begun
        written = sum(
            pq.read_metadata(path).num_rows for path in Path(folder, "out").rglob("*.parquet")
        )
    server.terminate()
    print(f"{written:,} rows of {WIDTH} numbers: {seconds:.1f} s of processor time")
    print(f"{memory / 1e6:.0f} MB at most, {wall:.1f} s, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("figure", choices=["budget", "daft"])
    parser.add_argument("--tpm", type=int, default=300_000)
    parser.add_argument("--seconds", type=int, default=240)
    parser.add_argument("--rows", type=int, default=200_000)
    asked = parser.parse_args()
    if asked.figure == "budget":
        budget(asked.tpm, asked.seconds)
    else:
        native(asked.rows)
