"""The bars, which are targets for the client and the emulator, with the reason for each."""

from __future__ import annotations

from dataclasses import dataclass

from . import hostile

# Sections, one table each.
WEIGHT = "Install weight"
IMPORT = "Import, in a fresh process"
IMPORT_ALONE = "Import alone, less bare python"
FIRST = "First vector in hand, in a fresh process"
SYNC = "1000 x 1024 answer, sync"
ASYNC = "1000 x 1024 answer, async"
SMALL = "1 x 1024 answer, sync"
SMALL_ASYNC = "1 x 1024 answer, async"
MEMORY = "Memory of a 1000 x 1024 answer"
HOSTILE = "Hostile answers to 1000 texts, async"
TOGETHER = "in flight, 1 x 1024 answers after 20 ms"
IN_FLIGHT = (1, 32, 128, 512)
PACED = "100 calls a second, 1 x 1024 answers after 20 ms"
RATE_LIMIT = 100
"""Calls a second that the highest published rate limit allows: 6,000 a minute."""
EMULATOR_EMBED = "Emulator, 1 text"
EMULATOR_CONTEXTUALIZED = "Emulator, 1 document of 2 chunks"
EMULATOR_MULTIMODAL = "Emulator, 1 multimodal input"
EMULATOR_RERANK = "Emulator, 3 documents to rank"
EMULATOR_BASE64 = "Emulator, 1000 texts, base64"
EMULATOR_LISTS = "Emulator, 1000 texts, lists"
JOB = "Emulator, large batch job"


def together(in_flight: int) -> str:
    """Return the title of the section with this number of concurrent calls."""
    return f"{in_flight} {TOGETHER}"


# Rows that have bars, and the row that ratios refer to.
OURS = "this"
OURS_NUMPY = "this + numpy"
OURS_TLS = "this, with a TLS context"
OURS_EMULATOR = "this + emulator"
OFFICIAL = "official"
BARE = "bare python"
MATRIX = "this, embed().to_numpy()"
LISTS = "this, embed().embeddings"
OFFICIAL_EMBED = "official, embed()"
AIOHTTP = "aiohttp + json + base64 + numpy"
HTTPX2 = "httpx2 + json + base64 + numpy"
EMULATOR = "emulator"
BARE_ROUTE = "bare Starlette route"

# Quantities, one or two columns each.
DISTRIBUTIONS = "distributions"
MEGABYTES = "MB"
WALL = "wall ms"
CPU = "CPU ms"
KEPT = "kept / own bytes"
PEAK = "peak / own bytes"
EACH = "ms per call"
EACH_CPU = "CPU ms per call"
CORES = "cores used"
LINES = "lines"
SECONDS = "s"
RATE = "lines per s"
PEAK_MEMORY = "peak MB"


@dataclass(frozen=True)
class Bar:
    """The upper limit of a figure.

    Attributes:
        section, row, quantity: Position of the figure.
        limit: Maximum value.
        meaning: Why the figure matters, in one line.
        ratio: Whether the limit applies to the ratio to the section's base.
        base: Row that the ratio refers to, if it is not the section's base.
    """

    section: str
    row: str
    quantity: str
    limit: float
    meaning: str
    ratio: bool = True
    base: str | None = None


BARS = (
    Bar(WEIGHT, OURS, DISTRIBUTIONS, 10, "few packages to trust and to keep updated", ratio=False),
    Bar(WEIGHT, OURS, MEGABYTES, 15, "fits small containers and functions", ratio=False),
    Bar(IMPORT, OURS, CPU, 0.08, "programs that import it without using it are hardly slowed down"),
    Bar(FIRST, OURS_TLS, CPU, 0.40, "short-lived processes do not spend their time on start-up"),
    Bar(SYNC, MATRIX, WALL, 0.22, "vectors reach numpy without becoming Python objects"),
    Bar(SYNC, LISTS, WALL, 0.75, "lists cost little more than creating their floats"),
    Bar(SMALL, LISTS, CPU, 0.60, "many small calls cost little more than the wait for responses"),
    # 0.6 and 0.35 of aiohttp's calls per second.
    Bar(
        together(32), LISTS, EACH, 1.67, "many concurrent calls are nearly as fast as with aiohttp"
    ),
    Bar(
        together(128),
        LISTS,
        EACH,
        2.86,
        "throughput does not collapse with very many concurrent calls",
    ),
    Bar(PACED, LISTS, CORES, 0.35, "even the highest rate limit takes little CPU", ratio=False),
    Bar(together(32), LISTS, EACH, 1.0, "not slower than the official client", base=OFFICIAL_EMBED),
    Bar(
        together(128), LISTS, EACH, 1.0, "not slower than the official client", base=OFFICIAL_EMBED
    ),
    Bar(MEMORY, MATRIX, KEPT, 1.1, "memory holds the vectors once, and nothing else", ratio=False),
    *(
        Bar(
            HOSTILE,
            row,
            hostile.STALL,
            1,
            "no response blocks the event loop longer than a valid one",
        )
        for row in hostile.HOSTILE
    ),
    *(
        Bar(HOSTILE, row, hostile.PEAK, 2, "no response takes much more memory than a valid one")
        for row in hostile.HOSTILE
    ),
    # 200 requests per second on one core.
    Bar(
        EMULATOR_EMBED,
        EMULATOR,
        EACH_CPU,
        5,
        "test suites do not wait for the emulator",
        ratio=False,
    ),
    Bar(
        EMULATOR_CONTEXTUALIZED,
        EMULATOR,
        EACH_CPU,
        5,
        "test suites do not wait for this endpoint",
        ratio=False,
    ),
    Bar(
        EMULATOR_MULTIMODAL,
        EMULATOR,
        EACH_CPU,
        5,
        "test suites do not wait for this endpoint",
        ratio=False,
    ),
    Bar(
        EMULATOR_RERANK,
        EMULATOR,
        EACH_CPU,
        5,
        "test suites do not wait for this endpoint",
        ratio=False,
    ),
    Bar(
        EMULATOR_BASE64,
        EMULATOR,
        EACH,
        150,
        "a full request gets its response quickly",
        ratio=False,
    ),
    Bar(
        EMULATOR_LISTS,
        EMULATOR,
        EACH,
        150,
        "a full request gets its response quickly in any encoding",
        ratio=False,
    ),
    Bar(
        JOB,
        EMULATOR,
        PEAK_MEMORY,
        300,
        "a full job fits easily into a laptop's memory",
        ratio=False,
    ),
)
