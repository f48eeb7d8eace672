"""Behaviour that only a real process shows: closed pipes, signals, missing streams, imports."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import voyageai
from voyageai_emulator import Emulator

from .conftest import Shell

COMMAND = (sys.executable, "-m", "voyageai")
EMBED = ("embed", "-m", "voyage-4", "-d", "256")
ROOT = Path(voyageai.__file__).parents[1]


@contextmanager
def running(
    environment: dict[str, str], *words: str, cwd: Path, **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command line in a process, and kill it at the end."""
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen([*COMMAND, *words], cwd=cwd, env=environment, **(pipes | options))
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Undo a shell's setting that background processes and their children ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_commands_can_be_piped(shell: Shell) -> None:
    """The first page of the documentation shows this pipeline."""
    done = shell("printf 'a\\nb\\n' | voyageai embed -m voyage-4 | voyageai similarity -f -")
    assert 0 == done.returncode, done.stderr
    assert -1 < float(done.stdout) < 1


def test_a_closed_pipe_ends_the_command_silently(shell: Shell) -> None:
    """The command exits like other Unix programs when `head` has read enough."""
    done = shell("seq 20000 | voyageai embed -qm voyage-4 | head -1 | wc -l; echo ${PIPESTATUS[*]}")
    assert "1\n0 141 0 0\n" == done.stdout.replace("141 141", "0 141")
    assert "" == done.stderr


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_it_at_once(
    environment: dict[str, str], emulator: Emulator, tmp_path: Path
) -> None:
    """The command must not wait for a request that is never answered."""
    emulator.faults.always("hang")
    with running(environment, *EMBED, "unanswered", cwd=tmp_path) as process:
        # Requests of a process that an earlier test killed may still arrive.
        while not any(b"unanswered" in each.raw for each in emulator.requests):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (130, b"voyageai: interrupted") == (process.returncode, errors.strip())


