"""`voyageai doctor`: check the installation, the key and the connection, for a report."""

from __future__ import annotations

import os
import platform
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

import click

from .options import Connect, client_options, output_options
from .output import choose_format, shown, write_object, write_rows

if TYPE_CHECKING:
    from ..client import Client

FORMATS = ("json", "jsonl", "table")
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
CONNECT_TIMEOUT = 10.0
"""Seconds for a connection: enough for a slow line, short enough for a person."""
TEXT = "a"
PROBES: Mapping[str, Callable[[Client, str], Any]] = {
    "embeddings": lambda client, model: client.embed([TEXT], model),
    "rerank": lambda client, model: client.rerank(TEXT, [TEXT], model),
    "contextualizedembeddings": lambda client, model: client.contextualized_embed([[TEXT]], model),
    "multimodalembeddings": lambda client, model: client.multimodal_embed([[TEXT]], model),
}
"""The smallest call of each operation."""

State = Literal["ok", "warn", "FAIL", "info"]


class Finding(NamedTuple):
    """Result of one check.

    Attributes:
        check: Name of the check.
        state: `ok`, `warn`, `FAIL`, or `info` where there is nothing to judge.
        detail: The finding in words; never the key.
        status: The exit status that it causes.
    """

    check: str
    state: State
    detail: str
    status: int = 0


@click.command()
@click.option(
    "-m",
    "--model",
    metavar="NAME",
    help="The model to call; by default the cheapest, or a model that the deployment serves.",
)
@click.option("--offline", is_flag=True, help="Send nothing: no DNS lookup and no call.")
@output_options(*FORMATS)
@client_options
@click.pass_context
def doctor(
    ctx: click.Context,
    connect: Connect,
    model: str | None,
    offline: bool,
    out: str | None,
    path: str | None,
) -> None:
    """Check the installation, the key and the connection.

    Add its output to a problem report. The key itself is never shown, only its source. One text of
    one token is embedded with the cheapest model; for a deployment that serves no such model, such
    as a reranker's, a model that it does serve is called. The exit status is 0 if all is well, 3 if
    there is no valid key, and 4 if the API can't be reached.

    \b
    Example:
      voyageai doctor --json > doctor.json
    """
    format = choose_format(out, path, FORMATS)
    findings = list(_findings(ctx.params, connect, model, offline=offline))
    statuses = {finding.status for finding in findings}
    status = next((each for each in (3, 4, 1) if each in statuses), 0)
    if format == "table":
        rows = [_line(finding) for finding in findings]
        write_rows(rows, format, path)
    elif format == "jsonl":
        write_rows(map(_line, findings), format, path)
    else:
        value = {"status": status, "checks": [_line(finding) for finding in findings]}
        write_object(value, format, path)
    ctx.exit(status)


def _line(finding: Finding) -> Mapping[str, Any]:
    return {"state": finding.state, "check": finding.check, "detail": finding.detail}


def _findings(
    options: Mapping[str, Any], connect: Connect, named: str | None, *, offline: bool
) -> Iterator[Finding]:
    yield from _installation()
    yield from _environment()
    yield _telemetry()
    if options["deployment"] is None:
        yield _key(options)
    from ..error import VoyageError

    try:
        client = connect()
    except VoyageError as failure:
        yield Finding("client", "FAIL", str(failure), 3)
        return
    with client:
        url = client.tables.sender.base_url
        chosen = options["base_url"] or os.environ.get("VOYAGE_BASE_URL")
        why = "as chosen" if chosen else "the key's"
        if options["deployment"] is not None:
            yield _deployment(options["deployment"])
            why = "the deployment's"
        yield Finding("host", "info", f"{_without_password(url)} ({why})")
        if options["deployment"] is None:
            models = [named or _cheapest()]
            yield _tokenizer(models[0])
            yield _limits(models[0])
        else:  # a deployment has limits of its own
            models = [named] if named else _served_models(options["deployment"])
        if offline:
            return
        yield from _connection(url)
        yield _call(client, models)


