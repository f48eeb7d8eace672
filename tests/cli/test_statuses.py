"""Exit statuses and errors: what scripts go by."""

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
    """All of it."""
    run(*EMBED, "a")


@pytest.mark.parametrize("status", [400, 404, 409, 410, 422])
def test_1_is_refused(run: Run, emulator: Emulator, status: int) -> None:
    """Another try would be refused too."""
    emulator.faults.next("status", status=status)
    done = run(*EMBED, "a", status=1)
    said, more = done.stderr.splitlines()
    assert said.startswith("voyageai: Request ")
    assert "docs/errors.md#" in more


def test_1_is_also_a_fault_of_ours() -> None:
    """And is called one, with the way to a traceback."""

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
    """Nothing was sent."""
    for words in (
        ("embed",),
        ("embde",),
        (*EMBED, "a", "--dimension", "x"),
        (*EMBED, "-d", 7, "a"),
    ):
        assert "voyageai: " in run(*words, status=2).stderr
    assert 0 == len(emulator.requests)


def test_3_is_the_key(run: Run, tmp_path: Path) -> None:
    """None, one that can't be read, or one that is refused."""
    assert "VOYAGE_API_KEY" in run(*EMBED, "a", status=3, VOYAGE_API_KEY="").stderr
    assert "--api-key-file" in run(*EMBED, "a", "--api-key-file", "nowhere", status=3).stderr
    with voyageai_emulator.running(api_key="another") as url:
        run(*EMBED, "a", "--base-url", url, status=3)
        (tmp_path / "key").write_text("another\n")
        run(*EMBED, "a", "--base-url", url, "--api-key-file", "key")


def test_3_is_also_what_the_key_may_not(run: Run, emulator: Emulator) -> None:
    """403."""
    emulator.faults.next("status", status=403)
    run(*EMBED, "a", status=3)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
def test_4_may_pass(run: Run, emulator: Emulator, status: int) -> None:
    """A script may run it again."""
    emulator.faults.next("status", status=status)
    run(*EMBED, "a", status=4)


def test_4_is_also_no_connection_and_no_answer(run: Run, emulator: Emulator) -> None:
    """The same advice."""
    run(*EMBED, "a", "--base-url", "http://127.0.0.1:1/v1", status=4)
    emulator.faults.next("hang")
    run(*EMBED, "a", "--timeout", 0.2, status=4)


def test_what_passes_is_tried_again_unasked(run: Run, emulator: Emulator) -> None:
    """A person at a prompt would do nothing else."""
    emulator.faults.next("status", status=503)
    run("embed", "-m", "voyage-4", "a")


def test_5_is_done_in_part(run: Run) -> None:
    """The rest is in the output."""
    assert 2 == len(run(*EMBED, input="a\n\n", status=5).stdout.splitlines())


def test_6_is_too_expensive(run: Run) -> None:
    """By an estimate."""
    assert "--max-cost" in run(*EMBED, "a", "--max-cost", 0, status=6).stderr


def test_errors_are_json_where_results_are(run: Run, emulator: Emulator) -> None:
    """A program reads both."""
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
    """Standard error of a cron job is a mail."""
    assert run(*EMBED, "a").stderr
    assert not run(*EMBED, "a", "-q").stderr
    assert run(*EMBED, "-q", "a", "--max-cost", 0, status=6).stderr


def test_options_come_from_variables(run: Run, emulator: Emulator) -> None:
    """Whoever has one model says so once."""
    run("embed", "a", VOYAGE_EMBED_MODEL="voyage-4-lite", VOYAGE_EMBED_OUTPUT_DIMENSION="256")
    (request,) = emulator.requests
    assert ("voyage-4-lite", 256) == (request.body["model"], request.body["output_dimension"])
