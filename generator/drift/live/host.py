"""The parts of the contract and the catalogue that concern one host."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from ... import contract, spec
from ...spec import Document
from ..bodies import JSON

ACTIVE = "active"
RETIRED = "retired"
FREE = "free"


@frozen
class Operation:
    """An operation of the host.

    Attributes:
        id: Id in the contract.
        method: HTTP method.
        path: Path below the base URL.
        request: Name of the schema of its body; None if it has none.
        sends: Media type of its body; None if it has none.
        responses: Responses of the contract by status, such as `200` or `5XX`.
    """

    id: str
    method: str
    path: str
    request: str | None = None
    sends: str | None = None
    responses: Document = field(factory=dict)

    @property
    def name(self) -> str:
        """Name in reports."""
        return f"{self.method} {self.path}"

    @property
    def accepts(self) -> str | None:
        """JSON media type of its successful responses; None if they have none."""
        successes = (node for status, node in self.responses.items() if status.startswith("2"))
        return next((kind for node in successes for kind in json_types(node)), None)

    def schema(self, status: int) -> Document | None:
        """Return the schema of the JSON body of a status; None if there is none."""
        return json_schema(self.response(status) or {})

    def response(self, status: int) -> Document | None:
        """Return the response of a status in the contract; None if there is none."""
        found: Document | None = self.responses.get(str(status))
        return self.responses.get(f"{status // 100}XX") if found is None else found


@frozen
class HostContract:
    """The part of the contract that a host is compared with.

    Attributes:
        document: The OpenAPI document.
        catalogue: The catalogue of models.
        server: Entry of the host in the document; None if it has none.
    """

    document: Document
    catalogue: Document
    server: Document | None = None

    @property
    def schemas(self) -> Document:
        """Component schemas, by name."""
        schemas: Document = self.document["components"]["schemas"]
        return schemas

    def has_field(self, schema: Document, place: str) -> bool:
        """Return whether a schema, or an alternative of it, has a field such as `data[].index`."""
        schema = contract.resolve(self.document, schema)
        if any(self.has_field(each, place) for each in _alternatives(schema)):
            return True
        head, _, rest = place.partition(".")
        name = head.removesuffix("[]")
        if name not in schema.get("properties", {}):
            return False
        found: Document = contract.resolve(self.document, schema["properties"][name])
        for each in (found, *_alternatives(found)):
            inner = contract.resolve(self.document, each)
            if head.endswith("[]"):
                inner = inner.get("items", {})
            if not rest or self.has_field(inner, rest):
                return True
        return False

    def operations(self) -> dict[str, Operation]:
        """Return the operations of the host, by id."""
        name = None if self.server is None else self.server["x-name"]
        return {
            each["id"]: Operation(
                each["id"],
                each["method"],
                each["path"],
                each["request"],
                self._sends(each),
                {
                    status: contract.resolve(self.document, node)
                    for status, node in self._node(each)["responses"].items()
                },
            )
            for each in contract.operations(self.document)
            if name is None or name in each["servers"]
        }

    def body(self, operation: Operation) -> Any:
        """Return the contract's example of an operation's body; None if it has no body."""
        if operation.request is None:
            return None
        return self.document["components"]["schemas"][operation.request]["examples"][0]

    def models(self, path: str) -> dict[str, Document]:
        """Return the models that the host serves at a path, by name."""
        platform = None if self.server is None else self.server["x-platform"]
        return {
            name: model
            for name, model in self.catalogue["models"].items()
            if path == f"/{model['endpoint']}"
            and model["lifecycle"] != RETIRED
            and (platform is None or platform in model["platforms"])
        }

    def active(self, path: str) -> dict[str, Document]:
        """Return the active models that the host serves at a path, by name."""
        return {
            name: model for name, model in self.models(path).items() if model["lifecycle"] == ACTIVE
        }

    def price(self, model: str) -> float:
        """Return the price in US dollars per token; if it is unknown, the highest of all models."""
        prices = {
            name: each["price"]["usd_per_million_tokens"]
            for name, each in self.catalogue["models"].items()
            if isinstance(each.get("price", {}).get("usd_per_million_tokens"), int | float)
        }
        factor = 1.0
        if self.server is not None and self.server["x-platform"] == "geography":
            factor = self.catalogue["geography"]["price_factor"]
        return float(prices.get(model, max(prices.values()))) * factor / 1_000_000

    def limits(self, operation: Operation, field_name: str, model: str) -> Document:
        """Return the known limits of a request to a model, by name."""
        constraints = contract.constraints(self.document).get(operation.request or "", {})
        known = {
            "max_items": constraints.get(field_name, {}).get("max_items"),
            **self.catalogue["models"][model],
        }
        names = ("max_items", "context_length", "max_request_tokens")
        return {name: known[name] for name in names if isinstance(known.get(name), int)}

    def free(self) -> Document:
        """Return the rate limits of free accounts."""
        tier: Document = self.catalogue["tiers"][FREE]
        return tier

    def prompts(self, model: str) -> dict[str, str]:
        """Return the prompts of a model, by input_type."""
        name = self.catalogue["models"][model].get("prompts")
        prompts = self.catalogue["prompts"].get(name, {})
        return {role: text for role, text in prompts.items() if role != "source"}

    def headers(self) -> Iterator[frozenset[str]]:
        """Yield the headers of each response in the contract."""
        for operation in self.operations().values():
            yield from map(headers_of, operation.responses.values())

    def _sends(self, operation: Document) -> str | None:
        body = contract.resolve(self.document, self._node(operation).get("requestBody", {}))
        return next(iter(body.get("content", {})), None)

    def _node(self, operation: Document) -> Document:
        node: Document = self.document["paths"][operation["path"]][operation["method"].lower()]
        return node


def headers_of(response: Document) -> frozenset[str]:
    """Return the names of a response's headers."""
    return frozenset(name.lower() for name in response.get("headers", ()))


