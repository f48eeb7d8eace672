"""Search the docstrings of the running Python's standard library.

Runs against the API when a key is found, such as in VOYAGE_API_KEY, and else against a local
emulator, which needs no key and sends nothing anywhere.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import voyageai
import voyageai.emulator
from corpus import harvest
from display import bar, dollars, hits_table, scores_table, spending_table
from evaluation import Labelled, Scores, labelled_questions, scores_by_kind
from rich.console import Console
from rich.prompt import Confirm
from search import CANDIDATES, Search
from voyageai.error import VoyageError
from voyageai_rest import catalogue

QUESTIONS = [
    "How do I unpack a zip file?",
    "find the most common items of a list",
    "run a command and capture its output",
    "which weekday is a date?",
    "a temporary file that is deleted when closed",
]
EMULATOR = (
    "[yellow]No API key found: this runs on the local emulator.[/] Nothing is sent, and nothing "
    "charged. Its vectors are made of the words of a text; they are not the models'. With a key "
    "in VOYAGE_API_KEY the same demo runs on the models."
)
API = "[green]API key found: this runs on the API and its models.[/]"
ASK_FROM = 0.10
"""Estimated US dollars from which a person at a terminal is asked first."""


def main(given: Sequence[str] | None = None) -> int:
    """Run the demo. Returns the exit status."""
    options = arguments(given)
    console = Console()
    try:
        with connected() as (client, on_api):
            return run(client, on_api, options, console)
    except VoyageError as error:
        console.print(f"[red]{type(error).__name__}[/]: ", end="")
        console.print(str(error), markup=False)
        return 1


@contextmanager
def connected() -> Generator[tuple[voyageai.Client, bool]]:
    """Give a client, and whether it speaks to the API rather than the emulator."""
    with voyageai.Client(max_retries=3) as client:
        if client.api_key is not None:
            yield client, True
            return
    with (
        voyageai.emulator.running() as url,
        voyageai.Client(api_key="emulator", base_url=url) as client,
    ):
        yield client, False


def run(
    client: voyageai.Client, on_api: bool, options: argparse.Namespace, console: Console
) -> int:
    """Embed, answer, measure, and say what it took."""
    started = time.perf_counter()
    console.print(API if on_api else EMULATOR)
    with console.status("Reading the standard library"):
        search = Search(client, harvest(), model=options.model, reranker=options.reranker)
    labelled = labelled_questions() if options.evaluate else {}
    if on_api:
        questions = len(options.questions) + sum(map(len, labelled.values()))
        cost = search.estimate(questions).cost()
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
    seconds = time.perf_counter() - started
    console.print(spending_table(len(search.corpus), search.spent, seconds))
    if options.record:
        record = {
            "engine": "api" if on_api else "emulator",
            "python": platform.python_version(),
            "model": search.model,
            "reranker": search.reranker,
            "candidates": CANDIDATES,
            "texts": len(search.corpus),
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


def embed(search: Search, console: Console) -> None:
    """Embed the corpus behind a progress bar."""
    with bar(console) as progress:
        task = progress.add_task("Embedding the docstrings", total=len(search.corpus))
        for texts in search.index():
            progress.advance(task, texts)


def measure(search: Search, labelled: Labelled, console: Console) -> dict[str, dict[str, Scores]]:
    """Answer the labelled questions and return how well, by kind of question and way to rank."""
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
    """Return the command line's options, defaults filled in."""
    parser = argparse.ArgumentParser(prog="search_stdlib", description=__doc__)
    add = parser.add_argument
    add("questions", nargs="*", metavar="QUESTION", help="asked instead of the built-in ones")
    add("--model", default="voyage-4", help="to embed with (%(default)s)")
    add("--reranker", default="rerank-3", help="to rerank with (%(default)s)")
    add("--top", type=int, default=5, metavar="N", help="results to show (%(default)s)")
    add("--evaluate", action="store_true", help="measure too; done anyway without a QUESTION")
    add("--record", type=Path, metavar="FILE", help="measure, and write the figures as JSON")
    add("--yes", action="store_true", help="never ask before spending")
    options = parser.parse_args(given)
    if options.questions and not any(" " in question for question in options.questions):
        options.questions = [" ".join(options.questions)]  # one question, its quotes left out
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
