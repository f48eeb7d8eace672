"""The measurements. Contenders alternate, so that a slow phase of the machine affects them all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from . import bars
from .bars import CPU, DISTRIBUTIONS, LISTS, MATRIX, MEGABYTES, OFFICIAL_EMBED, WALL
from .contenders import AIOHTTP, TLS_FIRST, Environment
from .server import DIMENSIONS
from .tables import Section

HERE = Path(__file__).parent
WARM_UP = 2
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

SECONDS = 0.4
"""How long each reading of calls at once goes on."""

Environments = Mapping[str, Environment]
# Row, contender, and way of calling it in `worker`.
Way = tuple[str, str, str]

WAYS: tuple[Way, ...] = (
    (MATRIX, bars.OURS_NUMPY, "matrix"),
    (LISTS, bars.OURS_NUMPY, "lists"),
    (OFFICIAL_EMBED, bars.OFFICIAL, "lists"),
    ("official, np.array(embed().embeddings)", bars.OFFICIAL, "array"),
    ("openai, embeddings.create()", "openai", "openai"),
    (bars.HTTPX2, "httpx2", "httpx2"),
)
ASYNC_WAYS: tuple[Way, ...] = (
    (MATRIX, bars.OURS_NUMPY, "matrix async"),
    (LISTS, bars.OURS_NUMPY, "lists async"),
    (OFFICIAL_EMBED, bars.OFFICIAL, "lists async"),
    ("openai, embeddings.create()", "openai", "openai async"),
    (bars.HTTPX2, "httpx2", "httpx2 async"),
)
TOGETHER_WAYS: tuple[Way, ...] = (
    (LISTS, bars.OURS, "lists async"),
    (OFFICIAL_EMBED, bars.OFFICIAL, "lists async"),
    ("openai, embeddings.create()", "openai", "openai async"),
    (bars.HTTPX2, "httpx2", "httpx2 async"),
    (bars.AIOHTTP, AIOHTTP, "aiohttp"),
)


def child_environment() -> dict[str, str]:
    """Return a minimal environment, without keys, proxies and Python settings."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "TEMP", "SYSTEMROOT")
    return {name: os.environ[name] for name in kept if name in os.environ}


@contextmanager
def serving(milliseconds: int = 0) -> Generator[str, None, None]:
    """Run the stub server with a latency, and yield its URL."""
    command = [sys.executable, "-I", str(HERE / "server.py"), str(milliseconds)]
    with on_own_core(command) as server:
        yield f"http://127.0.0.1:{int(first_line(server))}"


def first_line(server: subprocess.Popen[str]) -> str:
    """Return the first line that a server prints, once it accepts requests."""
    assert server.stdout is not None
    return server.stdout.readline()


@contextmanager
def on_own_core(command: list[str]) -> Generator[subprocess.Popen[str], None, None]:
    """Run a server on its own core, and this process on another, if there are two or more.

    Processes started inside the `with` block inherit the core of this process.
    """
    before = os.sched_getaffinity(0) if len(CORES) > 1 else set[int]()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            if before:
                os.sched_setaffinity(server.pid, CORES[:1])
                os.sched_setaffinity(0, CORES[1:2])
            yield server
        finally:
            server.terminate()
            if before:
                os.sched_setaffinity(0, before)


def cpu_clock(pid: int) -> Callable[[], float]:
    """Return a function that returns a process's CPU seconds; elapsed seconds if not on Linux."""
    if sys.platform != "linux":
        return time.perf_counter
    clock = (~pid << 3) | 2  # the id of the process's CPU clock on Linux
    return lambda: time.clock_gettime(clock)


def weight(environments: Environments) -> Section:
    """Return the number of installed distributions, and their size in megabytes (10**6 bytes)."""
    section = Section(bars.WEIGHT, bars.OFFICIAL)
    for name, environment in environments.items():
        sizes = [size for _, size in environment.distributions.values()]
        section.add(name, {DISTRIBUTIONS: len(sizes), MEGABYTES: sum(sizes) / 1e6})
    return section


def start_up(title: str, programs: Mapping[str, tuple[Environment, str]], rounds: int) -> Section:
    """Measure new processes, each of which runs one program."""
    section = Section(title, bars.OFFICIAL)
    for turn in range(-1, rounds):
        for name, (environment, code) in programs.items():
            reading = _process([str(environment.python), "-I", "-c", code])
            if turn >= 0:
                section.add(name, reading)
    return section


