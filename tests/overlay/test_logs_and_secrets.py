"""Log records, and everywhere the key could leak."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import logging
import pickle
import pkgutil
import subprocess
import sys
import traceback
from pathlib import Path

import attrs
import httpx2
import pytest
import voyageai
from voyageai import error
from voyageai._utils import Url
from voyageai.batches import Failure
from voyageai.transport import logs
from voyageai.transport.config import InsecureWarning
from voyageai_rest.errors import BODY_LIMIT

from tests.calls import calls_of

from .conftest import answer_to
from .file_server import answer as answered
from .file_server import content, done, in_turn
from .test_errors_and_retries import failing

EMBED = {"texts": ["some secret text"], "model": "voyage-4"}
PICTURE = "data:image/png;base64," + "iVBO" * 16


@pytest.fixture
def lines(caplog):
    """Return a function that gives all log messages, including bodies."""
    caplog.set_level(logging.DEBUG, logger="voyageai")
    return lambda: [record.getMessage() for record in caplog.records]


def test_every_attempt_is_a_line(face, lines):
    """A user finds the request in the server's logs, and sees its tokens."""
    face.call(face.client(failing(503), max_retries=1), "embed", **EMBED)

    assert [
        "POST /v1/embeddings 503 request r-9, attempt 1, 0.000 s, trying again in 0.5 s",
        "POST /v1/embeddings 200 request req-1, attempt 2, 0.000 s, 7 tokens",
    ] == lines()


def test_lines_at_info_are_of_failures_only(face, caplog):
    """A program that logs at INFO sees nothing of successful calls, as with the official client."""
    caplog.set_level(logging.INFO)
    face.call(face.client(), "embed", **EMBED)
    assert [] == caplog.records
    face.call(face.client(failing(503), max_retries=1), "embed", **EMBED)
    with pytest.raises(error.ServerError):
        face.call(face.client(failing(500)), "embed", **EMBED)

    assert [
        (logging.INFO, "trying again in 0.5 s"),
        (logging.INFO, "giving up"),
    ] == [(one.levelno, one.getMessage().rpartition(", ")[2]) for one in caplog.records]


