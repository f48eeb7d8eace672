"""Compare operations: parameters, authentication and hosts, and with `bodies` their bodies."""

from collections.abc import Iterator
from typing import Any

from ..spec import Document as Mapping
from .bodies import compare_examples, compare_request, compare_responses
from .differences import Difference, Place, difference
from .documents import (
    Document,
    Operation,
    operations,
    schema_of,
    servers_by_url,
    without_prose,
)
from .schemas import SchemaComparison
from .shapes import NULL, shapes

# The default style of a parameter, by location.
STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
# For these types, `explode` makes no difference.
SCALARS = {"string", "integer", "number", "boolean", NULL}
# Headers that OpenAPI ignores among parameters.
ELSEWHERE = {("header", name) for name in ("accept", "content-type", "authorization")}


def compare_operations(old: Document, new: Document) -> Iterator[Difference]:
    """Yield removed, new and changed operations."""
    before, after = operations(old), operations(new)
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            label = before[key].label
            yield difference("operation-removed", Place(label), label, None, subject=label)
        elif key not in before:
            label = after[key].label
            yield difference("operation-added", Place(label), None, label, subject=label)
        else:
            yield from _operation(before[key], after[key])


def _operation(old: Operation, new: Operation) -> Iterator[Difference]:
    place = Place(old.label)
    yield from _words(old, new, place)
    yield from compare_servers_of(old, new, place)
    yield from compare_security(old, new)
    yield from _parameters(old, new)
    yield from compare_request(old, new)
    yield from compare_responses(old, new)


def _words(old: Operation, new: Operation, place: Place) -> Iterator[Difference]:
    for key, kind in (
        ("operationId", "operation-renamed"),
        ("summary", "summary-changed"),
        ("description", "description-changed"),
        ("tags", "tags-changed"),
    ):
        was, now = _plain(old.node.get(key)), _plain(new.node.get(key))
        if was != now:
            yield difference(kind, place, was, now)
    was, now = old.node.get("deprecated", False), new.node.get("deprecated", False)
    if was != now:
        yield difference("deprecated" if now else "no-longer-deprecated", place)
    was, now = (side.document.inlined(side.node.get("callbacks")) for side in (old, new))
    yield from compare_callbacks(was, now, place)


def compare_callbacks(was: Any, now: Any, place: Place) -> Iterator[Difference]:
    """Compare callbacks or webhooks literally, with all references replaced."""
    if without_prose(was) != without_prose(now):
        yield difference("callbacks-changed", place, was, now)
    elif was != now:
        yield difference("description-changed", place, was, now, name="the callbacks")


def _parameters(old: Operation, new: Operation) -> Iterator[Difference]:
    before, after = old.parameters(), new.parameters()
    for key in sorted((before.keys() | after.keys()) - ELSEWHERE):
        where, name = key[0], (before.get(key) or after[key])["name"]
        place = Place(old.label, where, name)
        if key not in after:
            yield difference("parameter-removed", place, name, None)
        elif key not in before:
            required = "-required" if after[key].get("required") else ""
            yield difference(f"parameter-added{required}", place, None, name)
        else:
            schemas = SchemaComparison(old.document, new.document, "request")
            yield from _parameter(schemas, before[key], after[key], place)


def _parameter(
    schemas: SchemaComparison, before: Mapping, after: Mapping, place: Place
) -> Iterator[Difference]:
    if before["in"] == "path" and before["name"] != after["name"]:
        yield difference("parameter-renamed", place, before["name"], after["name"])
    required = after.get("required", False)
    if before.get("required", False) != required:
        yield difference("parameter-required" if required else "parameter-optional", place)
    if before.get("deprecated", False) != after.get("deprecated", False):
        kind = "deprecated" if after.get("deprecated") else "no-longer-deprecated"
        yield difference(kind, place)
    was, now = _plain(before.get("description")), _plain(after.get("description"))
    if was != now:
        yield difference("description-changed", place, was, now)
    was, now = _serialization(schemas.old, before), _serialization(schemas.new, after)
    if was != now:
        yield difference("serialization-changed", place, was, now)
    yield from compare_examples(schemas, before, after, place)
    yield from schemas.compare(schema_of(before), schema_of(after), place)