def imports(environments: Environments, rounds: int) -> Section:
    """Return the cost of importing a client, and of an interpreter that imports nothing."""
    programs = {n: (e, f"import {e.contender.module}") for n, e in environments.items()}
    programs[bars.BARE] = (environments[bars.OURS], "pass")
    return start_up(bars.IMPORT, programs, rounds)


def imports_alone(whole: Section) -> Section:
    """Return the cost of the imports, minus the start of the interpreter in the same round."""
    section = Section(bars.IMPORT_ALONE, whole.base)
    bare = whole.rows[bars.BARE]
    for row, readings in whole.rows.items():
        if row != bars.BARE:
            section.rows[row] = {
                quantity: [
                    value - start for value, start in zip(values, bare[quantity], strict=True)
                ]
                for quantity, values in readings.items()
            }
    return section


def first_vectors(environments: Environments, url: str, rounds: int) -> Section:
    """Return the cost of a process that embeds one text."""
    programs = {
        name: (environment, environment.contender.first.format(url=f"{url}/1"))
        for name, environment in environments.items()
    }
    ours, first = programs[bars.OURS]
    programs[bars.OURS_TLS] = ours, first + TLS_FIRST
    return start_up(bars.FIRST, programs, rounds)


def calls(
    title: str, ways: tuple[Way, ...], environments: Environments, url: str, rounds: int
) -> Section:
    """Measure calls in warm processes."""
    count = int(title.split(maxsplit=1)[0])
    times = max(1, 20 // count)
    section = Section(title, OFFICIAL_EMBED)
    with ExitStack() as stack:
        workers = {
            row: stack.enter_context(_worker(environments[name], way, url, count))
            for row, name, way in ways
        }
        for turn in range(-WARM_UP, rounds):
            for row, worker in workers.items():
                reading = _ask(worker, str(times))
                if turn >= 0:
                    section.add(row, reading)
    return section


def together(in_flight: int, environments: Environments, url: str, rounds: int) -> Section:
    """Measure the time per call with `in_flight` concurrent calls on one event loop."""
    section = Section(bars.together(in_flight), bars.AIOHTTP)
    return _loaded(section, f"{in_flight} {SECONDS}", environments, url, rounds)


def paced(environments: Environments, url: str, rounds: int) -> Section:
    """Measure the fraction of a core that a constant rate of calls takes."""
    request = f"paced {bars.RATE_LIMIT} {SECONDS}"
    return _loaded(Section(bars.PACED), request, environments, url, rounds)


def _loaded(
    section: Section, request: str, environments: Environments, url: str, rounds: int
) -> Section:
    """Return the cost of a load on one event loop, as the worker measures it."""
    with ExitStack() as stack:
        workers = {
            row: stack.enter_context(_worker(environments[name], way, url, 1))
            for row, name, way in TOGETHER_WAYS
        }
        for turn in range(-WARM_UP, rounds):
            for row, worker in workers.items():
                reading = _ask(worker, request)
                if turn >= 0:
                    section.add(row, reading)
    return section


def memory(environments: Environments, url: str) -> Section:
    """Measure the memory that results keep, with tracemalloc."""
    section = Section(bars.MEMORY)
    for row, name, way in WAYS:
        with _worker(environments[name], way, url, 1000) as worker:
            section.add(row, _ask(worker, "memory"))
    return section


def _process(command: list[str]) -> dict[str, float]:
    started = time.perf_counter()
    process = subprocess.Popen(command, env=child_environment())
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return {CPU: 1000 * (used.ru_utime + used.ru_stime), WALL: 1000 * wall}


@contextmanager
def _worker(
    environment: Environment, way: str, url: str, count: int
) -> Generator[subprocess.Popen[str], None, None]:
    script = str(HERE / "worker.py")
    command = [str(environment.python), "-I", script, way, f"{url}/{count}"]
    command += [str(count), str(DIMENSIONS)]
    with subprocess.Popen(
        command, env=child_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        yield worker


def _ask(worker: subprocess.Popen[str], request: str) -> dict[str, float]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    print(request, file=worker.stdin, flush=True)
    answer = worker.stdout.readline()
    if not answer:
        raise subprocess.CalledProcessError(worker.wait(), worker.args)
    reading: dict[str, float] = json.loads(answer)
    return reading
