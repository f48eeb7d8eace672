"""Calls interrupted at any line by an exception from a signal handler."""

from __future__ import annotations

import asyncio
import gc
import sys
import traceback

import pytest
import voyageai

from .scripted_server import Server, api

KEY = "pa-the-key-that-nobody-sees"
WATCHED = ("httpx2", "httpcore2", "h11", "voyageai")
SCOPED = ("httpcore2._async", "httpcore2._synchronization", "voyageai.transport.network_async")
"""Where the scopes of an event loop are entered and left, which no signal may interrupt."""
EVERY = 6
"""One line of so many is tried; a call has more than a thousand."""


class Interruption(BaseException):
    """A substitute for Celery's SoftTimeLimitExceeded, or KeyboardInterrupt."""


def raising_once(seen):
    """Return a trace function that raises at the next line not seen before."""
    done = False

    def trace(frame, event, _):
        nonlocal done
        module = frame.f_globals.get("__name__", "")
        if done or module.split(".", 1)[0] not in WATCHED or module.startswith(SCOPED):
            return None
        place = (frame.f_code.co_filename, frame.f_lineno)
        made = place[0].startswith("<")  # by attrs, whose reprs need an object that is complete
        if event == "line" and not made and place not in seen:
            seen.add(place)
            if len(seen) % EVERY == 0:
                done = True
                raise Interruption
        return trace

    return trace


def interrupted(act):
    """Interrupt a call at one line after another; yield each outcome."""
    seen = set()
    act()
    before = sys.gettrace()
    while True:
        sys.settrace(raising_once(seen))
        try:
            act()
        except Interruption as failure:
            sys.settrace(before)
            yield failure
        else:
            return
        finally:
            sys.settrace(before)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # in finalizers
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of event loops that were broken off
@pytest.mark.parametrize("kind", ["Client", "AsyncClient"])
def test_the_key_is_in_no_frame_of_what_interrupts_a_call(kind):
    """Soft time limits are reported to error trackers, which keep local variables."""
    places = 0
    with Server(api) as server:
        proxy = f"http://user:hidden-word@127.0.0.1:{server.port}"
        client = getattr(voyageai, kind)(KEY, base_url="http://127.0.0.2/v1", proxy=proxy)

        def act():
            result = client.embed(["a"], "voyage-4", "query", timeout=5)
            assert 1 == len(asyncio.run(result) if asyncio.iscoroutine(result) else result)

        for failure in interrupted(act):
            places += 1
            shown = traceback.TracebackException.from_exception(failure, capture_locals=True)
            text = "".join(line for line in shown.format() if __file__ not in line)
            assert not any(word in text for word in (KEY, "hidden-word")), text[-2000:]
            assert text.count("voyageai") > 0
            act()  # the interrupted call has left nothing behind
        gc.collect()
    assert places > 20
