"""Search the docstrings of the running Python's standard library.

With a key, such as in VOYAGE_API_KEY, it uses the API, or the host in VOYAGE_BASE_URL; without a
key it starts a local emulator, and sends nothing over the network. It keeps the docstrings and
vectors for the next run.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import voyageai
import voyageai_emulator
from attrs import asdict
from cache import FOLDER, Vectors, emulator_version, kept_corpus
from corpus import harvest
from corpus.docstring import Docstring
from display import bar, dollars, hits_table, scores_table, spending_table
from evaluation import Labelled, Sizes, labelled_questions, scores_by_kind
from rich.console import Console
from rich.prompt import Confirm
from search import CANDIDATES, Search
from voyageai.error import VoyageError
from voyageai.evaluation import Scores
from voyageai.keys import base_url
from voyageai_rest import catalogue
from voyageai_rest.operations import SERVERS

QUESTIONS = [
    "How do I unpack a zip file?",
    "find the most common items of a list",
    "run a command and capture its output",
    "which weekday is a date?",
    "a temporary file that is deleted when closed",
]
API, EMULATOR, UNKNOWN = "api", "emulator", "unknown"
NO_KEY = (
    "[yellow]No API key found: this runs on a local emulator.[/] Nothing leaves this machine. With "
    "a key in VOYAGE_API_KEY the demo runs on the API and its models."
)
HOSTS = {
    API: "[green]This runs on the API and its models, at {host}.[/]",
    EMULATOR: "[yellow]This runs on an emulator, at {host}.[/] Nothing is charged. Its vectors are "
    "made of the words of a text; they are not the models'.",
    UNKNOWN: "[yellow]This runs on {host}, which is neither a known host of the API nor an "
    "emulator.[/] It may charge as the API does.",
}
"""What is said of a host."""
ASK_FROM = 0.10
"""Estimated US dollars from which a person at a terminal is asked first."""


def main(given: Sequence[str] | None = None) -> int:
    """Run the demo, and return the exit status."""
    options = arguments(given)
    console = Console()
    try:
        with connected(console) as (client, url):
            return run(client, url, options, console)
    except (VoyageError, OSError) as error:
        console.print(f"[red]{type(error).__name__}[/]: ", end="")
        console.print(str(error), markup=False)
        return 1


@contextmanager
def connected(console: Console) -> Generator[tuple[voyageai.Client, str]]:
    """Yield a client and its base URL; without a key, of an emulator that it starts."""
    with voyageai.Client(max_retries=3) as client:
        if client.api_key is not None:
            yield client, base_url(None, client.api_key, os.environ)
            return
    with (
        voyageai_emulator.running() as url,
        voyageai.Client(api_key="emulator", base_url=url) as client,
    ):
        console.print(NO_KEY)
        yield client, url


def kind_of(url: str) -> str:
    """Return the kind of a host: the contract lists the API's hosts, others are probed."""
    host = urlsplit(url).hostname
    if host in {urlsplit(server.url).hostname for server in SERVERS}:
        return API
    try:
        # Every response of an emulator has this header, even to a request without a key.
        answer = httpx2.head(httpx2.URL(url).join("/"))
    except httpx2.HTTPError:
        return UNKNOWN  # the first call says what is wrong
    return EMULATOR if "x-emulator" in answer.headers else UNKNOWN


