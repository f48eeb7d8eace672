"""What is logged, and where the key goes."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
import traceback

import httpx2
import pytest
import voyageai
from voyageai import error
from voyageai.transport import logs
from voyageai.transport.environment import InsecureWarning

from .conftest import answer_to
from .test_failures import failing

EMBED = {"texts": ["some secret text"], "model": "voyage-4"}
PICTURE = "data:image/png;base64," + "iVBO" * 16


@pytest.fixture
def lines(caplog):
    """What is logged, down to the bodies."""
    caplog.set_level(logging.DEBUG, logger="voyageai")
    return lambda: [record.getMessage() for record in caplog.records]


def test_every_attempt_is_a_line(face, lines):
    """Enough to find a request in the server's logs, and to see what it cost."""
    face.call(face.client(failing(503), max_retries=1), "embed", **EMBED)

    assert [
        "POST /v1/embeddings 503 request r-9, attempt 1, 0.000 s, trying again in 0.5 s",
        "POST /v1/embeddings 200 request req-1, attempt 2, 0.000 s, 7 tokens",
    ] == lines()


def test_lines_at_info_are_of_failures_only(face, caplog):
    """Programs that log at INFO see as little of a success as with the official client."""
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
    """Python prints warnings there; the exception says the same."""
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
    """Also one without an answer."""
    with pytest.raises(error.APIConnectionError):
        face.call(face.client(failing(httpx2.ConnectError("x"))), "embed", **EMBED)

    assert ["POST /v1/embeddings ConnectError request -, attempt 1, 0.000 s, giving up"] == lines()


def test_lines_hold_no_texts_unless_that_is_asked_for(face, lines, caplog):
    """Texts are the users' data; pictures are too long."""
    face.call(face.client(), "embed", **EMBED)
    assert "some secret text" not in str(lines())
    caplog.set_level(logging.DEBUG, logger="voyageai.bodies")
    face.call(face.client(), "embed", **EMBED)
    assert "some secret text" in str(lines())
    part = {"type": "image_base64", "image_base64": PICTURE}
    face.call(face.client(), "multimodal_embed", [[part]], model="voyage-multimodal-3.5")
    assert "data:image/png;base64,..." in str(lines())
    assert "iVBO" not in str(lines())


def test_nothing_is_formatted_while_nobody_listens(face, monkeypatch):
    """The official client formats every body, listened to or not."""
    monkeypatch.setattr(logs, "_redacted", lambda body: pytest.fail("formatted"))
    monkeypatch.setattr(logs.Log, "_line", lambda *args: pytest.fail("formatted"))
    logging.getLogger("voyageai").setLevel(logging.WARNING)
    face.call(face.client(failing(503), max_retries=1), "embed", **EMBED)


def test_the_official_logger_is_the_parent(face, caplog):
    """Whoever configured `voyage` goes on getting the lines."""
    caplog.set_level(logging.DEBUG, logger="voyage")
    logging.getLogger("voyageai").setLevel(logging.NOTSET)
    face.call(face.client(), "embed", **EMBED)

    assert logging.getLogger("voyage") is logging.getLogger("voyageai").parent
    assert "200 request req-1" in caplog.text


@pytest.mark.parametrize("way", ["variable", "module"])
def test_lines_are_printed_when_that_is_asked_for(face, way, monkeypatch, capsys):
    """VOYAGE_LOG and voyageai.log, once however many clients there are."""
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
    """Not in logs, reprs, tracebacks, exceptions or their pickles, whatever happens."""
    caplog.set_level(logging.DEBUG, logger="voyageai.bodies")
    caplog.set_level(logging.DEBUG)
    told = []
    for answer in (200, 401, 500, httpx2.ConnectError("x"), httpx2.ReadTimeout("x")):
        handler = answer_to if answer == 200 else failing(answer, answer)
        client = face.client(handler, max_retries=1, proxy="http://user:hidden-word@proxy:1")
        told += [repr(client), repr(vars(client))]
        try:
            face.call(client, "embed", **EMBED)
        except error.VoyageError as failure:
            told += ["".join(traceback.format_exception(failure)), str(pickle.dumps(failure))]
            frames = traceback.TracebackException.from_exception(failure, capture_locals=True)
            told += [frame for frame in frames.format() if __file__ not in frame]
    told.append(caplog.text)

    assert key not in "".join(told)
    assert "hidden-word" not in str(pickle.dumps(client))


def test_what_went_wrong_below_keeps_no_frames(face, key):
    """Those of HTTP libraries hold the request's head as bytes, and error trackers keep them."""

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
    """It would replace the key, as it does in the official client."""
    (tmp_path / ".netrc").write_text("machine api.voyageai.com login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    face.call(face.client(), "embed", **EMBED)

    assert f"Bearer {key}" == face.requests[-1].headers["authorization"]


@pytest.mark.parametrize("url", ["http://example.com/v1", "http://10.0.0.1/v1"])
def test_an_open_way_to_another_machine_warns(face, url):
    """Anybody on the way can read the key."""
    with pytest.warns(InsecureWarning, match="is not encrypted"):
        face.client(base_url=url)


@pytest.mark.parametrize(
    "url",
    ["http://localhost:1/v1", "http://127.0.0.2/v1", "http://[::1]/v1", "https://a.example/v1"],
)
def test_an_open_way_within_this_machine_does_not_warn(face, url):
    """That is how the emulator is used."""
    face.client(base_url=url)


def test_trusting_any_certificate_warns(face):
    """It is for tests only."""
    with pytest.warns(InsecureWarning, match="verify=False"):
        face.client(verify=False)


def test_a_proxy_of_the_wrong_type_is_refused(face, monkeypatch):
    """With the name of the setting."""
    monkeypatch.setattr(voyageai, "proxy", 5)
    with pytest.raises(ValueError, match="'proxy' must be a URL"):
        face.client()


@pytest.mark.parametrize("name", ["requestssession", "aiosession", "verify_ssl_certs"])
def test_settings_of_the_official_clients_http_libraries_warn(face, name, monkeypatch):
    """They are tied to libraries that are not used; the warning names the new way."""
    monkeypatch.setattr(voyageai, name, object(), raising=False)
    with pytest.warns(UserWarning, match=f"voyageai.{name} has no effect; pass "):
        face.client()


def test_the_program_is_named_in_the_user_agent(face, monkeypatch):
    """The official client breaks when it is told the name."""
    info = {"name": "search\n", "version": "2", "url": "https://a.example"}
    monkeypatch.setattr(voyageai, "app_info", info)
    face.call(face.client(), "embed", **EMBED)

    assert face.requests[-1].headers["user-agent"].endswith("search /2 (https://a.example)")