def test_nothing_is_printed_where_logging_is_not_set_up():
    """Python prints warnings to stderr by default, and the exception already says the same."""
    script = (
        "import httpx2, voyageai\n"
        "handler = lambda request: httpx2.Response(500)\n"
        "vo = voyageai.Client('k', transport=httpx2.MockTransport(handler))\n"
        "try: vo.embed(['a'], 'voyage-4', 'query')\n"
        "except voyageai.error.ServerError: print('raised')"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ("raised\n", "") == (ran.stdout, ran.stderr)


def test_a_failure_is_a_line(face, lines):
    """Attempts without a response are logged too."""
    with pytest.raises(error.APIConnectionError):
        face.call(face.client(failing(httpx2.ConnectError("x"))), "embed", **EMBED)

    assert ["POST /v1/embeddings ConnectError request -, attempt 1, 0.000 s, giving up"] == lines()


def test_lines_hold_no_texts_unless_that_is_asked_for(face, lines, caplog):
    """Texts are users' data, and pictures too long, so only an explicit logger shows bodies."""
    face.call(face.client(), "embed", **EMBED)
    assert "some secret text" not in str(lines())
    caplog.set_level(logging.DEBUG, logger="voyageai.bodies")
    face.call(face.client(), "embed", **EMBED)
    assert "some secret text" in str(lines())
    part = {"type": "image_base64", "image_base64": PICTURE}
    face.call(face.client(), "multimodal_embed", [[part]], model="voyage-multimodal-3.5")
    assert "data:image/png;base64,..." in str(lines())
    assert "iVBO" not in str(lines())


def test_nothing_is_formatted_without_a_listener(face, caplog):
    """Programs that don't log must not pay for it, unlike with the official client."""
    functions = (logs.Log.__init__, logs.Log._line, logs._redacted)
    for level, formatted in (("WARNING", 0), ("INFO", 1 + 1), ("DEBUG", 1 + 2 + 4)):
        caplog.set_level(level, logger="voyageai")
        caplog.set_level(level, logger="voyageai.bodies")
        with calls_of(*functions) as calls:
            client = face.client(failing(503), max_retries=1, open_telemetry=False)
            face.call(client, "embed", **EMBED)
        assert formatted == len(calls)


def test_the_official_logger_is_the_parent(face, caplog):
    """Users who configured the logger `voyage` keep getting the records."""
    caplog.set_level(logging.DEBUG, logger="voyage")
    logging.getLogger("voyageai").setLevel(logging.NOTSET)
    face.call(face.client(), "embed", **EMBED)

    assert logging.getLogger("voyage") is logging.getLogger("voyageai").parent
    assert "200 request req-1" in caplog.text


@pytest.mark.parametrize("way", ["variable", "module"])
def test_lines_are_printed_when_that_is_asked_for(face, way, monkeypatch, capsys):
    """VOYAGE_LOG and voyageai.log print each line once, even with several clients."""
    if way == "variable":
        monkeypatch.setenv("VOYAGE_LOG", "debug")
    else:
        monkeypatch.setattr(voyageai, "log", "debug")
    logger = logging.getLogger("voyageai")
    monkeypatch.setattr(logger, "handlers", [])
    face.client()
    face.call(face.client(), "embed", **EMBED)

    assert 1 == capsys.readouterr().err.count("200 request req-1")
    logger.setLevel(logging.NOTSET)


def test_the_key_is_nowhere_to_be_found(face, key, caplog):
    """No log, repr, traceback, exception or pickle shows it, whatever fails."""
    caplog.set_level(logging.DEBUG, logger="voyageai.bodies")
    caplog.set_level(logging.DEBUG)
    texts = []
    for answer in (200, 401, 500, httpx2.ConnectError("x"), httpx2.ReadTimeout("x")):
        handler = answer_to if answer == 200 else failing(answer, answer)
        client = face.client(handler, max_retries=1, proxy="http://user:hidden-word@proxy:1")
        texts += [repr(client), repr(vars(client))]
        try:
            face.call(client, "embed", **EMBED)
        except error.VoyageError as failure:
            texts += ["".join(traceback.format_exception(failure)), str(pickle.dumps(failure))]
            frames = traceback.TracebackException.from_exception(failure, capture_locals=True)
            texts += [frame for frame in frames.format() if __file__ not in frame]
    texts.append(caplog.text)

    assert key not in "".join(texts)
    assert "hidden-word" not in str(pickle.dumps(client))


def test_causes_of_an_error_keep_no_frames(face, key):
    """Frames of HTTP libraries hold the request's headers, and error trackers store them."""

    def handler(request):
        head = bytes(request.headers["authorization"], "ascii")
        try:
            head[999]
        except IndexError as failure:
            raise httpx2.WriteTimeout("slow") from failure

    with pytest.raises(error.Timeout) as caught:
        face.call(face.client(handler), "embed", **EMBED)
    links = [caught.value.__cause__, caught.value.__cause__.__cause__]

    assert [httpx2.WriteTimeout, IndexError] == [type(link) for link in links]
    assert [None, None] == [link.__traceback__ for link in links]


def test_redirects_are_not_followed(face):
    """The key goes to the configured host only."""
    response = httpx2.Response(307, headers={"location": "https://elsewhere.example/v1"})
    with pytest.raises(error.APIError, match="HTTP 307"):
        face.call(face.client(failing(response), max_retries=3), "embed", **EMBED)

    assert ["api.voyageai.com"] == [request.url.host for request in face.requests]


def test_netrc_is_ignored(face, key, tmp_path, monkeypatch):
    """A netrc entry would replace the key, as it does in the official client."""
    (tmp_path / ".netrc").write_text("machine api.voyageai.com login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    face.call(face.client(), "embed", **EMBED)

    assert f"Bearer {key}" == face.requests[-1].headers["authorization"]


@pytest.mark.parametrize("url", ["http://example.com/v1", "http://10.0.0.1/v1"])
def test_plain_http_to_another_machine_warns(face, url):
    """Anyone on the network can read the key."""
    with pytest.warns(InsecureWarning, match="is not encrypted"):
        face.client(base_url=url)


@pytest.mark.parametrize(
    "url",
    ["http://localhost:1/v1", "http://127.0.0.2/v1", "http://[::1]/v1", "https://a.example/v1"],
)
def test_plain_http_within_this_machine_does_not_warn(face, url):
    """The emulator is used over plain HTTP."""
    face.client(base_url=url)


def test_trusting_any_certificate_warns(face):
    """The setting is meant for tests only, and the warning points at the user's line."""
    with pytest.warns(InsecureWarning, match="verify=False") as caught:
        face.kind("k", verify=False)

    assert __file__ == caught[0].filename


def test_a_proxy_of_the_wrong_type_is_refused(face, monkeypatch):
    """The error names the setting."""
    monkeypatch.setattr(voyageai, "proxy", 5)
    with pytest.raises(ValueError, match="'proxy' must be a URL"):
        face.client()


@pytest.mark.parametrize("name", ["requestssession", "aiosession", "verify_ssl_certs"])
def test_settings_of_the_official_clients_http_libraries_warn(face, name, monkeypatch):
    """Those libraries are not used any more, and the warning names the replacement."""
    monkeypatch.setattr(voyageai, name, object(), raising=False)
    with pytest.warns(UserWarning, match=f"voyageai.{name} has no effect; pass "):
        face.client()


def test_the_program_is_named_in_the_user_agent(face, monkeypatch):
    """The official client fails when app_info has a name."""
    info = {"name": "search\n", "version": "2", "url": "https://a.example"}
    monkeypatch.setattr(voyageai, "app_info", info)
    face.call(face.client(), "embed", **EMBED)

    assert face.requests[-1].headers["user-agent"].endswith("search /2 (https://a.example)")


# Text of the server

HOSTILE = "no\x1b[2J\r\n2026-01-01 INFO forged\x07\x9b\u202e\u2028"
HEADERS = [(b"x-request-id", b"r\x1b[2J\n\x9bx")]


def refused(status=400, **body):
    """Return a malicious error response."""
    content = json.dumps({"detail": HOSTILE, **body}).encode()
    return httpx2.Response(status, headers=HEADERS, content=content)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (refused(400), error.InvalidRequestError),
        (refused(404), error.NotFoundError),
        (refused(422), error.MalformedRequestError),
        (refused(418), error.APIError),
        (refused(429), error.RateLimitError),
        (refused(500), error.ServerError),
        (httpx2.Response(500, headers=HEADERS, content=HOSTILE.encode()), error.ServerError),
        (
            httpx2.Response(200, headers=HEADERS, json={"data": [{"index": HOSTILE}], "usage": {}}),
            error.MalformedResponseError,
        ),
    ],
)
def test_a_servers_text_acts_on_no_terminal_and_forges_no_log_line(face, response, kind, caplog):
    """Messages, tracebacks and logs escape it, while attributes keep the original text."""
    caplog.set_level(logging.DEBUG, logger="voyageai.bodies")
    caplog.set_level(logging.DEBUG)
    with pytest.raises(kind) as caught:
        face.call(face.client(failing(response, response), max_retries=1), "embed", **EMBED)
    failure = caught.value
    shown = [str(failure), repr(failure), str(failure.user_message), *map(str, failure.args)]
    shown += [record.getMessage() for record in caplog.records]
    shown += traceback.format_exception_only(failure.__cause__)[0].splitlines()

    assert [] == [line for line in shown if not line.isprintable()]
    assert str(failure).startswith(r"Request r\x1b[2J\x0a\x9bx: ")
    assert "r\x1b[2J\n\x9bx" == failure.request_id
    if failure.json_body is None:
        assert HOSTILE == failure.http_body
    elif failure.http_status != 200:
        assert HOSTILE == failure.json_body["detail"] == json.loads(failure.http_body)["detail"]
    assert str(failure) == str(pickle.loads(pickle.dumps(failure)))