def json_types(response: Document) -> list[str]:
    """Return the JSON media types of a response, including versioned ones."""
    return [kind for kind in response.get("content", {}) if kind == JSON or kind.endswith("+json")]


def json_schema(response: Document) -> Document | None:
    """Return the schema of a response's JSON body; None if there is none."""
    for kind in json_types(response):
        schema: Document | None = response["content"][kind].get("schema")
        return schema
    return None


def _alternatives(schema: Document) -> list[Document]:
    return [*schema.get("anyOf", ()), *schema.get("oneOf", ())]


def read_contract(
    base_url: str | None, key: str, package: str | None = None
) -> tuple[HostContract, str]:
    """Return the contract of a host, and the host's base URL.

    Args:
        base_url: Base URL of the host; None for the host of the key's prefix.
        key: The API key.
        package: Package of the contract; None for the first.
    """
    every = spec.contracts()
    entry = next((each for each in every if each.package == package), every[0])
    document = spec.load(entry.document)
    catalogue: Document = {"models": {}, "prompts": {}}
    if entry.catalogue is not None:
        catalogue = spec.load(entry.catalogue)
    servers: list[Document] = document["servers"]
    if base_url:
        host = urlsplit(base_url).hostname
        server = next((each for each in servers if urlsplit(each["url"]).hostname == host), None)
    else:
        server = server_for_key(key, servers)
        base_url = str(server["url"])
    return HostContract(document, catalogue, server), base_url.rstrip("/")


def server_for_key(key: str, servers: list[Document]) -> Document:
    """Return the host with the longest matching key prefix; the first host if none matches."""
    prefixed = [
        each for each in servers if "x-key-prefix" in each and key.startswith(each["x-key-prefix"])
    ]
    return max(prefixed, key=lambda each: len(each["x-key-prefix"]), default=servers[0])


def values_at(document: Any, place: str) -> Iterator[Any]:
    """Yield the values at a place of a body, such as `data[].index`; None for missing ones."""
    head, _, rest = place.partition(".")
    name = head.removesuffix("[]")
    value = document.get(name) if isinstance(document, dict) else None
    values = (value if isinstance(value, list) else [None]) if head.endswith("[]") else [value]
    for each in values:
        yield from values_at(each, rest) if rest else (each,)
