"""Options shared by the commands of `voyageai admin`, and the `Admin` that they configure."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from .options import RETRIES, common_options, set_log

if TYPE_CHECKING:
    from ..admin import Admin

__all__ = [
    "ANY",
    "ConnectAdmin",
    "admin_options",
    "count_option",
    "owner_options",
    "project_option",
    "scope_options",
    "yes_option",
]

F = TypeVar("F", bound=Callable[..., Any])
ConnectAdmin = Callable[[], "Admin"]
ANY = "ANY"
PROJECT_VARIABLE = "MONGODB_ATLAS_PROJECT_ID"
"""Environment variable that MongoDB's own tools read too."""
CONNECTION = ("credentials_file", "base_url", "timeout", "max_retries")


def admin_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add connection options for Atlas, `-q` and `-v`; the command gets the argument `connect`."""

    @functools.wraps(function)
    def with_admin(**values: Any) -> Any:
        settings = {name: values.pop(name) for name in CONNECTION}
        return function(connect=functools.partial(_connect, **settings), **values)

    decorated: Any = common_options(with_admin)
    for decorate in (
        click.option(
            "--max-retries",
            type=click.IntRange(min=0),
            default=RETRIES,
            show_default=True,
            help="How often a failed call is tried again, if the failure may be temporary.",
        ),
        click.option("--timeout", type=float, metavar="SECONDS", help="Seconds for each attempt."),
        click.option(
            "--base-url", metavar="URL", help="URL of Atlas; by default MONGODB_ATLAS_BASE_URL."
        ),
        click.option(
            "--credentials-file",
            type=click.Path(),
            help="File with the credentials, as lines NAME=VALUE; by default the environment's.",
        ),
    ):
        decorated = decorate(decorated)
    return decorated  # type: ignore[no-any-return]  # a function


def project_option(function: F) -> F:
    """Add `-p`, which is required: the argument `project`."""
    return click.option(
        "-p",
        "--project",
        required=True,
        envvar=PROJECT_VARIABLE,
        metavar="ID",
        help=f"Id of the project; by default {PROJECT_VARIABLE}.",
    )(function)


def owner_options(function: F) -> F:
    """Add `-p` and `--organization`, of which one is required: the argument `owner`."""

    @functools.wraps(function)
    def with_owner(project: str | None, organization: str | None, **values: Any) -> Any:
        source = click.get_current_context().get_parameter_source("project")
        if organization is not None and source is ParameterSource.ENVIRONMENT:
            project = None  # the command line overrides the environment
        if (project is None) == (organization is None):
            raise click.UsageError(
                f"name one of --project and --organization, or set {PROJECT_VARIABLE}"
                if project is None
                else "name one of --project and --organization, not both"
            )
        owner = {"project": project} if organization is None else {"organization": organization}
        return function(owner=owner, **values)

    decorated: Any = with_owner
    for decorate in (
        click.option(
            "--organization", metavar="ID", help="Id of an organization, for all its projects."
        ),
        click.option(
            "-p",
            "--project",
            envvar=PROJECT_VARIABLE,
            metavar="ID",
            help=f"Id of the project; by default {PROJECT_VARIABLE}.",
        ),
    ):
        decorated = decorate(decorated)
    return decorated  # type: ignore[no-any-return]  # a function


def scope_options(function: F) -> F:
    """Add `--cloud` and `--geography`."""
    for name in ("cloud", "geography"):
        function = click.option(
            f"--{name}", default=ANY, show_default=True, metavar="NAME", help=f"For this {name}."
        )(function)
    return function


def count_option(function: F) -> F:
    """Add `-n`: the argument `count`."""
    return click.option(
        "-n", "count", type=click.IntRange(min=1), metavar="N", help="Show at most this many."
    )(function)


def yes_option(function: F) -> F:
    """Add `--yes`."""
    return click.option("--yes", is_flag=True, help="Do not ask.")(function)


def _connect(
    *, credentials_file: str | None, base_url: str | None, timeout: float | None, max_retries: int
) -> Admin:
    """Make the `Admin` that the options configure."""
    from ..admin import Admin
    from ..admin.credentials import read

    set_log()
    credentials: dict[str, Any] = {} if credentials_file is None else read(credentials_file)
    return Admin(**credentials, base_url=base_url, timeout=timeout, max_retries=max_retries)
