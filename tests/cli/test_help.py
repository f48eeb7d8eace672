"""The `--help` of every command."""

from __future__ import annotations

import importlib

import click
import pytest
from click.testing import CliRunner
from voyageai.cli.program import COMMANDS, program

from .commands import FOUND, LATER


@pytest.mark.parametrize("words", FOUND, ids=" ".join)
def test_every_command_shows_an_example(words: tuple[str, ...]) -> None:
    """Users copy an example and change it."""
    command = FOUND[words]
    if isinstance(command, click.Group):
        return
    assert f"voyageai {' '.join(words)}" in (command.help or "").partition("Example")[2]


@pytest.mark.parametrize("name", [name for name in COMMANDS if (name,) in FOUND])
def test_the_list_says_what_the_command_says(name: str) -> None:
    """The list has copies of the summaries, so that it need not load each command."""
    assert COMMANDS[name] == (FOUND[(name,)].help or "").partition("\n")[0]


def test_every_command_is_there() -> None:
    """A name in the list must lead to a command."""
    for name in {*COMMANDS} - LATER:
        assert importlib.import_module(f"voyageai.cli.{name}")


def test_no_option_takes_the_key_itself() -> None:
    """Other users could read it in the process list, and the shell history would keep it."""
    options = {name for command in FOUND.values() for each in command.params for name in each.opts}
    shown = {name for name in options if name[0] == "-" and ("key" in name or "secret" in name)}
    assert {"--api-key-file", "--secret-file"} == shown


@pytest.mark.parametrize("words", FOUND, ids=" ".join)
def test_examples_stay_lines(words: tuple[str, ...]) -> None:
    """Examples that are wrapped into a paragraph can't be copied."""
    command = FOUND[words]
    if isinstance(command, click.Group):
        return
    shown = CliRunner().invoke(program, [*words, "--help"]).stdout.splitlines()
    place = next(n for n, line in enumerate(shown) if line.strip() in ("Example:", "Examples:"))
    assert f"voyageai {' '.join(words)}" in " ".join(shown[place + 1 : shown.index("Options:")])
