"""The list of all commands of the command line."""

from __future__ import annotations

from collections.abc import Iterator

import click
from voyageai.cli.program import program

LATER = {"emulator"}
"""Commands without a module of their own."""


def commands(
    group: click.Group = program, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with the words that name it."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = None if name in LATER else group.get_command(ctx, name)
        if command is None:
            continue
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


FOUND = dict(commands())
