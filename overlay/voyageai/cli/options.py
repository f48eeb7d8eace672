"""Options shared by commands, and the client that they configure."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .output import Console

if TYPE_CHECKING:
    from ..client import Client
    from ..ratelimit import RateLimit

__all__ = [
    "RETRIES",
    "Connect",
    "client_options",
    "client_options_without_timeout",
    "common_options",
    "model_option",
    "output_options",
    "set_log",
    "vector_options",
]

Connect = Callable[[], "Client"]
F = TypeVar("F", bound=Callable[..., Any])
CLIENT_OPTIONS = ("api_key_file", "base_url", "deployment", "timeout", "max_retries", "rate_limit")
RETRIES = 5
"""More than the client's default of none: a person at a shell would only run the command again."""


def common_options(function: F) -> F:
    """Add `-q` and `-v`."""
    for decorate in (
        click.option(
            "-v",
            "--verbose",
            count=True,
            expose_value=False,
            callback=_set_verbosity,
            help="Show what is sent and retried; -vv shows more, and tracebacks.",
        ),
        click.option(
            "-q",
            "--quiet",
            is_flag=True,
            expose_value=False,
            callback=_set_quiet,
            help="Show only warnings and errors.",
        ),
    ):
        function = decorate(function)
    return function


def output_options(*formats: str) -> Callable[[F], F]:
    """Add `--out`, `--json` and `-O`: the arguments `out` and `path`.

    Args:
        formats: Formats that the command writes.
    """

    def decorate(function: F) -> F:
        for option in (
            click.option(
                "-O",
                "path",
                metavar="FILE",
                help="Write to this file, which is replaced when all is done. Its suffix chooses "
                "the format.",
            ),
            click.option(
                "--json",
                "out",
                flag_value="json",
                help="Short for --out json; errors are JSON too.",
            ),
            click.option(
                "-o",
                "--out",
                "out",
                type=click.Choice(formats),
                help="Format of the output; by default a table on a terminal, else jsonl.",
            ),
        ):
            function = option(function)
        return function

    return decorate


def model_option(function: F) -> F:
    """Add `-m`, which is required: the argument `model`."""
    return click.option(
        "-m",
        "--model",
        required=True,
        metavar="NAME",
        help="Name of the model; `voyageai models` lists them.",
    )(function)


def vector_options(function: F) -> F:
    """Add `-t`, `-d` and `--dtype`: `input_type`, `output_dimension` and `output_dtype`."""
    for decorate in (
        click.option(
            "--dtype", "output_dtype", metavar="NAME", help="float, int8, uint8, binary or ubinary."
        ),
        click.option(
            "-d", "--dimension", "output_dimension", type=int, help="Length of the vectors."
        ),
        click.option(
            "-t",
            "--input-type",
            type=click.Choice(("document", "query", "none")),
            default="document",
            show_default=True,
            callback=_input_type,
            help="Purpose of the texts, which decides the prompt before them; none adds no prompt.",
        ),
    ):
        function = decorate(function)
    return function


def client_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a client, `-q` and `-v`.

    The command gets the argument `connect`: a function that makes the client.
    """
    timeout = click.option(
        "--timeout", type=float, metavar="SECONDS", help="Seconds for each attempt."
    )
    return timeout(client_options_without_timeout(function))


def client_options_without_timeout(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `client_options` but `--timeout`, which the command uses otherwise."""

    @functools.wraps(function)
    def with_client(**values: Any) -> Any:
        settings = {name: values.pop(name) for name in CLIENT_OPTIONS if name in values}
        return function(connect=functools.partial(_connect, **settings), **values)

    decorated: Any = common_options(with_client)
    for decorate in (
        click.option(
            "--rate-limit",
            metavar="TIER",
            help="Wait instead of exceeding a rate limit: free, 1, 2 or 3, or rpm=300,tpm=1000000.",
        ),
        click.option(
            "--max-retries",
            type=click.IntRange(min=0),
            default=RETRIES,
            show_default=True,
            help="How often a failed request is tried again, if the failure may be temporary.",
        ),
        click.option(
            "--deployment",
            metavar="NAME[+URL]",
            help="Where the models are served, if not at the API, such as azure+http://10.0.0.4 "
            "or openrouter.",
        ),
        click.option(
            "--base-url",
            metavar="URL",
            help="URL of the API, or voyage, atlas, us or eu; by default VOYAGE_BASE_URL, "
            "else the key's.",
        ),
        click.option(
            "--api-key-file",
            type=click.Path(),
            help="File with the API key; by default VOYAGE_API_KEY_PATH, else VOYAGE_API_KEY.",
        ),
    ):
        decorated = decorate(decorated)
    return decorated  # type: ignore[no-any-return]  # a function


def _connect(
    *,
    api_key_file: str | None,
    base_url: str | None,
    deployment: str | None,
    max_retries: int,
    rate_limit: str | None,
    timeout: float | None = None,
) -> Client:
    """Make the client that the options configure."""
    import voyageai

    from ..keys import read_key

    set_log()
    return voyageai.Client(
        api_key=read_key(api_key_file, "--api-key-file") if api_key_file else None,
        base_url=base_url,
        deployment=deployment,
        timeout=timeout,
        max_retries=max_retries,
        rate_limit=None if rate_limit is None else _rate_limit(rate_limit),
    )


def set_log() -> None:
    """Set the client's log level by `-v`."""
    import voyageai

    console = click.get_current_context().find_object(Console)
    if console is not None and console.verbosity:
        voyageai.log = "debug" if console.verbosity > 1 else "info"


def _rate_limit(text: str) -> Any:
    """Parse `--rate-limit`: a tier, or requests and tokens per minute."""
    if "=" not in text:
        return int(text) if text.isdecimal() else text
    from ..ratelimit import RateLimit

    try:
        pairs = dict(part.split("=") for part in text.split(","))
        found: RateLimit = RateLimit(**{name: float(value) for name, value in pairs.items()})
    except (ValueError, TypeError):
        raise click.UsageError(
            f"--rate-limit must be free, 1, 2, 3 or like rpm=300,tpm=1000000, not {text!r}"
        ) from None
    return found


def _set_quiet(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    console = ctx.find_object(Console)
    if console is not None and value:
        console.quiet = True


def _set_verbosity(ctx: click.Context, _: click.Parameter, value: int) -> None:
    console = ctx.find_object(Console)
    if console is not None:
        console.verbosity, console.command = value, ctx.command


def _input_type(_ctx: click.Context, _option: click.Parameter, value: str) -> str | None:
    return None if value == "none" else value
