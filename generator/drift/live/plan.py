"""Turn a table of probes into requests, with their maximum cost."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import zip_longest
from typing import Any, Literal

from attrs import evolve, field, frozen

from ... import paths, spec
from ...spec import Document
from .host import HostContract, Operation

TABLES = paths.GENERATOR / "drift" / "live" / "probes"
HEADERS = paths.GENERATOR / "drift" / "live" / "headers.yaml"


@frozen(kw_only=True)
class Probe:
    """A kind of request, for one or more operations and models.

    probes/voyageai_rest.yaml explains the fields.
    """

    name: str
    shows: str
    at: list[str] = field(factory=list)
    get: str | None = None
    model: Literal["each", "cheapest", "foreign"] | None = None
    texts: list[str] | Literal["prompted"] = field(factory=list)
    over: str | None = None
    forms: bool = False
    body: Document = field(factory=dict)
    raw: str | None = None
    key: Literal["ours", "none", "wrong"] = "ours"
    status: int = 200
    or_status: int | None = None
    message: str | None = None
    has: list[str] = field(factory=list)
    keep: dict[str, str] = field(factory=dict)
    parameters: dict[str, str] = field(factory=dict)
    only: Literal["files", "batch", "limits"] | None = None


@frozen(kw_only=True)
class Access:
    """Names of the environment variables with the host and the credentials.

    Attributes:
        base_url: Variable with the base URL.
        key: Variable with the API key; None if `client` is set.
        client: Variables with the id and the secret of a client, which gets a token.
    """

    base_url: str
    key: str | None = None
    client: tuple[str, str] | None = None

    @property
    def secret(self) -> str:
        """Name of the variable with the secret."""
        return str(self.key or (self.client and self.client[1]))


@frozen(kw_only=True)
class ProbeTable:
    """The probes of a contract: the content of a file in probes/."""

    access: Access
    probes: list[Probe]
    parameters: dict[str, str] = field(factory=dict)
    text: str = ""
    takes: dict[str, Document] = field(factory=dict)
    reads: dict[str, list[str]] = field(factory=dict)
    always: dict[str, list[str]] = field(factory=dict)
    messages: dict[str, str] = field(factory=dict)
    rate_limited: dict[str, str] = field(factory=dict)
    not_catalogued: dict[str, str] = field(factory=dict)
    ordinary_headers: frozenset[str] = frozenset()

    def read(self, message: str, text: str) -> dict[str, str] | None:
        """Match a text against a recorded message, and return its groups; None if it differs."""
        pattern = (self.messages | self.rate_limited).get(message)
        found = None if pattern is None else re.match(pattern, text)
        return None if found is None else found.groupdict()


def parse_number(text: str) -> int:
    """Parse a number in a message, such as `1000` or `10K`."""
    return int(text.replace("K", "000"))


@cache
def load_table(package: str | None = None) -> ProbeTable:
    """Read the table of a contract.

    Args:
        package: Package of the contract; None for the first.

    Raises:
        GenerationError: The contract has no table.
    """
    package = package or spec.contracts()[0].package
    path = TABLES / f"{package}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in TABLES.glob("*.yaml")))
        raise spec.GenerationError(
            f"there are no probes for {package}: write {path.relative_to(paths.ROOT)}, like those "
            f"for {known}"
        )
    document: dict[str, Any] = {**spec.load(path)}
    preamble = document.pop("preamble", "")
    document["messages"] = {
        name: pattern.replace("{preamble}", preamble)
        for name, pattern in document.get("messages", {}).items()
    }
    headers = spec.load(HEADERS)["ordinary_headers"]
    access = document.pop("access")
    return ProbeTable(
        access=Access(**{**access, "client": access.get("client") and tuple(access["client"])}),
        probes=[Probe(**entry) for entry in document.pop("probes")],
        ordinary_headers=frozenset(name for line in headers for name in line),
        **document,
    )


WRAPPED: dict[str, Callable[[str], Any]] = {
    "text": lambda text: text,
    "list": lambda text: [text],
    "content": lambda text: {"content": [{"type": "text", "text": text}]},
}
WORD = "a "
"""A text of at least one token, and at most one per byte."""
PER_TEXT = 4
"""Maximum of tokens that a model adds to a text."""
UNLISTED = Probe(
    name="unlisted",
    shows="An operation without a probe of its own exists: it asks for a key.",
    key="none",  # its effect and cost are not known yet
    status=401,
    or_status=400,
)


@frozen
class PlannedRequest:
    """A single request.

    Attributes:
        probe: Probe that it belongs to.
        operation: Operation that it calls.
        model: Name of its model; None if it has none.
        body: Body, as JSON data or as text.
        tokens: Maximum of billed tokens.
        usd: Maximum cost in US dollars.
        limits: Known limits of such a request, by name.
        form: Arguments for dimension and dtype, if it tests them.
    """

    probe: Probe
    operation: Operation
    model: str | None = None
    body: Document | str | None = None
    tokens: int = 0
    usd: float = 0
    limits: Document = field(factory=dict)
    form: Document = field(factory=dict)

    @property
    def name(self) -> str:
        """Name in reports."""
        of = f" of {self.model}" if self.model and not self.form else ""
        return f"{self.subject}{of} at {self.operation.name}"

    @property
    def subject(self) -> str:
        """Name of what the probe tests."""
        named = " ".join(f"{name}={value}" for name, value in self.form.items())
        return f"{self.model} {named}" if named else self.probe.name


def plan(
    table: ProbeTable,
    contract: HostContract,
    wanted: Iterable[str] = (),
    *,
    every_model: bool = False,
) -> list[PlannedRequest]:
    """Return all requests, in the table's order.

    Args:
        table: The probes.
        contract: The contract of the host.
        wanted: Values of `only` to include.
        every_model: Include models that are not active.
    """
    operations = contract.operations()
    planned: list[PlannedRequest] = []
    for probe in table.probes:
        if probe.only is not None and probe.only not in wanted:
            continue
        if probe.get is not None:
            planned.append(PlannedRequest(probe, Operation("", "GET", probe.get)))
        for id in probe.at:
            if id in operations:
                planned += _requests_of(probe, operations[id], table, contract, every_model)
    listed = {id for probe in table.probes for id in probe.at}
    planned += [
        _unlisted(operation, contract) for id, operation in operations.items() if id not in listed
    ]
    return planned


def unknown_fields(table: ProbeTable, contract: HostContract) -> Iterator[str]:
    """Yield a sentence for every field of the table that the contract does not have."""
    operations = contract.operations()
    named: dict[str, dict[str, None]] = {}
    for probe in table.probes:
        for id in probe.at:
            named.setdefault(id, {}).update(dict.fromkeys((*probe.has, *probe.keep.values())))
    for id, places in table.reads.items():
        named.setdefault(id, {}).update(dict.fromkeys(places))
    for id, fields in named.items():
        schema = operations[id].schema(200) if id in operations else None
        if schema is not None:
            missing = [place for place in fields if not contract.has_field(schema, place)]
            yield from (f"the answer of {id} has no field {place}" for place in missing)
    for id, takes in table.takes.items():
        request = contract.schemas.get(operations[id].request or "") if id in operations else None
        if request is not None and not contract.has_field(request, takes["field"]):
            yield f"the request of {id} has no field {takes['field']}"
    for name, always in table.always.items():
        schema = contract.schemas.get(name)
        if schema is None:
            yield f"there is no schema {name}"
        else:
            missing = [field for field in always if not contract.has_field(schema, field)]
            yield from (f"the schema {name} has no field {field}" for field in missing)


def _unlisted(operation: Operation, contract: HostContract) -> PlannedRequest:
    """Return a request with the contract's example as body, and ids that do not exist."""
    parameters = {part[1:-1]: "0" for part in operation.path.split("/") if part[:1] == "{"}
    return PlannedRequest(
        evolve(UNLISTED, parameters=parameters), operation, body=contract.body(operation)
    )


