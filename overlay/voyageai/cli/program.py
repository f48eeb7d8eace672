"""The group `voyageai`: commands that are imported on demand, and their exit statuses.

To add a command, add a module `NAME.py` to this folder with a click command `NAME`, and a line to
`COMMANDS`. `voyageai --help` imports no command, so the line repeats the first sentence of the
command's help; a test compares them. A command

- takes its options from `options.py` if other commands have the same ones,
- imports the client, numpy and other slow modules inside its functions,
- writes results with `output.py`, and everything else to `Console.note`,
- raises exceptions: those of `voyageai.error` unchanged, `click.UsageError` for a wrong
  combination of arguments, `Partly` if some rows failed and are in the output.

Other packages add commands with an entry point in the group `voyageai.commands`: its name is the
command's name, and it is a click command or a function that takes the list of arguments.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import click

from ..version import VERSION
from .output import Console

__all__ = ["COMMANDS", "Partly", "program"]

COMMANDS = {
    "embed": "Embed texts, pictures or videos, or files of any size.",
    "rerank": "Sort documents by their relevance to a query.",
    "similarity": "Compare texts, or stored vectors.",
    "index": "Embed a folder of texts or code, for search.",
    "search": "Find what a question is about in an indexed folder.",
    "eval": "Score models, dimensions, dtypes and rerankers on labelled queries.",
    "tokens": "Count tokens, or cut texts to a number of them.",
    "cost": "Compare what models would cost for texts.",
    "models": "List the models: limits, dimensions, prices.",
    "batch": "Run batch jobs, which cost less than live calls.",
    "files": "List, upload, download and delete stored files.",
    "admin": "Administer model API keys and rate limits in MongoDB Atlas.",
    "doctor": "Check the installation, the key and the connection.",
    "completion": "Print a shell script that completes commands and options.",
    "emulator": "Run the local emulator of the API (extra `emulator`).",
}
"""The first sentence of each command's help, by name, in the order of `voyageai --help`."""
ENTRY_POINTS = "voyageai.commands"

DONE, FAILED, USAGE, KEY, TEMPORARY, PARTLY, DECLINED = range(7)
INTERRUPTED = 130
CLOSED_PIPE = 141
"""Status of a process ended by SIGPIPE, as shells expect of `| head`; Python ignores SIGPIPE."""
STATUSES = {
    "ArgumentError": USAGE,
    "MaxCostError": DECLINED,
    "AuthenticationError": KEY,
    "PermissionDeniedError": KEY,
    "RateLimitError": TEMPORARY,
    "ServerError": TEMPORARY,
    "ServiceUnavailableError": TEMPORARY,
    "Timeout": TEMPORARY,
    "APIConnectionError": TEMPORARY,
    "JobInUseError": TEMPORARY,
    "VoyageError": FAILED,
    "ImportError": USAGE,
    "FileNotFoundError": USAGE,
    "IsADirectoryError": USAGE,
    "NotADirectoryError": USAGE,
    "PermissionError": USAGE,
    "OSError": FAILED,
}
"""Exit statuses by exception class; the nearest base class counts. For others see `INTERNAL`."""
INTERNAL = (FAILED, "an error in voyageai, or in a library that it uses")


class Partly(click.ClickException):
    """Raised if some rows failed; the output names them."""

    exit_code = PARTLY


class ClosedPipe(Exception):
    """The reader of the output has gone."""


