"""Comparing what is asked of callers."""

from collections.abc import Iterator

from ..spec import Document as Mapping
from .differences import Difference, Place, difference
from .documents import Document
from .operation import Operation

NOBODY = "no key"


def compare_security(old: Operation, new: Operation) -> Iterator[Difference]:
    """Ways to authenticate, one of which is enough."""
    before, after = _ways(old), _ways(new)
    gone, come = before - after, after - before
    if not gone and not come:
        return
    if not gone or not come:
        kind = "auth-removed" if gone else "auth-added"
    elif all(any(less <= way for less in come) for way in gone):
        kind = "auth-dropped"
    else:
        kind = "auth-changed"
    yield difference(kind, Place(old.label, "security"), _told(gone), _told(come))


Way = frozenset[tuple[str, str]]


def _ways(operation: Operation) -> set[Way]:
    """Each way as all that it asks for, in words, since the names of schemes mean nothing."""
    return {
        frozenset(
            (_scheme(operation.document, name), scope)
            for name, scopes in way.items()
            for scope in ("", *scopes)
        )
        for way in operation.security() or [{}]
    }


def _told(ways: set[Way]) -> str | None:
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
        or NOBODY
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