def _requests_of(
    probe: Probe, operation: Operation, table: ProbeTable, contract: HostContract, every_model: bool
) -> Iterator[PlannedRequest]:
    if probe.model is None:
        body = probe.raw if probe.raw is not None else probe.body or None
        yield PlannedRequest(probe, operation, body=body)
        return
    # The arguments of a batch job name its endpoint.
    path = "/" + str(probe.body.get("endpoint", operation.path)).rpartition("/")[2]
    if probe.model == "foreign":
        operations = contract.operations()
        others = (name for id in table.takes for name in contract.active(operations[id].path))
        models = [name for name in others if name not in contract.models(path)][:1]
    elif probe.model == "each" and every_model:
        models = list(contract.models(path))
    else:
        models = list(contract.active(path))
    requests = [
        request
        for model in models
        for form in (_forms(contract.catalogue["models"][model]) if probe.forms else [{}])
        if (request := _request(probe, operation, table, contract, model, form)) is not None
    ]
    if probe.model == "cheapest":
        requests = sorted(requests, key=lambda each: each.usd)[:1]
    yield from requests


def _forms(model: Document) -> list[Document]:
    """Return pairs of arguments that cover every non-default dimension and dtype."""
    dimensions = [n for n in model["dimensions"]["allowed"] if n != model["dimensions"]["default"]]
    names = ("output_dimension", "output_dtype")
    return [
        {name: value for name, value in zip(names, pair, strict=True) if value is not None}
        for pair in zip_longest(dimensions, model["dtypes"][1:])
    ]


