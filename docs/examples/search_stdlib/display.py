"""Output of the search in the terminal."""

from collections.abc import Mapping, Sequence

import corpus
from evaluation import RESULTS
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from search import Hit
from spending import Spending
from voyageai.evaluation import Scores


def bar(console: Console) -> Progress:
    """Return a progress bar with the elapsed time."""
    description = TextColumn("{task.description}")
    return Progress(
        description, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def hits_table(question: str, hits: Sequence[Hit], most: int) -> Table:
    """Return a table of the best hits of one question."""
    table = titled(question)
    for heading in ("#", "cosine", "rerank"):
        table.add_column(heading, justify="right")
    table.add_column("found")
    for rank, hit in enumerate(hits[:most], start=1):
        relevance = "" if hit.relevance is None else f"{hit.relevance:.3f}"
        name = Text(hit.found.name, style="bold", overflow="fold")
        line = hit.found.matching(question)
        place = Text(corpus.place(hit.found, line), style="dim", overflow="fold")
        matching = Text(line, no_wrap=True, overflow="ellipsis")
        found = Group(name, place, matching)
        table.add_row(str(rank), f"{hit.similarity:.3f}", relevance, found)
    return table


def scores_table(measured: Mapping[str, Mapping[str, Scores]]) -> Table:
    """Return a table of scores by kind of question and ranking."""
    table = titled("How good is it? Labelled questions answered:")
    table.add_column("questions")
    table.add_column("ranked by")
    for heading in (f"recall@{RESULTS}", "MRR", f"nDCG@{RESULTS}"):
        table.add_column(heading, justify="right")
    for kind, by_way in measured.items():
        for way, row in by_way.items():
            figures = (f"{figure:.2f}" for figure in (row.recall, row.mrr, row.ndcg))
            table.add_row(f"{row.queries} {kind}", way, *figures)
    return table


def spending_table(texts: int, spent: Spending, seconds: float) -> Table:
    """Return a table of requests, tokens and list price, by model and in total."""
    table = titled(f"{texts:,} texts in {seconds:.1f} s")
    table.show_footer = True
    table.add_column("model", "total")
    table.add_column("requests", f"{spent.requests.total():,}", justify="right")
    table.add_column("tokens", f"{spent.tokens.total():,}", justify="right")
    table.add_column("list price", dollars(spent.cost()), justify="right")
    for model, tokens in spent.tokens.items():
        requests = spent.requests[model]
        table.add_row(model, f"{requests:,}", f"{tokens:,}", dollars(spent.cost(model)))
    return table


def titled(title: str) -> Table:
    """Return an empty table with a title."""
    return Table(title=Text(title, style="cyan"), title_justify="left", box=SIMPLE_HEAD)


def dollars(amount: float | None) -> str:
    """Return an amount of US dollars to a tenth of a cent."""
    return "unknown" if amount is None else f"${amount:.3f}"
