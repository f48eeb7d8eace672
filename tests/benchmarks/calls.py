"""Count the calls of our own functions that one use of the client takes: `python -m tests.benchmarks.calls`.

A call is one of a function of `PACKAGES` that `sys.setprofile` sees begin in this process, in any
thread. A generator and a coroutine count once, however often they go on; comprehensions and methods
that attrs writes do not count, as no reader has to look at them. The emulator is another process.
"""

from __future__ import annotations

import asyncio
import dis
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from types import CodeType, FrameType
from typing import Any

import voyageai

PACKAGES = ("voyageai", "voyageai_rest")
NO_FUNCTIONS = ("<module>", "<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>")
TEXTS = ["It rains.", "It pours."]
ARGUMENTS: dict[str, Any] = {"model": "voyage-4", "input_type": "document"}
WARM_UP, READINGS = 2, 5
# Longer than the emulator takes, so that the first poll finds the batch completed.
POLL = 1.0

Calls = Counter[tuple[str, str]]
"""How often each function was called, by the names of its module and its own."""


@cache
def start(code: CodeType) -> int:
    """Return the offset at which a function's code starts, or -1 if it does not count."""
    if code.co_name in NO_FUNCTIONS or code.co_filename.startswith("<"):
        return -1
    return next(step.offset for step in dis.get_instructions(code) if step.opname == "RESUME")


@contextmanager
def counted() -> Generator[Calls, None, None]:
    """Collect the calls made inside the `with` block."""
    calls: Calls = Counter()

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            module = str(frame.f_globals.get("__name__"))
            if module.partition(".")[0] in PACKAGES and frame.f_lasti == start(frame.f_code):
                calls[module, frame.f_code.co_qualname] += 1

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


@contextmanager
def emulator() -> Generator[str, None, None]:
    """Run an emulator in another process; yield its base URL."""
    command = [sys.executable, "-m", "voyageai_emulator"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().split()[-1]
        finally:
            server.terminate()


def embed(url: str) -> Calls:
    """Embed two texts with a client that is warm."""
    with voyageai.Client("calls", base_url=url) as vo:
        return warm(lambda: vo.embed(TEXTS, **ARGUMENTS))


def embed_async(url: str) -> Calls:
    """Embed two texts with an asynchronous client that is warm."""
    with asyncio.Runner() as runner:
        vo = voyageai.AsyncClient("calls", base_url=url)

        async def call() -> object:
            return await vo.embed(TEXTS, **ARGUMENTS)

        try:
            return warm(lambda: runner.run(call()))
        finally:
            runner.run(vo.aclose())


def batch_job(url: str) -> Calls:
    """Estimate a batch job of two texts, run it and read its rows."""
    with voyageai.Client("calls", base_url=url) as vo:

        def run() -> None:
            job = vo.batches.prepare_embed(TEXTS, **ARGUMENTS, poll=POLL, progress=False)
            assert job.estimate.most_tokens
            assert [True, True] == [row.result is not None for row in job.run(max_cost=1.0)]

        return warm(run)


def warm(call: Callable[[], object]) -> Calls:
    """Return the calls of a warm client: the fewest of several runs, as responses may be split."""
    for _ in range(WARM_UP):
        call()
    readings = []
    for _ in range(READINGS):
        with counted() as calls:
            call()
        readings.append(calls)
    return min(readings, key=Calls.total)


USES = {"embed": embed, "embed, async": embed_async, "batch job": batch_job}


def main() -> None:
    """Print the calls and modules of each use, and with `-v` how often each module was called."""
    with emulator() as url:
        for name, use in USES.items():
            calls = use(url)
            modules: Counter[str] = Counter()
            for (module, _), times in calls.items():
                modules[module] += times
            print(f"{name}, {len(TEXTS)} texts: {calls.total()} calls, {len(modules)} modules")
            if sys.argv[1:] == ["-v"]:
                print(
                    *(f"  {times:5} {module}" for module, times in modules.most_common()), sep="\n"
                )


if __name__ == "__main__":
    main()
