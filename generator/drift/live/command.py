"""The command `live`: options, probing of a host, and exit status."""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO
from urllib.parse import urlsplit

import httpx2

from ... import spec
from ...contract import security
from ..differences import Difference
from ..reports import FAILED
from .answers import AnswerComparison
from .host import HostContract, read_contract
from .plan import TABLES, PlannedRequest, ProbeTable, load_table, plan, unknown_fields
from .probe import KEY_PLACEHOLDER, Answer, ProbeError, Prober
from .reports import FORMATS, ProbeReport, announcement, cost
from .vectors import Vector, check_prompts, decode, embeddings

INTERRUPTED = "it was interrupted"
BUDGET = 0.01
TIMEOUT = 60.0
UNKNOWN_KEY = "no-such-key"


def run(parser: argparse.ArgumentParser, given: Sequence[str]) -> int:
    """Probe the host of a contract, print the report, and return the exit status.

    Args:
        parser: Parser with `--format` and `--fail-on`, to which the other options are added.
        given: The arguments.

    Returns:
        The status of other comparisons; also `FAILED` if no difference fails the command but some
        checks were not possible.
    """
    chosen = _options(parser).parse_args(given)
    hidden: list[str] = []
    try:
        status = _run(chosen, hidden)
    except ProbeError as error:
        _say(str(error), hidden, sys.stderr)
        return FAILED
    return status


def _run(chosen: argparse.Namespace, hidden: list[str]) -> int:
    """Probe a host.

    Args:
        chosen: The options.
        hidden: Secrets to remove from all output; this function adds them.
    """
    table = load_table(chosen.contract)
    access = table.access
    hidden += [key for key in (os.environ.get(access.secret, "").strip(),) if key]
    key = _variable(access.secret)
    contract, base_url = read_contract(_base_url(access.base_url), key, chosen.contract)
    if unknown := list(unknown_fields(table, contract)):
        name = f"{chosen.contract or spec.contracts()[0].package}.yaml"
        raise ProbeError("\n".join([*unknown, f"correct spec/, or update {TABLES.name}/{name}"]))
    wanted = [name for name in ("files", "batch", "limits") if getattr(chosen, name)]
    planned = plan(table, contract, wanted, every_model=chosen.every_model)
    with httpx2.Client(base_url=base_url, timeout=TIMEOUT) as http:
        host = str(http.base_url.copy_with(userinfo=b""))
        _say(announcement(host, planned, chosen.rpm), hidden, sys.stderr)
        if chosen.dry_run:
            return 0
        _check_budget(planned, chosen.budget)
        if access.client is not None:
            key = _token(http, contract, (_variable(access.client[0]), key))
            hidden.append(key)
        prober = Prober(http, key, f"{_prefix(contract)}{UNKNOWN_KEY}", table, rpm=chosen.rpm)
        for name, variable in table.parameters.items():
            if value := os.environ.get(variable, "").strip():
                prober.kept[name] = value
        seen = probe(prober, table, contract, planned)
    _say(FORMATS[chosen.format](seen), hidden, sys.stdout)
    return seen.status(chosen.fail_on)


def _variable(name: str) -> str:
    """Return a key or another credential from the environment.

    Raises:
        ProbeError: The variable is not set, or can't be a key.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        raise ProbeError(f"{name} is not set; set it, as docs/drift-live.md says")
    if not (value.isascii() and value.isprintable()):
        raise ProbeError(f"{name} contains characters that no API key has; copy it again")
    return value


def _token(http: httpx2.Client, contract: HostContract, client: tuple[str, str]) -> str:
    """Return a token for the id and the secret of a client.

    Raises:
        ProbeError: The host can't be reached, or returns no token.
    """
    url = str(security(contract.document)["token_url"])
    try:
        answer = http.post(url, data={"grant_type": "client_credentials"}, auth=client)
    except httpx2.RequestError as error:
        raise ProbeError(
            f"{http.base_url.host} can't be reached: {type(error).__name__}"
        ) from error
    try:
        token = answer.json()["access_token"] if answer.status_code == 200 else None
    except (ValueError, LookupError, TypeError):
        token = None
    if not isinstance(token, str) or not token:
        raise ProbeError(f"the host returns no token: its status is {answer.status_code}")
    return token


def _options(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.prog += " live"
    parser.description = (
        "Compare a contract of spec/ with its host: the host of the key in the environment, or the "
        "one that a variable names, as described in docs/drift-live.md."
    )
    parser.add_argument(
        "contract",
        nargs="?",
        choices=[entry.package for entry in spec.contracts()],
        help="package of the contract; by default the first in contracts.yaml",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the requests without sending them"
    )
    parser.add_argument(
        "--budget", type=_positive, default=BUDGET, help="maximum cost in US dollars"
    )
    parser.add_argument("--rpm", type=_positive, help="maximum of requests per minute")
    parser.add_argument(
        "--every-model", action="store_true", help="also test models that are not active"
    )
    parser.add_argument(
        "--limits", action="store_true", help="also test limits whose requests cost more"
    )
    parser.add_argument("--files", action="store_true", help="also upload files, and delete them")
    parser.add_argument(
        "--batch", action="store_true", help="also create a batch job, and cancel it"
    )
    return parser


def _base_url(variable: str) -> str | None:
    """Return the base URL in the environment; None if it is not set.

    Raises:
        ProbeError: The variable is not a valid URL.
    """
    base_url = os.environ.get(variable, "").strip()
    try:
        parts, _ = urlsplit(base_url), httpx2.URL(base_url)
    except (ValueError, httpx2.InvalidURL) as error:
        raise ProbeError(f"{variable} is not a valid URL: {error}") from error
    if base_url and not (parts.scheme in ("http", "https") and parts.hostname):
        raise ProbeError(
            f"{variable} must be a URL that starts with http:// or https:// and a host"
        )
    return base_url or None


def _check_budget(planned: list[PlannedRequest], budget: float) -> None:
    if (usd := cost(planned)) > budget:
        raise ProbeError(
            f"this is above the budget of ${budget:g}; raise it with --budget {usd:.2g}"
        )


def _prefix(contract: HostContract) -> str:
    """Return the prefix of the host's keys, as a key with another prefix may be refused for it."""
    prefix: str = (contract.server or {}).get("x-key-prefix", "")
    return prefix