def _request(
    probe: Probe,
    operation: Operation,
    table: ProbeTable,
    contract: HostContract,
    model: str,
    form: Document,
) -> PlannedRequest | None:
    """Return the request for one model; None if the limit that it tests is unknown."""
    takes = table.takes.get(operation.id)
    body = {**fill(probe.body, {"model": model}), **form}
    if takes is None:
        tokens = len(json.dumps(body))
        return PlannedRequest(probe, operation, model, body, tokens, tokens * contract.price(model))
    prompts = contract.prompts(model)
    limits = contract.limits(operation, takes["field"], model)
    if probe.over is not None and not {probe.over, "context_length"} <= limits.keys():
        return None
    texts = _texts(probe, table.text, prompts, limits)
    wrapped = [WRAPPED[takes["each"]](text) for text in texts]
    body = {takes["field"]: wrapped, "model": model, **takes.get("besides", {}), **body}
    longest = max(map(len, prompts.values())) if prompts and "input_type" in body else 0
    before = longest + len(body.get("query", "")) + PER_TEXT
    tokens = sum(before + len(text.encode()) for text in texts)
    usd = tokens * contract.price(model)
    return PlannedRequest(probe, operation, model, body, tokens, usd, limits, form)


def _texts(probe: Probe, text: str, prompts: dict[str, str], limits: Document) -> list[str]:
    if probe.over == "max_items":
        return [WORD.strip()] * (limits["max_items"] + 1)
    if probe.over is not None:
        words = limits[probe.over] + 1
        per_text = limits["context_length"] // 2 if probe.over == "max_request_tokens" else words
        return [WORD * min(per_text, words - begun) for begun in range(0, words, per_text)]
    if probe.texts == "prompted":
        return [text, *(prompt + text for prompt in prompts.values())]
    return [each.replace("{text}", text) for each in probe.texts]


def fill(value: Any, kept: dict[str, str]) -> Any:
    """Return JSON data with names in braces replaced by kept values."""
    if isinstance(value, dict):
        return {key: fill(each, kept) for key, each in value.items()}
    if isinstance(value, list):
        return [fill(each, kept) for each in value]
    if isinstance(value, str) and value[:1] == "{" and value[1:-1] in kept:
        return kept[value[1:-1]]
    return value
