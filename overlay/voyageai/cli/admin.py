"""`voyageai admin`: model API keys of MongoDB Atlas, and their rate limits."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .admin_options import (
    ANY,
    ConnectAdmin,
    admin_options,
    count_option,
    owner_options,
    project_option,
    scope_options,
    yes_option,
)
from .options import output_options
from .output import (
    Console,
    choose_format,
    confirm,
    is_terminal,
    object_text,
    open_destination,
    pass_console,
    write_object,
    write_rows,
)

if TYPE_CHECKING:
    from ..admin import ModelKey, ModelRateLimit

__all__ = ["admin"]

LISTED = ("json", "jsonl", "csv", "table")
SHOWN = ("json", "jsonl", "table")
KEY_COLUMNS = {
    "id": "id",
    "name": "name",
    "key": "masked_secret",
    "geography": "geography",
    "status": "status",
    "created": "created_at",
    "last used": "last_used_at",
}
"""Columns of a table of keys, and the attributes that they show."""


@click.group()
def admin() -> None:
    """Administer model API keys and rate limits in MongoDB Atlas.

    Credentials are a service account in MONGODB_ATLAS_CLIENT_ID and MONGODB_ATLAS_CLIENT_SECRET, or
    a pair of keys in MONGODB_ATLAS_PUBLIC_KEY and MONGODB_ATLAS_PRIVATE_KEY; a file named by
    --credentials-file has lines such as MONGODB_ATLAS_CLIENT_ID=mdb_sa_id_1.
    """


@admin.group()
def keys() -> None:
    """List, create, rename and delete model API keys."""


@admin.group()
def limits() -> None:
    """List, set and reset the rate limits of groups of models."""


@keys.command("list")
@owner_options
@count_option
@output_options(*LISTED)
@admin_options
def list_keys(
    connect: ConnectAdmin,
    owner: dict[str, Any],
    count: int | None,
    out: str | None,
    path: str | None,
) -> None:
    """List the keys of a project or an organization, without their secrets.

    \b
    Example:
      voyageai admin keys list --project 65f0a1b2c3d4e5f6a7b8c9d0
    """
    format = choose_format(out, path, LISTED)
    with connect() as found:
        listed = map(_key, islice(found.keys.list(**owner), count))
        if format != "table":
            write_rows(listed, format, path)
            return
        rows = [{name: key[each] for name, each in KEY_COLUMNS.items()} for key in listed]
    write_rows(rows, format, path, columns=[*KEY_COLUMNS])


@keys.command("get")
@click.argument("key_id", metavar="ID")
@owner_options
@output_options(*SHOWN)
@admin_options
def get_key(
    connect: ConnectAdmin, key_id: str, owner: dict[str, Any], out: str | None, path: str | None
) -> None:
    """Show a key, without its secret.

    \b
    Example:
      voyageai admin keys get a86r5kwrfsk5r5ku5tgvhmpj --project 65f0a1b2c3d4e5f6a7b8c9d0
    """
    format = choose_format(out, path, SHOWN)
    with connect() as found:
        write_object(_key(found.keys.get(key_id, **owner)), format, path)


@keys.command("create")
@click.argument("name")
@project_option
@scope_options
@click.option("--show", is_flag=True, help="Write the secret to standard output.")
@click.option(
    "--env-file",
    metavar="FILE",
    help="Add the secret to this file as VOYAGE_API_KEY, and the host if it is not Atlas's own.",
)
@click.option(
    "--secret-file", metavar="FILE", help="Write the secret to this new file, for --api-key-file."
)
@output_options(*SHOWN)
@admin_options
@pass_console
def create_key(
    console: Console,
    /,
    connect: ConnectAdmin,
    name: str,
    project: str,
    cloud: str,
    geography: str,
    show: bool,
    env_file: str | None,
    secret_file: str | None,
    out: str | None,
    path: str | None,
) -> None:
    """Create a key. Its secret is answered once.

    It goes into a file that only you can read, with --env-file or --secret-file; else to a pipe,
    the file of -O, or with --show to the terminal. If it can't be written, the key is deleted
    again.

    \b
    Examples:
      voyageai admin keys create indexing --project 65f0a1b2c3d4e5f6a7b8c9d0 --env-file .env
      voyageai admin keys create indexing --project 65f0a1b2c3d4e5f6a7b8c9d0 | jq -r .secret
    """
    from ..error import VoyageError

    format = choose_format(out, path, SHOWN)
    file = _secret_place(env_file, secret_file)
    printed = show or (file is None and (path not in (None, "-") or not is_terminal(sys.stdout)))
    if file is None and not printed:
        raise click.UsageError(
            "the secret is answered once: say where it goes, with --env-file, --secret-file, or "
            "--show"
        )
    before = Path(file).read_bytes() if file is not None and Path(file).is_file() else b""
    key: ModelKey | None = None
    with connect() as found:
        try:
            with (
                nullcontext() if file is None else open_destination(file) as kept,
                open_destination(path) as written,
            ):
                key = found.keys.create(name, project=project, cloud=cloud, geography=geography)
                if kept is not None:
                    kept.write(_lines(key, before) if env_file else f"{key.secret}\n".encode())
                secret = {"secret": key.secret} if printed else {}
                written.write(object_text({**_key(key), **secret}, format))
                written.flush()
        except BaseException as failure:
            if key is not None:
                try:
                    found.keys.delete(key.id or "", project=project)
                    failure.add_note("The key was deleted again: its secret was not kept.")
                except VoyageError as refusal:
                    failure.add_note(
                        f"The secret of the key {key.id} was not kept; delete it: {refusal}"
                    )
            raise
    if file is not None:
        console.note(f"the secret is in {file}")


@keys.command("rename")
@click.argument("key_id", metavar="ID")
@click.argument("name")
@project_option
@output_options(*SHOWN)
@admin_options
def rename_key(
    connect: ConnectAdmin, key_id: str, name: str, project: str, out: str | None, path: str | None
) -> None:
    """Rename a key.

    \b
    Example:
      voyageai admin keys rename a86r5kwrfsk5r5ku5tgvhmpj search -p 65f0a1b2c3d4e5f6a7b8c9d0
    """
    format = choose_format(out, path, SHOWN)
    with connect() as found:
        write_object(_key(found.keys.rename(key_id, name, project=project)), format, path)


@keys.command("delete")
@click.argument("key_ids", nargs=-1, required=True, metavar="ID...")
@project_option
@yes_option
@admin_options
def delete_key(connect: ConnectAdmin, key_ids: Sequence[str], project: str, yes: bool) -> None:
    """Delete keys, which are refused at once.

    It asks first; where there is no terminal it needs --yes. The ids are printed.

    \b
    Example:
      voyageai admin keys delete a86r5kwrfsk5r5ku5tgvhmpj -p 65f0a1b2c3d4e5f6a7b8c9d0 --yes
    """
    question = f"Delete {', '.join(key_ids)}? Programs that use it are refused at once."
    confirm(question, "nothing was deleted", yes=yes)
    with connect() as found:
        for key_id in key_ids:
            found.keys.delete(key_id, project=project)
            click.echo(key_id)


@limits.command("list")
@owner_options
@count_option
@output_options(*LISTED)
@admin_options
def list_limits(
    connect: ConnectAdmin,
    owner: dict[str, Any],
    count: int | None,
    out: str | None,
    path: str | None,
) -> None:
    """List the rate limits of all groups of models.

    \b
    Example:
      voyageai admin limits list --project 65f0a1b2c3d4e5f6a7b8c9d0
    """
    format = choose_format(out, path, LISTED)
    with connect() as found:
        listed = islice(found.rate_limits.list(**owner), count)
        write_rows((_limit(each, format) for each in listed), format, path)


@limits.command("get")
@click.argument("group")
@owner_options
@scope_options
@output_options(*SHOWN)
@admin_options
def get_limit(
    connect: ConnectAdmin,
    group: str,
    owner: dict[str, Any],
    cloud: str,
    geography: str,
    out: str | None,
    path: str | None,
) -> None:
    """Show the rate limits of a group of models.

    \b
    Example:
      voyageai admin limits get voyage_4 --project 65f0a1b2c3d4e5f6a7b8c9d0
    """
    format = choose_format(out, path, SHOWN)
    with connect() as found:
        limit = found.rate_limits.get(group, **owner, cloud=cloud, geography=geography)
        write_object(_limit(limit, format), format, path)


@limits.command("set")
@click.argument("group")
@click.option("--rpm", type=int, required=True, metavar="N", help="Requests per minute.")
@click.option("--tpm", type=int, required=True, metavar="N", help="Tokens per minute.")
@project_option
@scope_options
@output_options(*SHOWN)
@admin_options
def set_limit(
    connect: ConnectAdmin,
    group: str,
    rpm: int,
    tpm: int,
    project: str,
    cloud: str,
    geography: str,
    out: str | None,
    path: str | None,
) -> None:
    """Set the rate limits of a group of models in a project: no more than the organization's.

    \b
    Example:
      voyageai admin limits set voyage_4 --rpm 300 --tpm 1000000 -p 65f0a1b2c3d4e5f6a7b8c9d0
    """
    format = choose_format(out, path, SHOWN)
    with connect() as found:
        limit = found.rate_limits.set(
            group, project=project, rpm=rpm, tpm=tpm, cloud=cloud, geography=geography
        )
        write_object(_limit(limit, format), format, path)


@limits.command("reset")
@click.argument("groups", nargs=-1, metavar="[GROUP]...")
@click.option("--all", "every", is_flag=True, help="All groups of the project.")
@project_option
@scope_options
@yes_option
@admin_options
def reset_limit(
    connect: ConnectAdmin,
    groups: Sequence[str],
    every: bool,
    project: str,
    cloud: str,
    geography: str,
    yes: bool,
) -> None:
    """Set rate limits of a project back to the organization's.

    It asks first; where there is no terminal it needs --yes. The groups are printed, if they are
    named. --all is for every cloud and geography.

    \b
    Example:
      voyageai admin limits reset voyage_4 -p 65f0a1b2c3d4e5f6a7b8c9d0 --yes
    """
    if bool(groups) == every:
        raise click.UsageError("name groups, or --all")
    if every and (cloud, geography) != (ANY, ANY):
        raise click.UsageError("--all goes without --cloud and --geography")
    question = f"Reset the rate limits of {', '.join(groups) or 'all groups'}?"
    confirm(question, "nothing was reset", yes=yes)
    with connect() as found:
        if every:
            found.rate_limits.reset_all(project=project)
        for group in groups:
            found.rate_limits.reset(group, project=project, cloud=cloud, geography=geography)
            click.echo(group)


def _secret_place(env_file: str | None, secret_file: str | None) -> str | None:
    """Return the file that is to hold the secret, where there is nothing that it could replace.

    Raises:
        click.UsageError: There is, or both are named.
    """
    from ..keys import KEY_VARIABLE

    if env_file is not None and secret_file is not None:
        raise click.UsageError("name one of --env-file and --secret-file")
    path = env_file or secret_file
    if path is None:
        return None
    option = "--env-file" if env_file else "--secret-file"
    if path == "-":
        raise click.UsageError(f"{option} must name a file; --show writes to standard output")
    if Path(path).is_dir():
        raise click.UsageError(f"{option} names {path}, which is a folder")
    if secret_file and Path(path).is_file():
        raise click.UsageError(f"{option} names {path}, which is there already; name a new file")
    if env_file and Path(path).is_file():
        from ..admin.credentials import variables

        if KEY_VARIABLE in variables(path):
            raise click.UsageError(
                f"{path} has a {KEY_VARIABLE} already; remove that line, or name another file"
            )
    return path


def _lines(key: ModelKey, before: bytes) -> bytes:
    """Return a file of variables with the key's behind those that are there."""
    from ..keys import KEY_VARIABLE, URL_VARIABLE, base_url

    found = before if before.endswith(b"\n") or not before else before + b"\n"
    found += f"{KEY_VARIABLE}={key.secret}\n".encode()
    if key.base_url != base_url(None, key.secret, {URL_VARIABLE: ""}):
        found += f"{URL_VARIABLE}={key.base_url}\n".encode()
    return found


def _key(key: ModelKey) -> dict[str, Any]:
    """Return a key as JSON has it, without its secret."""
    from attrs import asdict

    values = asdict(key)
    return {name: values[name] for name in values if name not in ("secret", "_admin_url")}


def _limit(limit: ModelRateLimit, format: str) -> Mapping[str, Any]:
    """Return rate limits as JSON has them, or as a line of a table."""
    from attrs import asdict

    found = asdict(limit)
    return {**found, "models": " ".join(limit.models)} if format == "table" else found