def run(client: voyageai.Client, url: str, options: argparse.Namespace, console: Console) -> int:
    """Embed the docstrings, answer questions, measure the quality, and print the cost."""
    started = time.perf_counter()
    address, host = urlsplit(url), kind_of(url)
    console.print(HOSTS[host].format(host=address.hostname))
    engine = emulator_version() if host == EMULATOR else f"{address.hostname}-{address.port}"
    search = Search(
        client,
        kept_corpus(options.cache, lambda: read(console)),
        model=options.model,
        reranker=options.reranker,
        kept=Vectors.of(options.cache, engine, options.model),
    )
    labelled = labelled_questions() if options.evaluate else {}
    sizes = Sizes(search.corpus, labelled_questions(), search.model)
    missing = len(search.missing)
    known = len(search.corpus) - missing
    kept = f"{known:,} of {len(search.corpus):,} vectors, in {os.path.relpath(options.cache)}"
    console.print(f"Kept from earlier runs: {kept}", soft_wrap=True)
    if host != EMULATOR:
        questions = len(options.questions) + sum(map(len, labelled.values()))
        cost = search.estimate(questions).cost()
        if options.sizes and cost is not None:
            more = sizes.estimate().cost
            cost = None if more is None else cost + more
        console.print(f"It will cost about {dollars(cost)} or less at list price.")
        dear = cost is None or cost >= ASK_FROM
        asked = dear and console.is_interactive and not options.yes
        if asked and not Confirm.ask("Go on?", console=console):
            return 1
    embed(search, console)
    for question in options.questions:
        console.print(hits_table(question, search.ask(question), options.top))
    measured = measure(search, labelled, console) if labelled else {}
    if measured:
        console.print(scores_table(measured))
    if options.sizes:
        compared = sizes.evaluate(client)
        for model, tokens in compared.tokens.items():
            search.spent.add(model, tokens)
        console.print(str(compared), soft_wrap=True)
    seconds = time.perf_counter() - started
    console.print(spending_table(len(search.corpus), search.spent, seconds))
    if options.record:
        record = {
            "engine": host,
            "python": platform.python_version(),
            "model": search.model,
            "reranker": search.reranker,
            "candidates": CANDIDATES,
            "texts": len(search.corpus),
            "texts_embedded": missing,
            "scores": {
                kind: {way: asdict(row) for way, row in by_way.items()}
                for kind, by_way in measured.items()
            },
            "requests": search.spent.requests,
            "tokens": search.spent.tokens,
            "usd_at_list_price": search.spent.cost(),
            "seconds": round(seconds, 2),
        }
        options.record.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0


def read(console: Console) -> list[Docstring]:
    """Read the docstrings of the standard library behind a progress bar."""
    with bar(console) as progress:
        description = f"Reading the library of Python {platform.python_version()}"
        return harvest(lambda files: progress.track(files, description=description))


def embed(search: Search, console: Console) -> None:
    """Embed the missing texts behind a progress bar."""
    with bar(console) as progress:
        missing = len(search.missing)
        task = progress.add_task("Embedding docstrings", total=missing, visible=missing > 0)
        for texts in search.index():
            progress.advance(task, texts)


def measure(search: Search, labelled: Labelled, console: Console) -> dict[str, dict[str, Scores]]:
    """Answer the labelled questions, and return scores by kind of question and ranking."""
    questions = [question for part in labelled.values() for question in part]
    nearest: dict[str, list[str]] = {}
    reranked: dict[str, list[str]] = {}
    with bar(console) as progress:
        for question, (by_embedding, by_reranker) in zip(
            progress.track(questions, description="Asking labelled questions"),
            search.ask_many(questions),
            strict=True,
        ):
            nearest[question] = [hit.found.name for hit in by_embedding]
            reranked[question] = [hit.found.name for hit in by_reranker]
    return scores_by_kind(labelled, {"embeddings": nearest, "reranker": reranked})


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line, with defaults."""
    parser = argparse.ArgumentParser(prog="search_stdlib", description=__doc__)
    add = parser.add_argument
    add(
        "questions",
        nargs="*",
        metavar="QUESTION",
        help="question to ask instead of the built-in ones",
    )
    add("--model", default="voyage-4", help="embedding model (%(default)s)")
    add("--reranker", default="rerank-3", help="reranker (%(default)s)")
    add("--top", type=int, default=3, metavar="N", help="results to show (%(default)s)")
    add(
        "--evaluate",
        action="store_true",
        help="measure the quality; the default without a QUESTION",
    )
    add(
        "--sizes", action="store_true", help="compare dimensions and dtypes; embeds all texts again"
    )
    add("--record", type=Path, metavar="FILE", help="measure, and write the figures as JSON")
    add(
        "--cache",
        type=Path,
        default=FOLDER,
        metavar="FOLDER",
        help="folder of kept data (%(default)s)",
    )
    add("--yes", action="store_true", help="never ask before spending")
    options = parser.parse_args(given)
    if options.questions and not any(" " in question for question in options.questions):
        options.questions = [" ".join(options.questions)]  # one question, without quotes
    try:
        catalogue.find(options.model)
        catalogue.find(options.reranker)
    except catalogue.UnknownModelError as error:
        parser.error(str(error))
    options.evaluate = options.evaluate or bool(options.record) or not options.questions
    options.questions = options.questions or QUESTIONS
    return options


if __name__ == "__main__":
    sys.exit(main())
