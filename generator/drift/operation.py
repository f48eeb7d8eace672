"""One operation of a document, with all that it inherits."""

from collections.abc import Iterator
from typing import Any

from attrs import frozen

from ..contract import METHODS
from ..spec import Document as Mapping
from .documents import Document, Raw, blanked


@frozen
class Operation:
    """A method of a path.

    Attributes:
        document: Where it is described.
        method: In capitals.
        path: The template of the path, as written.
        item: The path's entry, of which the operation inherits.
        node: The operation's own entry.
    """

    document: Document
    method: str
    path: str
    item: Mapping
    node: Mapping

    @property
    def label(self) -> str:
        """What reports call it."""
        return f"{self.method} {self.path}"

    @property
    def key(self) -> str:
        """What makes it the same operation in another document."""
        return f"{self.method} {blanked(self.path)}"

    def parameters(self) -> dict[tuple[str, str], Mapping]:
        """Parameters by where they are and what they are called there.

        Those of the path are known by their position: their names are never sent.
        """
        found: dict[tuple[str, str], Mapping] = {}
        for parameter in (*self.item.get("parameters", ()), *self.node.get("parameters", ())):
            followed = self.document.follow(parameter)
            found[self._key_of(followed)] = followed
        return found

    def _key_of(self, parameter: Mapping) -> tuple[str, str]:
        where, name = parameter["in"], parameter["name"]
        if where == "path":
            marker = "{" + name + "}"
            return where, str(self.path.partition(marker)[0].count("{"))
        return where, name.lower() if where == "header" else name

    def security(self) -> Any:
        """What it asks of callers."""
        return self.node.get("security", self.document.raw.get("security", []))

    def servers(self) -> set[str] | None:
        """Addresses of its own hosts; None if it has those of the whole document."""
        for holder in (self.node, self.item):
            if "servers" in holder:
                return set(by_url(holder["servers"]))
        for tag in self.document.raw.get("tags", ()):
            if tag["name"] in self.node.get("tags", ()) and "x-servers" in tag:
                nodes = by_url(self.document.raw.get("servers", ())).items()
                return {url for url, node in nodes if node.get("x-name") in tag["x-servers"]}
        return None


def operations(document: Document) -> dict[str, Operation]:
    """Every operation, by what makes it the same in another document."""
    return {operation.key: operation for operation in _operations(document)}


def _operations(document: Document) -> Iterator[Operation]:
    for path, item in document.raw.get("paths", {}).items():
        followed = document.follow(item)
        for method in METHODS:
            if method in followed:
                yield Operation(document, method.upper(), path, followed, followed[method])


def by_url(servers: Any) -> dict[str, Mapping]:
    """Hosts by their address, variables replaced by each of their values, or by the default."""
    found: dict[str, Mapping] = {}
    for server in servers or [{"url": "/"}]:
        urls = [server["url"]]
        for name, variable in server.get("variables", {}).items():
            values = variable.get("enum", [variable["default"]])
            urls = [url.replace(f"{{{name}}}", str(value)) for url in urls for value in values]
        found |= dict.fromkeys((url.rstrip("/") or "/" for url in urls), server)
    return found


def schema_of(node: Mapping) -> Raw:
    """The schema of a body, a parameter or a header: its own, or that of its only content."""
    holder = next(iter(node["content"].values())) if "content" in node else node
    return holder.get("schema", True)
