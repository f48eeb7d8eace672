"""The command `live`: its options, the probe of a host, and the exit status."""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO
from urllib.parse import urlsplit

import httpx2

from ..differences import Difference
from ..reports import FAILED
from .answers import AnswerComparison
from .host import HostContract, read_contract
from .plan import PlannedRequest, ProbeTable, load_table, plan, unknown_fields
from .probe import KEY_PLACEHOLDER, Answer, ProbeError, Prober
from .reports import FORMATS, ProbeReport, announcement, cost
from .vectors import Vector, check_prompts, decode, embeddings

INTERRUPTED = "it was interrupted"
KEY = "VOYAGE_API_KEY"
BASE_URL = "VOYAGE_BASE_URL"
BUDGET = 0.01
TIMEOUT = 60.0
UNKNOWN_KEY = "no-such-key"


def run(parser: argparse.ArgumentParser, given: Sequence[str]) -> int:
    """Probe the host of the environment's key, print what differs, and return the exit status.

    Args:
        parser: Takes the options; has `--format` and `--fail-on` already.
        given: The arguments.

    Returns:
        As for other comparisons; `FAILED` too if nothing fails it, but not everything was checked.
    """
    chosen = _options(parser).parse_args(given)
    key = os.environ.get(KEY, "").strip()
    try:
        status = _run(chosen, key)
    except ProbeError as error:
        _say(str(error), key, sys.stderr)
        return FAILED
    return status


def _run(chosen: argparse.Namespace, key: str) -> int:
    if not key:
        raise ProbeError(f"{KEY} is not set; set it to an API key")
    if not (key.isascii() and key.isprintable()):
        raise ProbeError(f"{KEY} contains characters that no API key has; copy the key again")
    contract, base_url = read_contract(_base_url(), key)
    table = load_table()
    if unknown := list(unknown_fields(table, contract)):
        raise ProbeError(
            "\n".join([*unknown, "correct spec/, or follow it in generator/drift/live/probes.yaml"])
        )
    wanted = [name for name in ("files", "batch", "limits") if getattr(chosen, name)]
    planned = plan(table, contract, wanted, every_model=chosen.every_model)
    with httpx2.Client(base_url=base_url, timeout=TIMEOUT) as http:
        host = str(http.base_url.copy_with(userinfo=b""))
        _say(announcement(host, planned, chosen.rpm), key, sys.stderr)
        if chosen.dry_run:
            return 0
        _check_budget(planned, chosen.budget)
        prober = Prober(http, key, f"{_prefix(contract)}{UNKNOWN_KEY}", table, rpm=chosen.rpm)
        seen = probe(prober, table, contract, planned)
    _say(FORMATS[chosen.format](seen), key, sys.stdout)
    return seen.status(chosen.fail_on)


def _options(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.prog += " live"
    parser.description = (
        f"Compare spec/ with the host that {KEY} is for, or with {BASE_URL} if that is set."
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print what would be asked, and ask nothing"
    )
    parser.add_argument(
        "--budget", type=_positive, default=BUDGET, help="spend at most these US dollars"
    )
    parser.add_argument("--rpm", type=_positive, help="send at most this many requests per minute")
    parser.add_argument(
        "--every-model", action="store_true", help="also ask models that are not active"
    )
    parser.add_argument("--limits", action="store_true", help="also test limits that cost more")
    parser.add_argument("--files", action="store_true", help="also upload files, and delete them")
    parser.add_argument(
        "--batch", action="store_true", help="also create a batch job, and cancel it"
    )
    return parser


def _base_url() -> str | None:
    """Return the base URL of the environment, if it is set."""
    base_url = os.environ.get(BASE_URL, "").strip()
    try:
        parts, _ = urlsplit(base_url), httpx2.URL(base_url)
    except (ValueError, httpx2.InvalidURL) as error:
        raise ProbeError(f"{BASE_URL} is not a valid URL: {error}") from error
    if base_url and not (parts.scheme in ("http", "https") and parts.hostname):
        raise ProbeError(
            f"{BASE_URL} must be a URL that starts with http:// or https:// and a host"
        )
    return base_url or None


def _check_budget(planned: list[PlannedRequest], budget: float) -> None:
    if (usd := cost(planned)) > budget:
        raise ProbeError(
            f"this is above the budget of ${budget:g}; raise it with --budget {usd:.2g}"
        )


def _prefix(contract: HostContract) -> str:
    """Return the prefix of the host's keys: another may be refused for that alone."""
    prefix: str = (contract.server or {}).get("x-key-prefix", "")
    return prefix


def _positive(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
    return number


def _say(text: str, key: str, where: TextIO) -> None:
    """Print a text without the key, and without control characters."""
    text = text.replace(key, KEY_PLACEHOLDER) if key else text
    lines = ("".join(map(_shown, line)) for line in text.split("\n"))
    print("\n".join(lines), file=where)


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    # As JSON has it too, which may be what is printed.
    return "\\u" + character.encode("utf-16-be", "surrogatepass").hex("-", 2).replace("-", "\\u")


def probe(
    prober: Prober, table: ProbeTable, contract: HostContract, planned: list[PlannedRequest]
) -> ProbeReport:
    """Send all planned requests, and compare the answers.

    Raises:
        ProbeError: The host can't be asked at all.
    """
    comparison = AnswerComparison(table, contract)
    seen = ProbeReport(str(prober.http.base_url.copy_with(userinfo=b"")), planned)
    vectors: dict[tuple[str, str], dict[str, list[Vector]]] = {}
    for position, each in enumerate(planned):
        try:
            answers, reason = prober.send(each)
        except KeyboardInterrupt:
            # What was seen is paid for, and what was created must be named.
            seen.unseen |= {left.name: INTERRUPTED for left in planned[position:]}
            break
        for answer in answers:
            _add(seen, comparison.check(each, answer), each.name)
            _note(seen.left_behind, each, answer)
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


def _note(left_behind: list[str], planned: PlannedRequest, answer: Answer) -> None:
    """Note what was created and is not yet deleted."""
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
