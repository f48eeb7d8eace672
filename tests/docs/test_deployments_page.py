"""The table of docs/deployments.md is made from the contract's data; run as a module it writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from voyageai_rest.deployments import DEPLOYMENTS, DeploymentKind

PAGE = Path(__file__).parents[2] / "docs/deployments.md"
MARKS = ("<!-- table -->\n", "<!-- end of the table -->")
OPERATIONS = {
    "embeddings": "embed",
    "contextualizedembeddings": "contextualized_embed",
    "multimodalembeddings": "multimodal_embed",
    "rerank": "rerank",
    "files": "files",
    "batches": "batches",
}


def field_name(key: str) -> str:
    """Return the name of a field, with its method unless all methods have it."""
    endpoint, _, field = key.rpartition(".")
    return f"`{field}` of `{OPERATIONS[endpoint]}`" if endpoint else f"`{field}`"


def cells(kind: DeploymentKind) -> Iterator[str]:
    """Yield the cells of the row of a deployment."""
    yield f"`{kind.name}`: {kind.title}"
    yield ", ".join(f"`{OPERATIONS[name]}`" for name in kind.paths)
    refused = list(map(field_name, kind.refused))
    if not kind.fetches_urls:
        refused.append("URLs of pictures and videos")
    if kind.max_request_bytes is not None:
        refused.append(f"more than {kind.max_request_bytes:,} bytes")
    yield ", ".join(refused)
    headers = [f"Header `{name}`: {what}" for name, what in kind.headers.items()]
    prefix = [f"`voyage-4` becomes `{kind.model_prefix}voyage-4`."] if kind.model_prefix else []
    key = [f"Its key is in `{kind.key_variable}`."] if kind.key_variable else []
    yield " ".join([*prefix, *key, *headers])


def table() -> str:
    """Return the table, made from the data."""
    lines = ["| deployment | has | refused before it is sent | remarks |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(cells(kind))} |" for kind in DEPLOYMENTS.values()]
    return "\n".join(lines) + "\n"


def with_table(page: str) -> str:
    """Return the page with the current table."""
    before, _, rest = page.partition(MARKS[0])
    return f"{before}{MARKS[0]}{table()}{MARKS[1]}{rest.partition(MARKS[1])[2]}"


def test_the_table_of_deployments_is_that_of_the_contract():
    """Readers choose a deployment by it; `python -m tests.docs.test_deployments_page` writes it."""
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_table(page)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