def _serialization(document: Document, parameter: Mapping) -> str:
    if "content" in parameter:
        return str(next(iter(parameter["content"])))
    style = parameter.get("style", STYLES[parameter["in"]])
    types = {shape.type for shape in shapes(document, schema_of(parameter))}
    if types <= SCALARS:
        return str(style)
    explode = parameter.get("explode", style == "form")
    return f"{style}, {'exploded' if explode else 'in one'}"


def _plain(value: Any) -> Any:
    """Return a text without its line breaks, or a list sorted."""
    if isinstance(value, str):
        return " ".join(value.split())
    return sorted(value) if value else None


NO_KEY = "no key"


def compare_security(old: Operation, new: Operation) -> Iterator[Difference]:
    """Compare the alternative ways to authenticate."""
    before, after = _ways(old), _ways(new)
    removed, added = before - after, after - before
    if not removed and not added:
        return
    if not removed or not added:
        kind = "auth-removed" if removed else "auth-added"
    elif all(any(less <= way for less in added) for way in removed):
        kind = "auth-dropped"
    else:
        kind = "auth-changed"
    yield difference(kind, Place(old.label, "security"), _in_words(removed), _in_words(added))


Way = frozenset[tuple[str, str]]


def _ways(operation: Operation) -> set[Way]:
    """Return each way as the set of its schemes, described in words, as names differ."""
    return {
        frozenset(
            (_scheme(operation.document, name), scope)
            for name, scopes in way.items()
            for scope in ("", *scopes)
        )
        for way in operation.security() or [{}]
    }


def _in_words(ways: set[Way]) -> str | None:
    return " or ".join(sorted(map(_way, ways))) or None


def _way(way: Way) -> str:
    schemes: dict[str, list[str]] = {}
    for scheme, scope in sorted(way):
        schemes.setdefault(scheme, []).extend([scope] if scope else [])
    return (
        " and ".join(
            f"{scheme} for {', '.join(scopes)}" if scopes else scheme
            for scheme, scopes in schemes.items()
        )
        or NO_KEY
    )


def _scheme(document: Document, name: str) -> str:
    schemes: Mapping = document.raw.get("components", {}).get("securitySchemes", {})
    scheme = document.follow(schemes.get(name, {"type": f"the undefined scheme {name}"}))
    words = [scheme["type"]]
    if scheme["type"] == "http":
        words.append(scheme["scheme"].lower())
    elif scheme["type"] == "apiKey":
        words.append(f"in the {scheme['in']} `{scheme['name']}`")
    elif scheme["type"] == "oauth2":
        words += (f"{flow} at {_addresses(node)}" for flow, node in sorted(scheme["flows"].items()))
    elif scheme["type"] == "openIdConnect":
        words.append(f"at {scheme['openIdConnectUrl']}")
    return " ".join(words)


def _addresses(flow: Mapping) -> str:
    return ", ".join(flow[key] for key in ("authorizationUrl", "tokenUrl") if key in flow)


# Extensions of hosts that clients use.
EXTENSIONS = ("x-name", "x-platform", "x-key-prefix")


def compare_servers(old: Document, new: Document) -> Iterator[Difference]:
    """Compare the hosts of two documents."""
    before, after = servers_by_url(old.raw.get("servers")), servers_by_url(new.raw.get("servers"))
    yield from _urls(set(before), set(after), Place("servers"))
    for url in sorted(before.keys() & after.keys()):
        place = Place("servers", url)
        for key in EXTENSIONS:
            was, now = before[url].get(key), after[url].get(key)
            if was != now:
                kind = "server-stated" if was is None else "server-changed"
                yield difference(kind, place, was, now, name=key, subject=url)
        was, now = before[url].get("description"), after[url].get("description")
        if was != now:
            yield difference("description-changed", place, was, now, name=url, subject=url)


def compare_servers_of(old: Operation, new: Operation, place: Place) -> Iterator[Difference]:
    """Compare the hosts of an operation, if it has own hosts in either document."""
    was, now = old.servers(), new.servers()
    if was is None and now is None:
        return
    if was is None:
        was = set(servers_by_url(old.document.raw.get("servers")))
    if now is None:
        now = set(servers_by_url(new.document.raw.get("servers")))
    yield from _urls(was, now, place)


def _urls(before: set[str], after: set[str], place: Place) -> Iterator[Difference]:
    for url in sorted(before - after):
        yield difference("server-removed", place, url, None, subject=url)
    for url in sorted(after - before):
        yield difference("server-added", place, None, url, subject=url)
