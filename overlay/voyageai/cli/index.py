"""`voyageai index`: embed what is new in a folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import client_options, output_options
from .output import Console, choose_format, is_terminal, pass_console, write_object
from .program import Partly

if TYPE_CHECKING:
    from ..client import Client
    from .folder_index.building import Built, Plan
    from .folder_index.settings import Settings

FORMATS = ("json", "jsonl", "table")
CONFIRM_ABOVE = 0.10
"""US dollars. Chosen: more than a folder of some thousand pages costs."""


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "-m",
    "--model",
    metavar="NAME",
    help="Name of a text embedding model. A new index needs it; others remember theirs.",
)
@click.option("--dtype", "output_dtype", metavar="NAME", help="Dtype of the vectors: int8.")
@click.option(
    "-d", "--dimension", "output_dimension", type=int, metavar="N", help="Dimension of the vectors."
)
@click.option("--chunk-tokens", type=int, metavar="N", help="Tokens of a chunk, about: 400.")
@click.option(
    "--overlap", type=int, metavar="N", help="Tokens that a chunk shares with the one before: 50."
)
@click.option(
    "--glob",
    "only",
    multiple=True,
    metavar="PATTERN",
    help="Only files that match, such as *.md; as in a .gitignore. Can be repeated.",
)
@click.option(
    "--exclude",
    "without",
    multiple=True,
    metavar="PATTERN",
    help="Leave out what matches, beside what a .gitignore names. Can be repeated.",
)
@click.option(
    "--max-file-size",
    "most_bytes",
    type=int,
    metavar="BYTES",
    help="Leave out files that are larger: 1000000.",
)
@click.option(
    "--index",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the index: .voyageai in PATH, or here if PATH is a file or there are several.",
)
@click.option("--rebuild", is_flag=True, help="Embed everything anew, with the options given.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option(
    "--confirm-above",
    type=float,
    default=CONFIRM_ABOVE,
    show_default=True,
    metavar="DOLLARS",
    help="On a terminal, ask before more is spent than this.",
)
@click.option(
    "--max-cost", type=float, metavar="DOLLARS", help="The most that this run may cost; else 6."
)
@output_options(*FORMATS)
@client_options
@pass_console
def index(
    console: Console,
    /,
    connect: Callable[[], Client],
    paths: tuple[str, ...],
    folder: Path | None,
    rebuild: bool,
    dry_run: bool,
    confirm_above: float,
    max_cost: float | None,
    out: str | None,
    path: str | None,
    **chosen: Any,
) -> None:
    """Embed a folder of texts or code, for search.

    Only texts that are new or have changed are sent; those of files that are gone drop out. PATH is
    a folder or a file, by default what the index here holds. Left out are what a .gitignore names,
    hidden and binary files, and large ones. What it costs is said before anything is sent. Ended
    halfway, the same command goes on.

    The options are remembered: later `voyageai index` is enough.

    \b
    Example:
      voyageai index -m voyage-4 docs && voyageai search "where are the keys?" docs
    """
    format = choose_format(out, path, FORMATS)
    found = folder or place_of(paths)
    settings = settings_for(found, paths, chosen, rebuild=rebuild)
    plans: list[Plan] = []
    ask = plans.append if dry_run else confirmation(console, confirm_above)
    built = update(connect, console, found, settings, ask, rebuild=rebuild, max_cost=max_cost)
    if built is None:
        write_object(planned(found, plans[0]), format, path)
        return
    write_object(summary(found, built), format, path)
    if built.failures:
        first = built.failures[0]
        raise Partly(
            f"{len(built.failures):,} texts were refused and are not in the index; the next run "
            f"sends them again. The first: {first.message} ({first.text!r})"
        )


def place_of(paths: Sequence[str]) -> Path:
    """Return the folder of the index of some paths."""
    from .folder_index.searching import FOLDER, find_index

    if len(paths) == 1 and Path(paths[0]).is_dir():
        return Path(paths[0]).absolute() / FOLDER
    found = None if paths else find_index(Path())
    return found or Path().absolute() / FOLDER


def settings_for(
    folder: Path, paths: Sequence[str], chosen: dict[str, Any], *, rebuild: bool = False
) -> Settings:
    """Return what an index is to be: as chosen, else as it is remembered, else by default.

    Args:
        folder: The folder of the index.
        paths: What it is to hold.
        chosen: Fields of `Settings`; None or empty where nothing was chosen.
        rebuild: Whether its vectors are to be others, by default those of the model.

    Raises:
        click.UsageError: There is no model.
    """
    from attrs import evolve

    from .folder_index.settings import Settings, settings_of

    given: dict[str, Any] = {
        name: value for name, value in chosen.items() if value not in (None, ())
    }
    if paths:
        given["roots"] = tuple(_below(Path(path), folder.absolute().parent) for path in paths)
    remembered = settings_of(folder)
    if remembered is not None and rebuild and "model" in given:
        remembered = evolve(remembered, output_dtype=Settings.dtype(given["model"]))
        remembered = evolve(remembered, output_dimension=None)
    if remembered is not None:
        return evolve(remembered, **given)
    if "model" not in given:
        raise click.UsageError(
            f"there is no index in {folder} yet; name a model for one: -m voyage-4"
        )
    given.setdefault("output_dtype", Settings.dtype(given["model"]))
    return Settings(**given)


def update(
    connect: Callable[[], Client],
    console: Console,
    folder: Path,
    settings: Settings,
    confirm: Callable[[Plan], bool | None],
    *,
    rebuild: bool = False,
    max_cost: float | None = None,
) -> Built | None:
    """Build an index, and say what is done."""
    from .folder_index.building import build

    def told(plan: Plan) -> bool | None:
        console.note(described(plan, settings.model))
        return confirm(plan)

    with connect() as client:
        return build(
            client,
            folder,
            settings,
            rebuild=rebuild,
            confirm=told,
            max_cost=max_cost,
            progress=console.progress,
        )


def confirmation(console: Console, above: float) -> Callable[[Plan], bool]:
    """Return what asks on a terminal whether to go on, where it costs more than an amount."""
    from ..prices import MaxCostError

    def confirm(plan: Plan) -> bool:
        estimate = plan.estimate
        cheap = estimate is None or (estimate.cost is not None and estimate.cost <= above)
        if cheap or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
            return True
        if console.quiet:
            click.echo(described(plan, estimate.model if estimate else ""), err=True)
        if not click.confirm("Send them?", err=True):
            raise MaxCostError("not confirmed; nothing was sent", "confirm_above")
        return True

    return confirm


def described(plan: Plan, model: str) -> str:
    """Return what is to be sent, and what it costs, for people."""
    from ..prices import dollars

    skipped = ", ".join(f"{count:,} {reason}" for reason, count in sorted(plan.skipped.items()))
    left_out = f" (left out: {skipped})" if skipped else ""
    said = f"{plan.chunks:,} chunks of {plan.files:,} files{left_out}; "
    if plan.estimate is None:
        return f"{said}all of them are embedded already"
    said += f"{plan.new:,} are new: about {plan.estimate.tokens:,} tokens of {model}"
    if plan.estimate.cost is None or plan.estimate.cost_range is None:
        return f"{said}, whose price is not known"
    most = dollars(plan.estimate.cost_range[1])
    return f"{said}, about {dollars(plan.estimate.cost)} (at most {most})"


def summary(folder: Path, built: Built) -> dict[str, Any]:
    """Return what was built, as JSON has it."""
    return {
        "index": str(folder),
        "files": built.plan.files,
        "chunks": built.chunks,
        "embedded": built.plan.new - len(built.failures),
        "failed": len(built.failures),
        "tokens": built.tokens,
        "cost_usd": built.cost,
    }


def planned(folder: Path, plan: Plan) -> dict[str, Any]:
    """Return what would be built, as JSON has it; tokens and cost are estimates."""
    estimate = plan.estimate
    return {
        "index": str(folder),
        "files": plan.files,
        "chunks": plan.chunks,
        "new": plan.new,
        "tokens": 0 if estimate is None else estimate.tokens,
        "cost_usd": 0.0 if estimate is None else estimate.cost,
    }


def _below(path: Path, base: Path) -> str:
    """Return a path relative to a folder, with slashes; an absolute one if it is elsewhere."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100  # `resolve` would follow links
    if absolute.is_relative_to(base):
        return absolute.relative_to(base).as_posix()
    return absolute.as_posix()
