"""Comparing what is asked of callers."""

from collections.abc import Iterator

from ..spec import Document as Mapping
from .differences import Difference, Place, difference
from .documents import Document
from .operation import Operation

NOBODY = "no key"


def compare_security(old: Operation, new: Operation) -> Iterator[Difference]:
    """Ways to be let in; whoever has one of them is."""
    place = Place(old.label, "security")
    before, after = _ways(old), _ways(new)
    gone, come = sorted(before - after), sorted(after - before)
    if gone and NOBODY in come:
        yield difference("auth-dropped", place, " or ".join(gone), NOBODY)
    elif gone and come:
        yield difference("auth-changed", place, " or ".join(gone), " or ".join(come))
    elif gone or come:
        kind = "auth-removed" if gone else "auth-added"
        yield difference(kind, place, " or ".join(gone) or None, " or ".join(come) or None)


def _ways(operation: Operation) -> set[str]:
    """Each way in words, since the names of schemes mean nothing."""
    return {
        " and ".join(
            sorted(_scheme(operation.document, name, scopes) for name, scopes in way.items())
        )
        or NOBODY
        for way in operation.security() or [{}]
    }


def _scheme(document: Document, name: str, scopes: list[str]) -> str:
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
    if scopes:
        words.append(f"for {', '.join(sorted(scopes))}")
    return " ".join(words)


def _addresses(flow: Mapping) -> str:
    return ", ".join(flow[key] for key in ("authorizationUrl", "tokenUrl") if key in flow)
