"""Telemetry is recorded only when it is wanted, costs little, and refuses wrong settings."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from typing import Any

import pytest
import voyageai
from voyageai.error import ArgumentError
from voyageai.options import check_open_telemetry

from .conftest import KEY, KINDS, Recorded, done

VARIABLE = "VOYAGE_OPEN_TELEMETRY"


def run(script: str, *arguments: str, **variables: str) -> Any:
    """Return the JSON that a fresh interpreter prints."""
    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **variables},
    )
    assert 0 == ended.returncode, ended.stderr
    return json.loads(ended.stdout)


PROGRAM = """
import json, sys
SDK
import voyageai
vo = voyageai.Client("key", base_url=sys.argv[1])
vo.embed_query("It rains.", model="voyage-4")
voyageai.Embedding.create(api_key="key", base_url=sys.argv[1], input="a", model="voyage-4", input_type="query")
vo.embed_documents(["a"], model="voyage-4")
print(json.dumps([SEEN, "voyageai.telemetry.recorder" in sys.modules]))
"""
SDK = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter = InMemorySpanExporter()
trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
"""
SEEN = "[[s.name, s.attributes.get('gen_ai.usage.input_tokens')] for s in exporter.get_finished_spans()]"


def test_a_program_that_uses_opentelemetry_sees_its_calls(emulator):
    """Spans need no setting, and calls by the official client's old names have them too."""
    spans, _ = run(PROGRAM.replace("SDK", SDK).replace("SEEN", SEEN), emulator.url)

    assert ["embeddings voyage-4"] * 3 == [name for name, _ in spans]
    assert all(tokens > 0 for _, tokens in spans)


def test_the_environment_switches_it_off(emulator):
    """An operator can switch telemetry off without changing the program."""
    program = PROGRAM.replace("SDK", SDK).replace("SEEN", SEEN)

    assert [[], False] == run(program, emulator.url, **{VARIABLE: "false"})


def test_a_program_without_opentelemetry_loads_none_of_it(emulator):
    """Many environments have OpenTelemetry installed without using it, and must not pay for it."""
    seen = "[name for name in sys.modules if name.startswith('opentelemetry')]"

    assert [[], False] == run(PROGRAM.replace("SDK", "").replace("SEEN", seen), emulator.url)


COUNT = """
import json, sys
from tests.benchmarks.calls import embed, embed_async
found = [embed(sys.argv[1]), embed_async(sys.argv[1])]
print(json.dumps([[[m, n, c] for (m, n), c in calls.items()] for calls in found]))
"""


def test_a_call_that_is_not_recorded_costs_two_calls_of_our_own(emulator):
    """A program that records nothing pays two function calls per call at most."""
    for calls in run(COUNT, emulator.url):
        ours = {
            (m, n): c for m, n, c in calls if "telemetry" in m or "telemetry" in n or "_facts" in n
        }
        assert {
            ("voyageai._base", "_BaseClient._telemetry"): 1,
            ("voyageai.calls", "_facts"): 1,
        } == ours


def test_the_variable_switches_it_on(monkeypatch):
    """The variable works even if the program has not imported OpenTelemetry."""
    monkeypatch.setenv(VARIABLE, "TRUE")

    assert voyageai.Client(KEY)._telemetry() is not None


@pytest.mark.parametrize("kind", KINDS)
def test_an_argument_goes_before_the_environment(kind, emulator, monkeypatch):
    """An explicit argument in code overrides the operator's environment."""
    recorded = Recorded(kind, emulator.url)
    monkeypatch.setenv(VARIABLE, "false")
    done(recorded.client().embed(["a"], "voyage-4", "query"))
    assert 1 == len(recorded.spans())
    monkeypatch.setenv(VARIABLE, "true")
    assert recorded.client(open_telemetry=False)._telemetry() is None


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("yes", "open_telemetry must be True, False or a mapping, not str"),
        ({"tracer": None}, "'tracer'"),
        ({"tracer_provider": "mine"}, "the tracer_provider .* not str"),
        ({"meter_provider": 5}, "the meter_provider .* not int"),
        ({"propagation": "no"}, "propagation"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_setting_is_refused_when_the_client_is_made(kind, given, named):
    """At the first call the error would come too late, and inside a span it would be swallowed."""
    with pytest.raises(ArgumentError, match=named):
        getattr(voyageai, kind)(KEY, open_telemetry=given)


def test_a_wrong_variable_is_named(monkeypatch):
    """A typo would otherwise switch telemetry on or off unnoticed."""
    monkeypatch.setenv(VARIABLE, "fasle")
    with pytest.raises(ArgumentError, match=f"{VARIABLE} must be true or false, not 'fasle'"):
        voyageai.Client(KEY)


@pytest.mark.parametrize(("given", "variable"), [(True, ""), ({}, ""), (None, "1")])
def test_without_the_package_the_extra_is_named(given, variable):
    """The error gives the command that installs what is missing."""
    script = f"""
import json, sys
sys.modules["opentelemetry"] = None
import voyageai
try:
    voyageai.Client("key", open_telemetry={given!r})
except ImportError as failure:
    print(json.dumps([str(failure), failure.__notes__]))
"""
    message, notes = run(script, **{VARIABLE: variable})

    assert "add the extra `otel`" in message
    assert [f"{'open_telemetry' if given is not None else VARIABLE} asks for it"] == notes


def test_copies_record_as_their_original_and_pickles_as_their_process(emulator):
    """Providers hold threads and connections, so a pickle uses those of its new process."""
    recorded = Recorded("Client", emulator.url)
    client = recorded.client()
    done(client.with_options(timeout=5).embed(["a"], "voyage-4", "query"))
    assert 1 == len(recorded.spans())
    with pickle.loads(pickle.dumps(client)) as copied:
        copied.embed(["a"], "voyage-4", "query")
    assert 1 == len(recorded.spans())
    off = pickle.loads(pickle.dumps(recorded.client(open_telemetry=False)))
    assert off._telemetry() is None


def test_a_setting_is_what_was_given_or_what_the_variable_says():
    """Argument and variable combine as the table of docs/opentelemetry.md says."""
    assert [None, True, False] == [check_open_telemetry(None, text) for text in ("", "1", "False")]
    assert [True, False] == [check_open_telemetry(given, "1") for given in (True, False)]
