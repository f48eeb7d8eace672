"""Proxies and certificates from arguments or environment variables."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path

import httpx2
import pytest
import trustme
import voyageai
from voyageai import error
from voyageai.transport.config import CERTIFICATES, ConnectionConfig, bypassed

PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
HERE = "https://api.voyageai.com"


@pytest.fixture(autouse=True)
def empty(monkeypatch):
    """Remove all such variables from the environment."""
    for name in (*PROXIES, *CERTIFICATES):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def proxy_for(url=HERE, **settings):
    found = ConnectionConfig(**settings).proxy_for(httpx2.URL(url))
    return found and str(found.url)


@pytest.mark.parametrize(
    ("proxy", "variables", "expected"),
    [
        (None, {}, None),
        (None, {"HTTPS_PROXY": "http://env:1"}, "http://env:1"),
        (None, {"ALL_PROXY": "http://env:1"}, "http://env:1"),
        (None, {"HTTP_PROXY": "http://env:1"}, None),
        (None, {"HTTPS_PROXY": "127.0.0.1:3128"}, "http://127.0.0.1:3128"),
        (None, {"https_proxy": "proxy.example"}, "http://proxy.example"),
        (None, {"HTTPS_PROXY": "http://env:1", "NO_PROXY": "api.voyageai.com"}, None),
        ("http://own:1", {"HTTPS_PROXY": "http://env:1"}, "http://own:1"),
        ("own:1", {}, "http://own:1"),
        ({"https": "http://own:1"}, {}, "http://own:1"),
        ({"http": "http://own:1"}, {"HTTPS_PROXY": "http://env:1"}, None),
    ],
)
def test_a_proxy_is_the_argument_or_what_the_environment_says(
    proxy, variables, expected, monkeypatch
):
    """Both clients honour them; the official asynchronous client ignores proxies."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert expected == proxy_for(proxy=proxy)


@pytest.mark.parametrize(
    ("no_proxy", "url", "expected"),
    [
        ("", HERE, False),
        ("*", HERE, True),
        ("a.example, *", HERE, True),
        ("api.voyageai.com", HERE, True),
        ("API.VoyageAI.com.", HERE, True),
        ("voyageai.com", HERE, True),
        (".voyageai.com", HERE, True),
        ("*.voyageai.com", HERE, True),
        ("ageai.com", HERE, False),
        ("a.example b.example,voyageai.com", HERE, True),
        ("voyageai.com:443", HERE, True),
        ("voyageai.com:8443", HERE, False),
        ("voyageai.com:8443", "https://api.voyageai.com:8443", True),
        ("localhost", "http://localhost:8000", True),
        ("127.0.0.1", "http://127.0.0.1:8000", True),
        ("127.0.0.1:8000", "http://127.0.0.1:8000", True),
        ("127.0.0.1:80", "http://127.0.0.1:8000", False),
        ("127.0.0.0/8", "http://127.1.2.3", True),
        ("127.0.0.1/8", "http://127.1.2.3", True),
        ("10.0.0.0/8", "http://127.1.2.3", False),
        ("::1", "http://[::1]:8000", True),
        ("[::1]", "http://[::1]:8000", True),
        ("[::1]:8000", "http://[::1]:8000", True),
        ("[::1]:80", "http://[::1]:8000", False),
        ("fd00::/8", "http://[fd12::1]", True),
        ("fd00::/8", "http://127.0.0.1", False),
        ("1.2.3.4", "http://0.1.2.3.4.example", False),
        ("bücher.example", "https://xn--bcher-kva.example", True),
        ("xn--bcher-kva.example", "https://bücher.example", True),
    ],
)
def test_no_proxy_is_read_as_curl_reads_it(no_proxy, url, expected):
    """One value works for both programs: names, suffixes, addresses, networks and ports."""
    assert expected is bypassed(no_proxy, httpx2.URL(url))


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        ("socks://proxy:1", r"'socks://proxy:1', which is not the URL of a proxy"),
        ("http://[::1", r"'http://\[::1', which is not the URL"),
        ("http://", "not the URL of a proxy"),
        ("ftp://proxy:1", "use http://..., https://..., socks5://..., socks5h://... with a host"),
        ("http://proxy:port", "not the URL of a proxy"),
        ("http://proxy:99999", "a port up to 65535"),
        ("http://proxy:0", "a port up to 65535"),
        ("proxy:99999", "not the URL of a proxy"),
        ("http:/proxy:3128", "'http:/proxy:3128', which is not the URL of a proxy"),
        ("http://pro xy:3128", "not the URL of a proxy"),
    ],
)
def test_an_invalid_proxy_is_an_error_that_names_its_source(face, proxy, message, monkeypatch):
    """A wrong argument fails when the client is made, a wrong variable at the first call."""
    with pytest.raises(error.ArgumentError, match=f"proxy is .*{message}"):
        face.client(proxy=proxy, transport=None)
    with pytest.raises(error.ArgumentError, match=message):
        face.client(proxy={"https": proxy}, transport=None)
    monkeypatch.setenv("https_proxy", proxy)
    client = face.kind("k")
    with pytest.raises(error.ArgumentError, match=f"https_proxy is .*{message}"):
        face.call(client, "embed", ["a"], model="voyage-4")


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks_without_its_package_names_the_extra(face, scheme, monkeypatch):
    """The error gives this package's extra, not a bare ImportError or HTTPX2's hint."""
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(error.ArgumentError, match='the extra `socks`: pip install "socksio'):
        face.client(proxy=f"{scheme}://proxy:1080", transport=None)
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://proxy:1080")
    client = face.kind("k")
    with pytest.raises(error.ArgumentError, match=r"ALL_PROXY is .* the extra `socks`"):
        face.call(client, "embed", ["a"], model="voyage-4")


