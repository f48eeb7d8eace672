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
"""Columns of a table of keys, and the attribute that each shows."""


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
    with connect() as atlas:
        listed = map(_key, islice(atlas.keys.list(**owner), count))
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
    with connect() as atlas:
        write_object(_key(atlas.keys.get(key_id, **owner)), format, path)


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
    """Create a key. Its secret is shown only once.

    The secret is written to a file that only you can read (--env-file or --secret-file), to a pipe,
    to the file of -O, or with --show to the terminal. If it can't be written, the key is deleted
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
            "the secret is shown only once; say where to write it: --env-file, --secret-file or "
            "--show"
        )
    before = Path(file).read_bytes() if file is not None and Path(file).is_file() else b""
    key: ModelKey | None = None
    with connect() as atlas:
        try:
            with (
                nullcontext() if file is None else open_destination(file) as kept,
                open_destination(path) as written,
            ):
                key = atlas.keys.create(name, project=project, cloud=cloud, geography=geography)
                if kept is not None:
                    kept.write(_lines(key, before) if env_file else f"{key.secret}\n".encode())
                secret = {"secret": key.secret} if printed else {}
                written.write(object_text({**_key(key), **secret}, format))
                written.flush()
        except BaseException as failure:
            if key is not None:
                try:
                    atlas.keys.delete(key.id or "", project=project)
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
    with connect() as atlas:
        write_object(_key(atlas.keys.rename(key_id, name, project=project)), format, path)


@keys.command("delete")
@click.argument("key_ids", nargs=-1, required=True, metavar="ID...")
@project_option
@yes_option
@admin_options
def delete_key(connect: ConnectAdmin, key_ids: Sequence[str], project: str, yes: bool) -> None:
    """Delete keys. Programs that use them are refused at once.

    The command asks first; without a terminal it needs --yes. It prints the deleted ids.

    \b
    Example:
      voyageai admin keys delete a86r5kwrfsk5r5ku5tgvhmpj -p 65f0a1b2c3d4e5f6a7b8c9d0 --yes
    """
    question = f"Delete {', '.join(key_ids)}? Programs that use a deleted key are refused at once."
    confirm(question, "nothing was deleted", yes=yes)
    with connect() as atlas:
        for key_id in key_ids:
            atlas.keys.delete(key_id, project=project)
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
    with connect() as atlas:
        listed = islice(atlas.rate_limits.list(**owner), count)
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
    with connect() as atlas:
        limit = atlas.rate_limits.get(group, **owner, cloud=cloud, geography=geography)
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
    with connect() as atlas:
        limit = atlas.rate_limits.set(
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

    The command asks first; without a terminal it needs --yes. It prints the groups named. --all
    covers every cloud and geography.

    \b
    Example:
      voyageai admin limits reset voyage_4 -p 65f0a1b2c3d4e5f6a7b8c9d0 --yes
    """
    if bool(groups) == every:
        raise click.UsageError("name groups, or --all")
    if every and (cloud, geography) != (ANY, ANY):
        raise click.UsageError(
            "--all resets every cloud and geography; leave --cloud and --geography out"
        )
    question = f"Reset the rate limits of {', '.join(groups) or 'all groups'}?"
    confirm(question, "nothing was reset", yes=yes)
    with connect() as atlas:
        if every:
            atlas.rate_limits.reset_all(project=project)
        for group in groups:
            atlas.rate_limits.reset(group, project=project, cloud=cloud, geography=geography)
            click.echo(group)


def _secret_place(env_file: str | None, secret_file: str | None) -> str | None:
    """Return the file to write the secret to; None without one.

    Raises:
        click.UsageError: Both options are given, the file is standard input or a folder, or writing
            to it would replace something.
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
        raise click.UsageError(f"{option} names {path}, which exists already; name a new file")
    if env_file and Path(path).is_file():
        from ..admin.credentials import variables

        if KEY_VARIABLE in variables(path):
            raise click.UsageError(
                f"{path} has a {KEY_VARIABLE} already; remove that line, or name another file"
            )
    return path


def _lines(key: ModelKey, before: bytes) -> bytes:
    """Return the contents of a file of variables with the key's secret (and host) appended."""
    from ..keys import KEY_VARIABLE, URL_VARIABLE, base_url

    lines = before if before.endswith(b"\n") or not before else before + b"\n"
    lines += f"{KEY_VARIABLE}={key.secret}\n".encode()
    if key.base_url != base_url(None, key.secret, {URL_VARIABLE: ""}):
        lines += f"{URL_VARIABLE}={key.base_url}\n".encode()
    return lines


def _key(key: ModelKey) -> dict[str, Any]:
    """Return a key as a JSON object, without its secret."""
    from attrs import asdict

    values = asdict(key)
    return {name: values[name] for name in values if name not in ("secret", "_admin_url")}


def _limit(limit: ModelRateLimit, format: str) -> Mapping[str, Any]:
    """Return rate limits as a JSON object, or as a row of a table."""
    from attrs import asdict

    values = asdict(limit)
    return {**values, "models": " ".join(limit.models)} if format == "table" else values
