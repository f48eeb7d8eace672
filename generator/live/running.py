"""The whole probe: ask everything, compare, and tell what could not be seen."""

from collections.abc import Iterable

from attrs import define, field

from ..drift.differences import Difference, gravest_first
from ..drift.reports import FAILED, status
from .asking import Answer, Asker
from .comparing import Comparison
from .contract import Contract
from .planning import Planned
from .table import Table
from .vectors import Vector, check_prompts, embeddings, read

INTERRUPTED = "it was interrupted"


@define
class Seen:
    """What came of a probe.

    Attributes:
        host: Its base URL.
        planned: What was to be asked.
        found: What differs, and in which requests it was seen.
        unseen: Requests that came to nothing, and why.
        left_behind: What was made and could not be taken away.
        usd: What it cost by what the host counted.
    """

    host: str
    planned: list[Planned]
    found: dict[Difference, list[str]] = field(factory=dict)
    unseen: dict[str, str] = field(factory=dict)
    left_behind: list[str] = field(factory=list)
    usd: float = 0

    @property
    def differences(self) -> list[Difference]:
        """What differs, the gravest first."""
        return gravest_first(self.found)

    def status(self, fail_on: str | None) -> int:
        """As for other comparisons; that of a failure if nothing fails it but not all was seen."""
        return status(self.found, fail_on) or (FAILED if self.unseen else 0)


def probe(asker: Asker, table: Table, contract: Contract, planned: list[Planned]) -> Seen:
    """Ask and compare.

    Raises:
        CannotProbe: The host can't be asked at all.
    """
    comparison = Comparison(table, contract)
    seen = Seen(str(asker.http.base_url.copy_with(userinfo=b"")), planned)
    vectors: dict[tuple[str, str], dict[str, list[Vector]]] = {}
    for position, each in enumerate(planned):
        try:
            answers, reason = asker.ask(each)
        except KeyboardInterrupt:
            # What was seen is paid for, and what was made has to be named.
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
            found = [read(embedding, "float32") for embedding in embeddings(answer.body)]
            by_probe = vectors.setdefault((each.operation.name, each.model), {})
            by_probe[each.probe.name] = [vector for vector in found if vector]
    for (operation, model), by_probe in vectors.items():
        prompts = contract.prompts(model)
        prompted = {role: by_probe[role][0] for role in prompts if by_probe.get(role)}
        plain = by_probe.get("plain", [])
        names = f"plain, {', '.join(prompts)} of {model} at {operation}"
        _add(seen, check_prompts(plain, prompted, prompts, model), names)
    return seen


def _add(seen: Seen, differences: Iterable[Difference], name: str) -> None:
    for difference in differences:
        requests = seen.found.setdefault(difference, [])
        if name not in requests:
            requests.append(name)


def _note(left_behind: list[str], planned: Planned, answer: Answer) -> None:
    """Keep account of what was made and is still there."""
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
