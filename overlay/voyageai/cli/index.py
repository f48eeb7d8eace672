"""`voyageai index`: embed the new texts of a folder."""

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
    help="Name of a text embedding model. Needed for a new index; later it is remembered.",
)
@click.option(
    "--dtype", "output_dtype", metavar="NAME", help="Dtype of the vectors; by default int8."
)
@click.option(
    "-d", "--dimension", "output_dimension", type=int, metavar="N", help="Dimension of the vectors."
)
@click.option(
    "--chunk-tokens", type=int, metavar="N", help="Tokens of a chunk, about; by default 400."
)
@click.option(
    "--overlap", type=int, metavar="N", help="Tokens shared with the chunk before; by default 50."
)
@click.option(
    "--glob",
    "only",
    multiple=True,
    metavar="PATTERN",
    help="Only files that match, such as *.md; a pattern as in a .gitignore. Repeatable.",
)
@click.option(
    "--exclude",
    "without",
    multiple=True,
    metavar="PATTERN",
    help="Leave out files that match, besides those a .gitignore names. Repeatable.",
)
@click.option(
    "--max-file-size",
    "most_bytes",
    type=int,
    metavar="BYTES",
    help="Leave out larger files; by default 1000000.",
)
@click.option(
    "--index",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the index: .voyageai in PATH, or here if PATH is a file or there are several.",
)
@click.option("--rebuild", is_flag=True, help="Embed everything again, with the given options.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and send nothing.")
@click.option(
    "--confirm-above",
    type=float,
    default=CONFIRM_ABOVE,
    show_default=True,
    metavar="DOLLARS",
    help="On a terminal, ask before spending more than this.",
)
@click.option(
    "--max-cost",
    type=float,
    metavar="DOLLARS",
    help="Upper limit of this run's cost; above it the exit status is 6.",
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

    Only new or changed texts are sent; those of deleted files are removed. PATH is a folder or a
    file, by default the paths of the index in this folder. Files that a .gitignore names, hidden,
    binary and large files are left out. The expected cost is shown before anything is sent. An
    interrupted run can be resumed with the same command.

    The options are remembered: later `voyageai index` alone is enough.

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
            f"sends them again. The first refusal: {first.message} ({first.text!r})"
        )


def place_of(paths: Sequence[str]) -> Path:
    """Return the folder of the index for some paths."""
    from .folder_index.searching import FOLDER, find_index

    if len(paths) == 1 and Path(paths[0]).is_dir():
        return Path(paths[0]).absolute() / FOLDER
    found = None if paths else find_index(Path())
    return found or Path().absolute() / FOLDER


def settings_for(
    folder: Path, paths: Sequence[str], chosen: dict[str, Any], *, rebuild: bool = False
) -> Settings:
    """Return the settings of an index: as chosen, else as remembered, else the defaults.

    Args:
        folder: The folder of the index.
        paths: Files and folders to index.
        chosen: Fields of `Settings`; None or empty where nothing was chosen.
        rebuild: True if the vectors may change; they get the defaults of the model.

    Raises:
        click.UsageError: The index is new, and no model is chosen.
    """
    from attrs import evolve

    from .folder_index.settings import Settings, settings_of

    values: dict[str, Any] = {
        name: value for name, value in chosen.items() if value not in (None, ())
    }
    if paths:
        values["roots"] = tuple(_below(Path(path), folder.absolute().parent) for path in paths)
    remembered = settings_of(folder)
    if remembered is not None and rebuild and "model" in values:
        remembered = evolve(remembered, output_dtype=Settings.dtype(values["model"]))
        remembered = evolve(remembered, output_dimension=None)
    if remembered is not None:
        return evolve(remembered, **values)
    if "model" not in values:
        raise click.UsageError(
            f"there is no index in {folder} yet; name a model for a new one: -m voyage-4"
        )
    values.setdefault("output_dtype", Settings.dtype(values["model"]))
    return Settings(**values)


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
    """Build an index, and show the plan first."""
    from .folder_index.building import build

    def show_and_confirm(plan: Plan) -> bool | None:
        console.note(described(plan, settings.model))
        return confirm(plan)

    with connect() as client:
        return build(
            client,
            folder,
            settings,
            rebuild=rebuild,
            confirm=show_and_confirm,
            max_cost=max_cost,
            progress=console.progress,
        )


def confirmation(console: Console, above: float) -> Callable[[Plan], bool]:
    """Return a function that asks on a terminal before spending more than `above` US dollars."""
    from ..prices import MaxCostError

    def confirm(plan: Plan) -> bool:
        estimate = plan.estimate
        cheap = estimate is None or (estimate.cost is not None and estimate.cost <= above)
        if cheap or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
            return True
        if console.quiet:
            click.echo(described(plan, estimate.model if estimate else ""), err=True)
        if not click.confirm("Send these texts?", err=True):
            raise MaxCostError("not confirmed; nothing was sent", "confirm_above")
        return True

    return confirm


def described(plan: Plan, model: str) -> str:
    """Describe in words what will be sent, and its cost."""
    from ..prices import dollars

    skipped = ", ".join(f"{count:,} {reason}" for reason, count in sorted(plan.skipped.items()))
    left_out = f" (left out: {skipped})" if skipped else ""
    text = f"{plan.chunks:,} chunks of {plan.files:,} files{left_out}; "
    if plan.estimate is None:
        return f"{text}all of them are embedded already"
    text += f"{plan.new:,} are new: about {plan.estimate.tokens:,} tokens of {model}"
    if plan.estimate.cost is None or plan.estimate.cost_range is None:
        return f"{text}, whose price is not known"
    upper = dollars(plan.estimate.cost_range[1])
    return f"{text}, about {dollars(plan.estimate.cost)} (at most {upper})"


def summary(folder: Path, built: Built) -> dict[str, Any]:
    """Return the result of a build as a JSON object."""
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
    """Return a plan as a JSON object; tokens and cost are estimates."""
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