def test_a_row_waits_for_no_later_one(
    environment: dict[str, str], emulator: Emulator, tmp_path: Path
) -> None:
    """In `tail -f | voyageai embed`, each line gives a row at once."""
    with running(environment, *EMBED, cwd=tmp_path) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in (b"a\n", b"b\n"):
            process.stdin.write(line)
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["embedding"]
        process.stdin.close()
        assert 0 == process.wait(30)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_job_goes_on(
    environment: dict[str, str], emulator: Emulator, tmp_path: Path
) -> None:
    """The message says how to resume, and nothing is uploaded twice."""
    (tmp_path / "in.txt").write_text("".join(f"row {n}\n" for n in range(50)))
    words = ("batch", "run", "-m", "voyage-4", "in.txt", "job", "--poll", "0.05")
    emulator.batches.hold("in_progress")
    with running(environment, *words, cwd=tmp_path) as process:
        while not emulator.requests.of("retrieveBatch"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert 130 == process.returncode
    assert b"The same command resumes it" in errors
    emulator.batches.release()
    with running(environment, *words, cwd=tmp_path) as process:
        output, errors = process.communicate(timeout=60)
    assert 0 == process.returncode, errors
    assert 50 == json.loads(output)["rows"]
    assert 1 == len(emulator.requests.of("uploadFile"))


def test_a_killed_table_of_batches_is_sent_once(
    environment: dict[str, str], emulator: Emulator, tmp_path: Path
) -> None:
    """The server goes on with the batch, and the same command waits for it again."""
    (tmp_path / "in.txt").write_text("".join(f"row {n}\n" for n in range(50)))
    words = (*EMBED, "--into", "table", "--via", "batch", "--poll", "0.05", "in.txt")
    emulator.batches.hold("in_progress")
    with running(environment, *words, cwd=tmp_path) as process:
        while not emulator.requests.of("retrieveBatch"):
            assert process.poll() is None
        process.kill()
        process.communicate(timeout=30)
    emulator.batches.release()
    with running(environment, *words, cwd=tmp_path) as process:
        output, errors = process.communicate(timeout=60)
    assert 0 == process.returncode, errors
    assert (50, 0) == tuple(json.loads(output)[name] for name in ("rows", "failed"))
    assert [1, 1] == [len(emulator.requests.of(name)) for name in ("uploadFile", "createBatch")]


def test_two_processes_do_not_share_a_table(
    environment: dict[str, str], emulator: Emulator, tmp_path: Path
) -> None:
    """The second process exits with 4, as a later try can succeed."""
    (tmp_path / "in.txt").write_text("a\n")
    words = (*EMBED, "--into", "table", "in.txt")
    emulator.faults.always("hang")
    with running(environment, *words, cwd=tmp_path) as first:
        while not emulator.requests.of("createEmbeddings"):
            assert first.poll() is None
        with running(environment, *words, cwd=tmp_path) as second:
            _, errors = second.communicate(timeout=30)
    assert (4, True) == (second.returncode, b"another process" in errors), errors
    assert 1 == len(emulator.requests.of("createEmbeddings"))


def test_what_a_shell_hands_over_as_a_file_is_read(shell: Shell) -> None:
    """The shell passes `<(command)` as a named pipe."""
    embed = "voyageai embed -qm voyage-4"
    done = shell(f"{embed} -f <(printf 'a\\nb\\n') > v; voyageai similarity -f <(cat v)")
    assert -1 < float(done.stdout) < 1, done.stderr
    done = shell(f"{embed} a --api-key-file <(printf '%s\\n' \"$VOYAGE_API_KEY\") | wc -l")
    assert "1" == done.stdout.strip(), done.stderr
    assert "can't be read from a pipe" in shell(f"{embed} --in parquet -f <(true)").stderr


def test_names_of_files_may_be_anything(shell: Shell) -> None:
    """A name that is not UTF-8 is escaped, and none can move the terminal's cursor."""
    script = "printf x > $'{0}' && voyageai embed -qm voyage-4 --in file -f $'{0}'"
    for name, id_ in {"a b\\n😀": "a b\n😀", "\\xff.md": "\\xff.md"}.items():
        assert id_ == json.loads(shell(script.format(name)).stdout)["id"]
    done = shell("voyageai embed -m voyage-4 -f $'a\\e[31m.md'")
    assert ("\x1b" in done.stderr, "[31m.md, which does not exist" in done.stderr) == (False, True)


def test_closed_streams_are_handled_or_named(shell: Shell) -> None:
    """Daemons run without standard streams."""
    assert "nothing to read" in shell("voyageai embed -m voyage-4 <&-; exit $?").stderr
    done = shell("voyageai embed -m voyage-4 a >&-")
    assert (2, True) == (done.returncode, "standard output is closed" in done.stderr)
    done = shell("voyageai embed -m voyage-4 a 2>&-")
    assert (0, 1) == (done.returncode, done.stdout.count("\n"))


def test_a_terminal_is_never_waited_for(environment: dict[str, str], tmp_path: Path) -> None:
    """Without input the command prints an error instead of hanging."""
    ours, theirs = pty.openpty()
    try:
        with running(environment, *EMBED, cwd=tmp_path, stdin=theirs) as process:
            _, errors = process.communicate(timeout=30)
    finally:
        os.close(ours)
        os.close(theirs)
    assert 2 == process.returncode
    assert b"nothing to read" in errors


def test_binary_output_is_not_written_to_a_terminal(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Binary output could make a terminal unusable."""
    ours, theirs = pty.openpty()
    try:
        words = (*EMBED, "a", "-o", "npy")
        with running(environment, *words, cwd=tmp_path, stdout=theirs) as process:
            _, errors = process.communicate(timeout=30)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (2, True) == (process.returncode, b"name a file with -O" in errors)


def test_a_full_disk_is_a_failure(shell: Shell) -> None:
    """A script must not go on with half of the output."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    done = shell("voyageai models > /dev/full")
    assert (1, True) == (done.returncode, "No space left" in done.stderr)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1"])
def test_output_is_utf_8_whatever_the_code_page(shell: Shell, encoding: str) -> None:
    """Programs that read the output do not know the code page of the console."""
    script = "printf 'Où ? 雪\\n' | voyageai rerank -m rerank-3 snow"
    done = shell(script, PYTHONIOENCODING=encoding, LC_ALL="C", PYTHONUTF8="0")
    assert "Où ? 雪" == json.loads(done.stdout)["document"]
    done = shell("voyageai tokens -m voyage-4 -o table 雪", PYTHONIOENCODING=encoding)
    assert "雪" in done.stdout


@pytest.mark.parametrize(
    ("variables", "colored"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colors_are_as_the_variables_say(
    shell: Shell, variables: dict[str, str], colored: bool
) -> None:
    """NO_COLOR has priority over the other variables."""
    assert colored is ("\x1b[" in shell("voyageai models -o table", **variables).stdout)


def test_without_click_it_says_how_to_get_it(tmp_path: Path) -> None:
    """The core package does not depend on click."""
    code = "import sys; sys.modules['click'] = None; import voyageai.cli; voyageai.cli.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 2 == done.returncode
    assert "add the extra `cli`" in done.stderr


def test_vv_shows_the_traceback(shell: Shell) -> None:
    """A traceback is shown only to users who ask for it."""
    script = "voyageai embed -m voyage-4 a --base-url http://127.0.0.1:1 --max-retries 0 {}"
    assert "Traceback" not in shell(script.format("")).stderr
    with pytest.raises(AssertionError, match="Traceback"):
        shell(script.format("-vv"))


LOADED = """
import sys
sys.argv = ["voyageai", *sys.argv[1:]]
from voyageai.cli import main
try:
    main()
finally:
    sys.stderr.write(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.parametrize("words", [("--help",), ("embed", "--help"), ("batch", "run", "-h")])
def test_help_loads_next_to_nothing(words: tuple[str, ...]) -> None:
    """Completion loads the command line at each press of Tab."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words], capture_output=True, text=True, check=True
    )
    heavy = {"numpy", "httpx2", "httpcore2", "attr", "attrs", "pyarrow", "voyageai_rest", "rich"}
    assert set() == heavy & set(done.stderr.split())


def test_the_emulator_is_reached_by_its_entry_point(shell: Shell) -> None:
    """`voyageai` finds the emulator's command without importing the emulator."""
    done = shell("voyageai emulator --faults")
    assert "drip" in done.stdout, done.stderr