def _installation() -> Iterator[Finding]:
    from importlib.metadata import PackageNotFoundError, metadata, requires, version

    from ..version import VERSION

    yield Finding("voyageai", "info", VERSION)
    yield Finding("python", "info", f"{platform.python_version()} ({sys.executable})")
    yield Finding("platform", "info", platform.platform())
    try:
        extras = metadata("voyageai").get_all("Provides-Extra") or []
        stated = requires("voyageai") or []
    except PackageNotFoundError:  # run from a folder
        yield Finding("extras", "warn", "not known: voyageai is not installed as a package")
        return
    for extra in sorted(extras):
        found: list[str] = []
        missing: list[str] = []
        for line in stated:
            requirement, _, marker = line.replace("'", '"').partition(";")
            if f'extra == "{extra}"' not in marker or requirement.startswith("voyageai["):
                continue
            name = requirement.strip()
            for mark in "[<>=!~ ":
                name = name.partition(mark)[0]
            try:
                found.append(f"{name} {version(name)}")
            except PackageNotFoundError:
                missing.append(name)
        if missing:
            yield Finding(f"extra {extra}", "info", f"not installed: {', '.join(missing)}")
        elif found:
            yield Finding(f"extra {extra}", "ok", ", ".join(found))


def _environment() -> Iterator[Finding]:
    names = [*PROXIES, *(name.lower() for name in PROXIES)]
    proxies = [
        f"{name}={_without_password(os.environ[name])}" for name in names if os.environ.get(name)
    ]
    yield Finding("proxy", "info", ", ".join(proxies) or "no proxy is set")
    for name in CERTIFICATES:
        if place := os.environ.get(name):
            there = os.path.exists(place)  # noqa: PTH110  # a file or a folder
            state: State = "ok" if there else "FAIL"
            detail = f"{name}={place}" + ("" if there else ", which does not exist")
            yield Finding("certificates", state, detail, 0 if there else 4)
            return
    yield Finding("certificates", "info", "the system's")


def _telemetry() -> Finding:
    """Report the telemetry setting, and where it comes from."""
    from ..options import TELEMETRY_VARIABLE

    if setting := os.environ.get(TELEMETRY_VARIABLE):
        return Finding("telemetry", "info", f"{TELEMETRY_VARIABLE}={shown(setting)}")
    return Finding("telemetry", "info", "on in programs that import OpenTelemetry")


def _key(options: Mapping[str, Any]) -> Finding:
    """Report where the key comes from, and its kind."""
    import voyageai

    from ..error import AuthenticationError
    from ..keys import KEY_VARIABLE, PATH_VARIABLE, find_key, read_key, variables

    environment = variables()
    place = options["api_key_file"] or environment[PATH_VARIABLE] or KEY_VARIABLE
    try:
        key = (
            read_key(options["api_key_file"], "--api-key-file")
            if options["api_key_file"]
            else find_key(
                None,
                module_path=voyageai.api_key_path,
                module_key=voyageai.api_key,
                environment=environment,
            )
        )
    except AuthenticationError as failure:
        return Finding("key", "FAIL", str(failure), 3)
    if key is None:
        missing = f"no key is set: set {KEY_VARIABLE} or {PATH_VARIABLE}, or pass --api-key-file"
        return Finding("key", "FAIL", missing, 3)
    kind = re.match(r"[a-z]{2}-", key)  # the kind of key, and nothing secret
    known = f"it begins with {kind[0]}" if kind else "it has no usual prefix"
    return Finding("key", "ok", f"from {place}; {known}")


def _deployment(deployment: str) -> Finding:
    """Report the kind of a deployment and its authentication."""
    from ..deployments import Deployment

    kind = Deployment.of(deployment).kind
    return Finding("deployment", "info", f"{kind.title}; authentication: {kind.authentication}")


def _cheapest() -> str:
    """Return the name of the cheapest active model for texts."""
    from voyageai_rest.catalogue import MODELS

    prices = {
        model.name: model.price.usd_per_million_tokens
        for model in MODELS.values()
        if model.lifecycle == "active"
        and model.endpoint == "embeddings"
        and model.price is not None
        and model.price.usd_per_million_tokens is not None
    }
    return min(prices, key=lambda name: prices[name])


