"""Snapshots of what `--help` says."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from voyageai.cli.program import program

from tests.cli.commands import FOUND


@pytest.mark.parametrize("words", [(), *FOUND], ids=" ".join)
def test_help_is_as_recorded(words, same_as_recorded):
    """The help is the command line's manual, so a person reviews each change of it."""
    done = CliRunner().invoke(program, [*words, "--help"], prog_name="voyageai")
    assert 0 == done.exit_code
    same_as_recorded(f"help/{'_'.join(('voyageai', *words))}.txt", done.stdout)