@pytest.mark.parametrize(
    "proxy",
    [
        "socks4://user:hidden-word@proxy:1",
        "http://user:pa/hidden-word@proxy:1",
        "user:hidden-word@",
        "user:hidden-word@proxy:port",
    ],
)
def test_the_password_of_a_proxy_is_not_shown(face, proxy):
    """Programs log error messages and reprs."""
    with pytest.raises(error.ArgumentError, match="not the URL of a proxy") as caught:
        face.client(proxy=proxy, transport=None)
    assert "hidden-word" not in str(caught.value)
    assert "hidden-word" not in repr(ConnectionConfig(proxy="http://user:hidden-word@proxy:1"))


@pytest.mark.parametrize(
    "proxy", [{"https://": "http://a:1"}, {"all": "http://a:1"}, {"http": None}]
)
def test_proxies_by_other_names_than_schemes_are_refused(face, proxy):
    """Requests would go out without a proxy, and nobody would notice."""
    with pytest.raises(error.ArgumentError, match="maps 'http' and 'https' to URLs"):
        face.client(proxy=proxy, transport=None)


@pytest.fixture
def bundle(tmp_path) -> Path:
    """Return a file with the certificate of a test authority."""
    path = tmp_path / "bundle.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    return path


def trusted(**settings) -> int:
    return len(ConnectionConfig(**settings).context().get_ca_certs())


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_are_those_that_the_environment_names(name, bundle, monkeypatch):
    """Companies set them for proxies that inspect TLS; the official client honours two of them."""
    monkeypatch.setenv(name, str(bundle))

    assert 1 == trusted()


def test_the_first_variable_that_is_set_counts(bundle, tmp_path, monkeypatch):
    """OpenSSL's variable comes before those of requests and curl, and an empty one is skipped."""
    other = tmp_path / "other.pem"
    other.write_text(bundle.read_text() * 1)
    trustme.CA().cert_pem.write_to_path(str(other), append=True)
    monkeypatch.setenv("SSL_CERT_FILE", "")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(bundle))
    assert 2 == trusted()
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert 1 == trusted()


@pytest.mark.parametrize("name", ["SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"])
def test_a_folder_of_certificates_will_do(name, tmp_path, monkeypatch):
    """A folder works too; OpenSSL loads its certificates on demand."""
    monkeypatch.setenv(name, str(tmp_path))

    assert 0 == trusted()
    assert ssl.CERT_REQUIRED is ConnectionConfig().context().verify_mode


def test_unreadable_certificates_are_an_error_that_names_their_source(face, monkeypatch):
    """OpenSSL's own error names neither the file nor the setting."""
    with pytest.raises(
        error.ArgumentError, match=r"'/no/where.pem', named by verify, can't be read"
    ):
        face.client(verify="/no/where.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", __file__)
    message = "test_proxies_and_certificates.py', named by REQUESTS_CA_BUNDLE, can't be read"
    with pytest.raises(error.ArgumentError, match=message):
        face.call(face.kind("k"), "embed", ["a"], model="voyage-4")


def test_a_context_is_made_once():
    """Making a context costs more than a call, so connections share one."""
    assert ConnectionConfig().context() is ConnectionConfig().context()
    assert voyageai.Client("k")._transport._pool._config.context() is ConnectionConfig().context()