def _served_models(deployment: str) -> list[str]:
    """Return a model of each operation that a deployment may serve.

    A deployment of a single model gets no model name, and refuses other operations.
    """
    from voyageai_rest.catalogue import MODELS

    from ..deployments import Deployment

    kind = Deployment.of(deployment).kind
    first = {
        model.endpoint: model.name
        for model in reversed([*MODELS.values()])
        if model.lifecycle == "active" and model.endpoint in kind.paths
    }
    return [first[name] for name in PROBES if name in first] if kind.one_model else [_cheapest()]


def _tokenizer(model: str) -> Finding:
    from ..tokenization import at_hand

    if at_hand(model) is None:
        detail = f"the tokenizer of {model} is not cached; it is downloaded when it is needed"
        return Finding("tokenizer", "info", detail)
    return Finding("tokenizer", "ok", f"the tokenizer of {model} is cached")


def _limits(model: str) -> Finding:
    from ..argument_checks import catalogue_entry

    entry = catalogue_entry(model)
    if entry is None or entry.tpm is None or entry.rpm is None:
        return Finding("limits", "info", f"the rate limits of {model} are not known")
    detail = f"{model}: {entry.rpm:,} requests and {entry.tpm:,} tokens a minute in usage tier 1"
    return Finding("limits", "info", detail)


def _connection(url: str) -> Iterator[Finding]:
    """Look up the host and do a TLS handshake with it, unless a proxy does that."""
    import socket
    import ssl
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    host, tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    if getproxies().get(parts.scheme) and not proxy_bypass(host):
        yield Finding("dns", "info", f"the proxy looks up {host}")
        return
    try:
        addresses = {str(found[4][0]) for found in socket.getaddrinfo(host, port)}
    except OSError as failure:
        yield Finding("dns", "FAIL", f"{host} can't be looked up: {failure}", 4)
        return
    yield Finding("dns", "ok", f"{host} is {', '.join(sorted(addresses))}")
    if not tls:
        yield Finding("tls", "info", "no TLS: the URL is http")
        return
    context = ssl.create_default_context(
        cafile=os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    )
    try:
        with (
            socket.create_connection((host, port), CONNECT_TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            until = (secure.getpeercert() or {}).get("notAfter", "?")
            detail = f"{secure.version()}; the certificate is valid until {until}"
            yield Finding("tls", "ok", detail)
    except OSError as failure:  # ssl.SSLError is one
        yield Finding("tls", "FAIL", f"{host}:{port}: {failure}", 4)


def _call(client: Client, models: Sequence[str]) -> Finding:
    """Make the smallest call of each model, until one succeeds."""
    from ..argument_checks import catalogue_entry
    from ..error import ArgumentError, AuthenticationError, PermissionDeniedError, VoyageError

    start = time.perf_counter()
    findings: list[Finding] = []
    for model in models:
        entry = catalogue_entry(model)
        probe = PROBES[entry.endpoint if entry and entry.endpoint else "embeddings"]
        try:
            with warnings.catch_warnings(action="ignore"):  # the model name may be a guess
                result = probe(client, model)
        except (AuthenticationError, PermissionDeniedError) as failure:
            return Finding("call", "FAIL", shown(str(failure)), 3)
        except VoyageError as failure:
            status = failure.http_status
            refused = isinstance(failure, ArgumentError) or (status is not None and status < 429)
            findings.append(Finding("call", "FAIL", shown(str(failure)), 1 if refused else 4))
            if not refused:
                break
            continue
        took = (time.perf_counter() - start) * 1000
        request = f", request {result.request_id}" if result.request_id else ""
        detail = f"{result.model or model}: {result.total_tokens} token, {took:.0f} ms{request}"
        return Finding("call", "ok", shown(detail))
    return findings[0]


def _without_password(url: str) -> str:
    """Return a URL without its password, if it has one."""
    from .._utils import Url

    return repr(Url(url))[1:-1]
