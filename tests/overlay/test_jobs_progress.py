"""Progress of a job as users see it: as bars, lines or log records."""

from __future__ import annotations

import io
import logging
import sys

import pytest
from voyageai.batches import Progress
from voyageai.batches.jobs.progress import RichBars, show_progress

STEPS = [
    Progress(stage="uploading", message="uploading batch 1", batch=1, total=100, unit="bytes"),
    Progress(
        stage="uploading", message="uploading batch 1", batch=1, done=9, total=100, unit="bytes"
    ),
    Progress(
        stage="uploading", message="uploading batch 1", batch=1, done=50, total=100, unit="bytes"
    ),
    Progress(
        stage="downloading",
        message="downloading batch 1",
        batch=1,
        done=5_230_000,
        total=13_786_950,
        unit="bytes",
    ),
    Progress(stage="waiting", message="batch 1 is refused for now", batch=1),
    Progress(stage="done", message="2 of 2 rows are done", done=2, total=2, unit="rows"),
]
LINES = [
    "uploading batch 1: 0 of 100 bytes",
    "uploading batch 1: 50 of 100 bytes",
    "downloading batch 1: 5.2 of 13.8 MB",
    "batch 1 is refused for now",
    "2 of 2 rows are done: 2 of 2 rows",
]


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def shown(watch: object, stream: io.StringIO) -> str:
    """Return the output for a series of progress steps."""
    with show_progress(watch, stream) as tell:
        for step in STEPS:
            tell(step)
    return stream.getvalue()


@pytest.fixture
def without_rich(monkeypatch):
    """Make `rich` look uninstalled."""
    monkeypatch.setitem(sys.modules, "rich.progress", None)


@pytest.mark.usefixtures("without_rich")
@pytest.mark.parametrize("watch", [None, True])
def test_a_terminal_without_rich_shows_lines(watch):
    """There is a line per tenth, so the output stays short."""
    assert LINES == shown(watch, Terminal()).splitlines()


@pytest.mark.parametrize("watch", [None, True])
def test_a_terminal_with_rich_shows_bars(watch):
    """Bars stay below, and messages above them."""
    seen = shown(watch, Terminal())
    assert "━" in seen
    assert "5.2 of 13.8 MB" in seen
    assert "batch 1 is refused for now" in seen


def test_a_step_without_a_count_has_no_bar():
    """A bar with a long sentence would leave no room for the others."""
    stream = Terminal()
    sentence = "1,000 texts in 10 requests in 1 batch"
    with RichBars(stream) as bars:
        bars.show(Progress(stage="preparing", message=sentence))
        bars.show(Progress(stage="running", message="batch 1", batch=1, total=3, unit="requests"))
    assert 1 == stream.getvalue().count(sentence)


def test_bars_do_not_read_markup():
    """Messages quote users' texts, which may contain brackets."""
    stream = Terminal()
    with RichBars(stream) as bars:
        bars.show(Progress(stage="failed", message="row 3: [bold]a[/] text"))
        bars.show(Progress(stage="running", message="[red]batch"))
    assert "[bold]a[/] text" in stream.getvalue()
    assert "[red]batch" in stream.getvalue()


@pytest.mark.parametrize(
    ("watch", "stream"), [(None, io.StringIO()), (False, Terminal())], ids=["piped", "turned off"]
)
def test_hidden_progress_is_logged(watch, stream, caplog):
    """The operator of an unattended program may want to know why it waits."""
    caplog.set_level(logging.INFO, "voyageai.batches")
    assert "" == shown(watch, stream)
    assert LINES == caplog.messages
    assert [LINES[3]] == [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


def test_lines_are_piped_if_that_is_asked_for():
    """Users can redirect progress into a file."""
    assert LINES == shown(True, io.StringIO()).splitlines()


def test_a_function_is_told_everything():
    """A program with its own display gets every step."""
    steps = []
    assert "" == shown(steps.append, Terminal())
    assert STEPS == steps


def test_a_program_without_a_terminal_works(monkeypatch):
    """Some programs have no stderr at all, such as those started by pythonw."""
    monkeypatch.setattr(sys, "stderr", None)
    with show_progress(None) as tell:
        tell(STEPS[0])
