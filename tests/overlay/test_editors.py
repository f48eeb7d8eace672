"""Editors complete and explain the package from its source, without running it."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest
import voyageai
from voyageai.batches import AsyncBatches, AsyncJob, Batches, Job
from voyageai.files import AsyncFiles, Files
from voyageai.files.content import AsyncFileContent, FileContent
from voyageai.files.objects import AsyncPages, Pages
from voyageai.tables import AsyncTableJob, AsyncTables, TableJob, Tables

CLIENT = "import voyageai\nvo = voyageai.Client()\n"
ASYNC = "import voyageai\nvo = voyageai.AsyncClient()\nasync def main():\n    "
IN_THREADS = {f"a{name}": name for name in ("tokenizer", "tokenize", "count_tokens", "count_usage")}


CASES = {
    "the package": ("import voyageai\nvoyageai.", {"Client", "AsyncClient", "RateLimit", "error"}),
    "a client": (f"{CLIENT}vo.", {"embed", "embed_query", "rerank", "files", "batches", "tables"}),
    "a copy": (f"{CLIENT}vo.with_options(timeout=5).", {"embed", "rerank", "files", "close"}),
    "a copy of a copy": (f"{ASYNC}vo.copy().with_options().", {"embed", "acount_tokens", "aclose"}),
    "a context": (
        "import voyageai\nwith voyageai.Client() as vo:\n    vo.",
        {"embed", "embed_query", "rerank", "files", "batches"},
    ),
    "old names": ("import voyageai\nvoyageai.util.", {"logfmt", "default_api_key", "log_info"}),
    "a result": (f"{CLIENT}vo.embed_query('a', 'voyage-4').", {"embeddings", "to_numpy", "similarity"}),
    "a ranking": (f"{CLIENT}vo.rerank('a', ['b'], 'rerank-2.5').results[0].", {"document", "index"}),
    "batches": (f"{CLIENT}vo.batches.", {"embed", "create", "wait"}),
    "tables": (f"{CLIENT}vo.tables.", {"embed", "prepare_embed", "rerank"}),
    "an asynchronous client": (f"{ASYNC}vo.", {"embed", "acount_tokens", "aclose"}),
    "an awaited result": (f"{ASYNC}(await vo.embed(['a'])).", {"embeddings", "to_numpy"}),
    "an error": (
        f"{CLIENT}try:\n    vo.embed([])\nexcept voyageai.error.RateLimitError as error:\n    error.",
        {"http_status", "request_id", "attempts"},
    ),
}  # fmt: skip
SCRIPT = """
import jedi, json, sys
here = jedi.InterpreterEnvironment()
offered = [jedi.Script(code, environment=here).complete() for code in json.load(sys.stdin)]
print(json.dumps([[name.name for name in names] for names in offered]))
"""


@pytest.fixture(scope="module")
def completed() -> dict[str, set[str]]:
    """Return the names that an editor completes in each case; it imports nothing."""
    asked = json.dumps([code for code, _ in CASES.values()])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], input=asked, capture_output=True, text=True, check=True
    )
    return {case: {*names} for case, names in zip(CASES, json.loads(done.stdout), strict=True)}


@pytest.mark.parametrize("case", CASES)
def test_names_are_completed(case, completed):
    """The package binds names lazily, and an editor never triggers that."""
    assert CASES[case][1] <= completed[case]


def described(method) -> list[str]:
    """Return a docstring without its example."""
    parts = inspect.cleandoc((method.fget if isinstance(method, property) else method).__doc__)
    return [part for part in parts.split("\n\n") if not part.startswith("Example:")]


SAME = [
    name
    for name, member in vars(voyageai.AsyncClient).items()
    if inspect.iscoroutinefunction(member) and not name.startswith("_") and name != "aclose"
]


@pytest.mark.parametrize("name", SAME)
def test_an_asynchronous_method_is_described_as_the_other_is(name):
    """Readers see the full description on either client, and both agree."""
    method = getattr(voyageai.AsyncClient, name)

    assert described(getattr(voyageai.Client, IN_THREADS.get(name, name))) == described(method)
    assert "await vo." in method.__doc__


TWINS = {
    AsyncBatches: Batches,
    AsyncFileContent: FileContent,
    AsyncFiles: Files,
    AsyncJob: Job,
    AsyncPages: Pages,
    AsyncTableJob: TableJob,
    AsyncTables: Tables,
}
METHODS = [(kind, name) for kind in TWINS for name in dir(kind) if name[0] != "_"]
METHODS = [(kind, name) for kind, name in METHODS if getattr(kind, name).__doc__]


@pytest.mark.parametrize(("kind", "name"), METHODS, ids=str)
def test_an_asynchronous_resource_is_described_as_the_other_is(kind, name):
    """Editors show only the method's own docstring, so it must not refer to another."""
    method, other = getattr(kind, name), getattr(TWINS[kind], name.replace("aclose", "close"))
    description = described(method)

    assert described(other) == [part for part in description if part in described(other)]
    assert not description[0].startswith("See ")
    if "Example:" in other.__doc__:
        assert "asyncio.run(" in method.__doc__
