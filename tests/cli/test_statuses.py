"""The exit statuses and errors that scripts rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import voyageai_emulator
from click.testing import CliRunner
from voyageai.cli.program import Program, program
from voyageai_emulator import Emulator

from .conftest import Run

EMBED = ("embed", "-m", "voyage-4", "--max-retries", 0)


def test_0_is_done(run: Run) -> None:
    """Status 0 means that everything was done."""
    run(*EMBED, "a")


@pytest.mark.parametrize("status", [400, 404, 409, 410, 422])
def test_1_is_refused(run: Run, emulator: Emulator, status: int) -> None:
    """Status 1 means that another try would be refused as well."""
    emulator.faults.next("status", status=status)
    done = run(*EMBED, "a", status=1)
    said, more = done.stderr.splitlines()
    assert said.startswith("voyageai: Request ")
    assert "docs/errors.md#" in more


def test_1_is_also_a_bug() -> None:
    """The message calls a bug a bug, and says how to get a traceback."""

    @program.command("broken", hidden=True)
    def broken() -> None:
        raise ZeroDivisionError("at night")

    class Broken(Program):
        def get_command(self, ctx: object, cmd_name: str) -> object:
            return broken

    try:
        done = CliRunner().invoke(Broken("voyageai"), ["broken"])
        assert 1 == done.exit_code
        assert "an error in voyageai" in done.stderr
        assert "ZeroDivisionError: at night (-vv shows where)" in done.stderr
    finally:
        program.commands.pop("broken")


def test_2_is_a_command_line_that_makes_no_sense(run: Run, emulator: Emulator) -> None:
    """Status 2 means that nothing was sent."""
    for words in (
        ("embed",),
        ("embde",),
        (*EMBED, "a", "--dimension", "x"),
        (*EMBED, "-d", 7, "a"),
    ):
        assert "voyageai: " in run(*words, status=2).stderr
    assert 0 == len(emulator.requests)


def test_3_is_the_key(run: Run, tmp_path: Path) -> None:
    """Status 3 means that the key is missing, can't be read, or is refused."""
    assert "VOYAGE_API_KEY" in run(*EMBED, "a", status=3, VOYAGE_API_KEY="").stderr
    assert "--api-key-file" in run(*EMBED, "a", "--api-key-file", "nowhere", status=3).stderr
    with voyageai_emulator.running(api_key="another") as url:
        run(*EMBED, "a", "--base-url", url, status=3)
        (tmp_path / "key").write_text("another\n")
        run(*EMBED, "a", "--base-url", url, "--api-key-file", "key")


def test_3_is_also_a_missing_permission(run: Run, emulator: Emulator) -> None:
    """Status 3 includes 403, for a key that lacks a permission."""
    emulator.faults.next("status", status=403)
    run(*EMBED, "a", status=3)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
def test_4_may_pass(run: Run, emulator: Emulator, status: int) -> None:
    """Status 4 means that a script may run the command again."""
    emulator.faults.next("status", status=status)
    run(*EMBED, "a", status=4)


def test_4_is_also_no_connection_and_no_answer(run: Run, emulator: Emulator) -> None:
    """Scripts can treat a failed connection and a timeout like other temporary errors."""
    run(*EMBED, "a", "--base-url", "http://127.0.0.1:1/v1", status=4)
    emulator.faults.next("hang")
    run(*EMBED, "a", "--timeout", 0.2, status=4)


def test_temporary_errors_are_retried(run: Run, emulator: Emulator) -> None:
    """A user at a prompt would only run the command again."""
    emulator.faults.next("status", status=503)
    run("embed", "-m", "voyage-4", "a")


def test_5_is_done_in_part(run: Run) -> None:
    """Status 5 means that the rows without an error are in the output."""
    assert 2 == len(run(*EMBED, input="a\n\n", status=5).stdout.splitlines())


def test_6_is_too_expensive(run: Run) -> None:
    """Status 6 means that the estimate exceeds the allowed cost."""
    assert "--max-cost" in run(*EMBED, "a", "--max-cost", 0, status=6).stderr


def test_errors_are_json_where_results_are(run: Run, emulator: Emulator) -> None:
    """A program reads the results and the errors in the same format."""
    emulator.faults.next("status", status=400)
    error = json.loads(run(*EMBED, "a", "--json", status=1).stderr)["error"]
    assert {"type", "message", "http_status", "request_id", "argument"} == set(error)
    assert ("InvalidRequestError", 400) == (error["type"], error["http_status"])
    assert error["request_id"]
    error = json.loads(run("embed", "-m", "voyage-4", "-d", 7, "--json", "a", status=2).stderr)
    assert "output_dimension" == error["error"]["argument"]
    error = json.loads(run("embed", "--json", "--nonsense", status=2).stderr)["error"]
    assert "NoSuchOption" == error["type"]


def test_q_leaves_notes_out_and_errors_in(run: Run) -> None:
    """Any output of a cron job on standard error is sent as a mail."""
    assert run(*EMBED, "a").stderr
    assert not run(*EMBED, "a", "-q").stderr
    assert run(*EMBED, "-q", "a", "--max-cost", 0, status=6).stderr


def test_options_come_from_variables(run: Run, emulator: Emulator) -> None:
    """A user with one model sets it once."""
    run("embed", "a", VOYAGE_EMBED_MODEL="voyage-4-lite", VOYAGE_EMBED_OUTPUT_DIMENSION="256")
    (request,) = emulator.requests
    assert ("voyage-4-lite", 256) == (request.body["model"], request.body["output_dimension"])