def test_an_error_is_no_longer_than_a_body_that_it_shows(face):
    """Logs, terminals and error trackers have to hold the message."""
    huge = "a" * 5_000_000
    handler = failing(httpx2.Response(400, json={"detail": huge}, headers={"x-request-id": huge}))
    with pytest.raises(error.InvalidRequestError, match="5000000 characters") as caught:
        face.call(face.client(handler), "embed", **EMBED)

    assert len(str(caught.value)) < BODY_LIMIT + 1000
    assert len("".join(traceback.format_exception_only(caught.value.__cause__))) < BODY_LIMIT + 1000
    assert caught.value.request_id == huge


def test_a_failure_of_a_row_is_printable():
    """Jobs print their first failures and write them to the log."""
    failure = Failure(
        row=7, code="refused", status=400, message=HOSTILE, batch=1, batch_id="b\x1b\n", line=1,
        text="It\nrains.",
    )  # fmt: skip

    assert str(failure).isprintable()
    assert HOSTILE == failure.message


def test_errors_of_deletion_and_of_invalid_lines_are_printable(face):
    """These errors quote the server's text, which may hold control characters."""
    hostile = answered(success=False, error_file_ids=[HOSTILE])
    with pytest.raises(error.NotDeletedError) as caught:
        done(face.client(in_turn(hostile)).files.delete_many(["file-1"]))
    assert str(caught.value).isprintable()
    assert (HOSTILE,) == caught.value.file_ids
    lines = content(b'{"a": "\x1b[2J\xe2\x80\xae\n')
    with pytest.raises(error.MalformedResponseError) as caught:
        done(face.client(in_turn(lines)).files.content("file-1").lines())
    assert str(caught.value).isprintable()


