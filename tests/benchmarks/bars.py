"""The bars: the limits that client and emulator must meet, and why each one matters."""

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
    """Return the title of the section for so many concurrent calls."""
    return f"{in_flight} {TOGETHER}"


# Rows that bars limit, and the one that ratios refer to.
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
        section, row, quantity: The place of the figure.
        limit: The highest value allowed.
        meaning: A line that says why it matters.
        ratio: Whether the limit applies to the figure's ratio to its section's base.
        base: The row to which the ratio refers, if not the section's base.
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
    Bar(IMPORT, OURS, CPU, 0.08, "programs that import it and do not call it hardly notice"),
    Bar(FIRST, OURS_TLS, CPU, 0.40, "short-lived processes are not all start-up"),
    Bar(SYNC, MATRIX, WALL, 0.22, "vectors reach numpy without becoming Python objects"),
    Bar(SYNC, LISTS, WALL, 0.75, "lists cost little more than making their floats"),
    Bar(SMALL, LISTS, CPU, 0.60, "many small calls cost little more than their wait"),
    # 0.6 and 0.35 of aiohttp's calls per second.
    Bar(together(32), LISTS, EACH, 1.67, "many calls at once are nearly as quick as by aiohttp"),
    Bar(together(128), LISTS, EACH, 2.86, "very many calls at once do not collapse"),
    Bar(PACED, LISTS, CORES, 0.35, "the highest rate limit is no load", ratio=False),
    Bar(together(32), LISTS, EACH, 1.0, "never slower than the official", base=OFFICIAL_EMBED),
    Bar(together(128), LISTS, EACH, 1.0, "never slower than the official", base=OFFICIAL_EMBED),
    Bar(MEMORY, MATRIX, KEPT, 1.1, "only the vectors stay in memory, once", ratio=False),
    *(
        Bar(HOSTILE, row, hostile.STALL, 1, "no server holds a loop up longer")
        for row in hostile.HOSTILE
    ),
    *(Bar(HOSTILE, row, hostile.PEAK, 2, "nor takes much more memory") for row in hostile.HOSTILE),
    # 200 requests per second on one core.
    Bar(EMULATOR_EMBED, EMULATOR, EACH_CPU, 5, "test suites do not wait for it", ratio=False),
    Bar(EMULATOR_CONTEXTUALIZED, EMULATOR, EACH_CPU, 5, "nor at this endpoint", ratio=False),
    Bar(EMULATOR_MULTIMODAL, EMULATOR, EACH_CPU, 5, "nor at this one", ratio=False),
    Bar(EMULATOR_RERANK, EMULATOR, EACH_CPU, 5, "nor when they rerank", ratio=False),
    Bar(EMULATOR_BASE64, EMULATOR, EACH, 150, "a full request is soon answered", ratio=False),
    Bar(EMULATOR_LISTS, EMULATOR, EACH, 150, "in any encoding", ratio=False),
    Bar(JOB, EMULATOR, PEAK_MEMORY, 300, "a laptop does not notice a full job", ratio=False),
)