def _positive(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
    return number


def _say(text: str, hidden: Iterable[str], where: TextIO) -> None:
    """Print a text without secrets and control characters."""
    for key in hidden:
        text = text.replace(key, KEY_PLACEHOLDER)
    lines = ("".join(map(_shown, line)) for line in text.split("\n"))
    print("\n".join(lines), file=where)


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    # Escaped as in JSON, as the output may be JSON.
    return "\\u" + character.encode("utf-16-be", "surrogatepass").hex("-", 2).replace("-", "\\u")


def probe(
    prober: Prober, table: ProbeTable, contract: HostContract, planned: list[PlannedRequest]
) -> ProbeReport:
    """Send all planned requests, and compare the answers.

    Raises:
        ProbeError: The host can't be reached, or refuses the key.
    """
    comparison = AnswerComparison(table, contract)
    seen = ProbeReport(str(prober.http.base_url.copy_with(userinfo=b"")), planned)
    vectors: dict[tuple[str, str], dict[str, list[Vector]]] = {}
    for position, each in enumerate(planned):
        try:
            answers, reason = prober.send(each)
        except KeyboardInterrupt:
            # Still report the answers, which are paid for, and the objects left behind.
            seen.unseen |= {left.name: INTERRUPTED for left in planned[position:]}
            break
        for answer in answers:
            _add(seen, comparison.check(each, answer), each.name)
            _update_left_behind(seen.left_behind, each, answer)
        if reason is not None:
            seen.unseen[each.name] = reason
        elif each.model is not None and answers[-1].status == 200:
            answer = answers[-1]
            seen.usd += _tokens(answer) * contract.price(each.model)
            found = [decode(embedding, "float32") for embedding in embeddings(answer.body)]
            by_probe = vectors.setdefault((each.operation.name, each.model), {})
            by_probe[each.probe.name] = [vector for vector in found if vector]
    for (operation, model), by_probe in vectors.items():
        prompts = contract.prompts(model)
        prompted = {role: by_probe[role][0] for role in prompts if by_probe.get(role)}
        plain = by_probe.get("plain", [])
        names = f"plain, {', '.join(prompts)} of {model} at {operation}"
        _add(seen, check_prompts(plain, prompted, prompts, model), names)
    return seen


def _add(seen: ProbeReport, differences: Iterable[Difference], name: str) -> None:
    for difference in differences:
        requests = seen.found.setdefault(difference, [])
        if name not in requests:
            requests.append(name)


def _update_left_behind(left_behind: list[str], planned: PlannedRequest, answer: Answer) -> None:
    """Add the id of a created object, or remove that of a deleted one."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if answer.status != 200:
        return
    if planned.operation.id in ("uploadFile", "createBatch") and isinstance(body.get("id"), str):
        left_behind.append(body["id"])
    elif planned.operation.id in ("deleteFile", "deleteFiles") and left_behind:
        left_behind.pop()


def _tokens(answer: Answer) -> int:
    usage = answer.body.get("usage") if isinstance(answer.body, dict) else None
    tokens = usage.get("total_tokens") if isinstance(usage, dict) else None
    return tokens if isinstance(tokens, int) else 0