# Tracebacks with locals


def frames(failure):
    """Return a traceback as error trackers show it, from the frame after the caller's."""
    below = failure.__traceback__.tb_next
    shown = traceback.TracebackException(type(failure), failure, below, capture_locals=True)
    return "".join(shown.format())


def ours():
    """Yield all classes of the overlay."""
    root = Path(voyageai.__file__).parent
    for module in pkgutil.walk_packages([str(root)], "voyageai."):
        if module.name.endswith("__main__"):
            continue
        try:
            loaded = importlib.import_module(module.name)
        except ImportError:
            assert ".integrations." in module.name  # each needs a package that may be missing
            continue
        for value in list(vars(loaded).values()):
            if inspect.isclass(value) and value.__module__ == module.name:
                yield value


def _repr_is_in(kind):
    """Return the file of a class's `__repr__`, or nothing if it is Python's own."""
    code = getattr(inspect.unwrap(kind.__repr__), "__code__", None)
    return "" if code is None or inspect.isabstract(kind) else code.co_filename


def test_no_repr_of_ours_fails_on_an_object_that_is_half_built():
    """An error tracker shows `self` in a constructor that raised, and must not fail on it."""
    root = str(Path(voyageai.__file__).parent)
    written = [kind for kind in ours() if _repr_is_in(kind).startswith(root)]

    assert {voyageai.Client, voyageai.AsyncClient, error.RateLimitError} < set(written)
    for kind in written:
        assert repr(kind.__new__(kind))


def test_no_class_runs_code_before_all_that_its_repr_shows_is_there():
    """attrs runs converters before all fields are set, when a generated repr would still fail."""
    converting = {
        kind
        for kind in ours()
        if attrs.has(kind)
        and any(each.converter is not None for each in attrs.fields(kind))
        and _repr_is_in(kind).startswith("<attrs generated")
    }

    assert set() == converting