class Program(click.Group):
    """A group that imports commands by name, and turns failures into a message and a status."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's
        """Return the names of all commands."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's
        """Import a command of this folder or of an entry point; None if there is none."""
        try:
            found = import_module(f".{cmd_name}", __package__) if cmd_name in COMMANDS else None
        except ModuleNotFoundError as missing:
            if missing.name != f"{__package__}.{cmd_name}":
                raise
            found = None
        if found is not None:
            command: click.Command = getattr(found, cmd_name)
            return command
        return _plugin(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a closed pipe raises `ClosedPipe`, where click would exit with 1."""
        try:
            return super().invoke(ctx)
        except OSError as failure:
            if _is_closed_pipe(failure):
                raise ClosedPipe from None
            raise

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002  # click's
        **extra: Any,
    ) -> Any:
        """Run a command line and exit with its status.

        Args:
            args: The arguments; by default those of the process.
            prog_name, complete_var, extra: Passed to click.
        """
        words = None if args is None else list(args)
        console = Console(as_json="--json" in (sys.argv[1:] if words is None else words))
        with warnings.catch_warnings():
            warnings.showwarning = console.show_warning
            try:
                status = super().main(
                    words, prog_name, complete_var, standalone_mode=False, obj=console, **extra
                )
                if sys.stdout is not None:
                    sys.stdout.flush()  # a closed pipe may only be noticed here
            except (Exception, KeyboardInterrupt) as failure:  # noqa: BLE001  # a status for each
                status = _report(console, failure)
        sys.exit(status if isinstance(status, int) else DONE)


@click.group(
    cls=Program,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "VOYAGE",
        "max_content_width": 100,
    },
    epilog="A variable can set each option: VOYAGE_EMBED_MODEL sets --model of embed.",
)
@click.version_option(VERSION, "--version", package_name="voyageai", prog_name="voyageai")
@click.pass_context
def program(ctx: click.Context) -> None:
    """Voyage AI on the command line: embeddings, reranking, search and batch jobs.

    Results go to standard output, everything else to standard error. The key is read from
    VOYAGE_API_KEY, or from a file named by VOYAGE_API_KEY_PATH or --api-key-file.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    elif os.environ.get("FORCE_COLOR"):
        ctx.color = True


def _plugin(name: str) -> click.Command | None:
    from importlib.metadata import entry_points

    for point in entry_points(group=ENTRY_POINTS, name=name):
        found = point.load()
        return found if isinstance(found, click.Command) else _forwarding(name, found)
    return None


def _forwarding(name: str, function: Callable[[list[str]], object]) -> click.Command:
    """Return a command that passes all its arguments to a function."""

    @click.command(
        name,
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(arguments: tuple[str, ...]) -> None:
        function([*arguments])

    return command


def _report(console: Console, failure: BaseException) -> int:
    """Report the failure of a command, and return the exit status."""
    if isinstance(failure, click.Abort) and failure.__cause__ is not None:
        failure = failure.__cause__
    if isinstance(failure, ClosedPipe) or _is_closed_pipe(failure):
        _silence()
        return CLOSED_PIPE
    if isinstance(failure, (KeyboardInterrupt, click.Abort)):
        status, kind, message = INTERRUPTED, "KeyboardInterrupt", "interrupted"
    elif isinstance(failure, click.ClickException):
        status, kind = failure.exit_code, type(failure).__name__
        message = failure.format_message()
    else:
        names = [each.__name__ for each in type(failure).__mro__]
        status, prefix = next(
            ((STATUSES[each], "") for each in names if each in STATUSES), INTERNAL
        )
        kind, message = names[0], str(failure) or names[0]
        if prefix:
            message = f"{prefix}: {kind}: {message} (-vv shows where)"
        if option := _option(console, failure):
            message = f"{option}: {message}"
    if console.as_json:
        error = {
            "type": kind,
            "message": message,
            "http_status": getattr(failure, "http_status", None),
            "request_id": getattr(failure, "request_id", None),
            "argument": getattr(failure, "argument", None),
        }
        console.error(json.dumps({"error": error}, ensure_ascii=False))
        return status
    if console.verbosity > 1 and not isinstance(failure, click.ClickException):
        import traceback

        console.error("".join(traceback.format_exception(failure)).rstrip())
    if isinstance(failure, click.UsageError) and failure.ctx is not None:
        console.error(failure.ctx.get_usage())
        hint = failure.ctx.command_path
        message += f"\n{hint} --help shows the usage."
    console.error("\n".join([f"voyageai: {message}", *getattr(failure, "__notes__", ())]))
    return status


def _is_closed_pipe(failure: BaseException) -> bool:
    # Windows has no error code of its own for it.
    closed = (errno.EPIPE, errno.EINVAL) if sys.platform == "win32" else (errno.EPIPE,)
    return isinstance(failure, OSError) and failure.errno in closed


def _option(console: Console, failure: BaseException) -> str:
    """Return the option that set the invalid argument; empty if no option did."""
    argument = getattr(failure, "argument", None)
    parameters = console.command.params if console.command is not None else ()
    found = (each for each in parameters if each.name == argument)
    return "/".join(next((each.opts for each in found if isinstance(each, click.Option)), ()))


def _silence() -> None:
    """Redirect the closed pipe, so that Python neither writes to it nor complains at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
        except (AttributeError, ValueError):  # closed
            pass