@pytest.mark.parametrize(
    "given",
    [
        {"timeout": -1}, {"deadline": 0}, {"max_retries": -1}, {"rate_limit": "x"},
        {"input_types": {"x": "query"}}, {"http_client": 5}, {"verify": 5},
        {"api_key": "hidden-word\n2"}, {"api_key": b"hidden-word"}, {"api_key": ["hidden-word"]},
        {"base_url": "ftp://user:hidden-word@a/v1"}, {"base_url": "https://user:hidden-word@a/v1"},
        {"base_url": "https://user:hidden/word@a/v1"}, {"base_url": "https://a b:hidden-word@a"},
        {"proxy": "x://user:hidden-word@a"}, {"proxy": {"http": "x://user:hidden-word@a"}},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("way", ["made", "copied"])
def test_a_client_that_can_not_be_made_is_shown_with_its_error_and_no_secret(given, way, face, key):
    """Error trackers show the locals of every frame, with the error and without the key."""
    make = face.kind if way == "made" else face.kind(key).with_options
    with pytest.raises(error.VoyageError) as caught:
        make(**{"api_key": key, **given})
    shown = frames(caught.value)

    assert str(caught.value) in shown
    assert "self = " in shown
    assert key not in shown
    assert "hidden" not in shown
    assert "word@" not in shown


@pytest.mark.parametrize("place", ["variable", "module", "file", "utf-16", "set"])
def test_an_invalid_key_is_in_no_frame(place, face, tmp_path, monkeypatch):
    """Environment variables, files and modules are read in frames of this package."""
    secret = "hidden-word\x01"
    client, call = face.client(), face.kind
    match place:
        case "variable":
            monkeypatch.setenv("VOYAGE_API_KEY", secret)
        case "module":
            monkeypatch.setattr(voyageai, "api_key", secret.encode())
        case "set":
            client._params["api_key"] = secret
            call = functools.partial(face.call, client, "embed", **EMBED)
        case _:
            encoding = "utf-8" if place == "file" else place
            (tmp_path / "key").write_text(secret, encoding=encoding)
            monkeypatch.setenv("VOYAGE_API_KEY_PATH", str(tmp_path / "key"))
    with pytest.raises(error.AuthenticationError) as caught:
        call()
    shown = frames(caught.value)

    assert "hidden-word" not in shown
    assert "h\\x00i\\x00d" not in shown


def test_the_first_functions_of_the_official_client_hold_no_key_in_their_frames(key):
    """Error trackers also show the locals of these old functions."""
    failures = []
    for call in (
        lambda: voyageai.Embedding.create(
            key, input=["a"], model="voyage-4", base_url="http://127.0.0.1:9/v1"
        ),
        lambda: voyageai.Embedding.create(
            key, input=["a"], model="voyage-4", base_url="ftp://user:hidden-word@a"
        ),
        lambda: voyageai.util.api_key_to_header(f"{key}\x01"),
    ):
        with pytest.raises(error.VoyageError) as caught:
            call()
        caught.value.__traceback__ = caught.value.__traceback__.tb_next  # that of the lambda
        failures.append(frames(caught.value))

    assert key not in "".join(failures)
    assert "hidden-word" not in "".join(failures)


def test_the_password_of_a_base_url_is_kept_and_not_shown(face):
    """Frameworks may set such a URL; a call refuses it, and no repr or error shows the password."""
    url = "https://user:hidden-word@gateway.example/v1"
    client = face.client()
    client._params["base_url"] = url
    pickled = pickle.dumps(client)

    assert url.encode() in pickled
    assert url == pickle.loads(pickle.dumps(Url(url)))
    assert f"{face.kind.__name__}(base_url='https://...@gateway.example/v1')" == repr(client)
    for call in (
        functools.partial(face.call, client, "embed", **EMBED),
        functools.partial(pickle.loads, pickled),
    ):
        with pytest.raises(error.ArgumentError, match="a user name, a password") as caught:
            call()
        assert "hidden-word" not in str(caught.value) + frames(caught.value)
    assert [] == face.requests


@pytest.mark.parametrize("name", ["a\r\nX: y", "a\x00\x1b", "a\n", ""])
def test_the_user_agent_can_always_be_sent(face, name, monkeypatch):
    """Programs may take their name from any source."""
    monkeypatch.setattr(voyageai, "app_info", {"name": name})
    face.call(face.client(), "embed", **EMBED)
    agent = face.requests[-1].headers["user-agent"]

    assert agent.isprintable()
    assert agent == agent.strip()
