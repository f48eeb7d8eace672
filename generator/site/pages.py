"""The sources of the site: pages of this repository, with their links adapted."""

import os.path
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from .. import paths

CONFIG = "zensical.toml"
MOVED = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "reporting.md",
    "spec/README.md": "contract.md",
    "tests/benchmarks/README.md": "benchmarks.md",
    "overlay/voyageai/transport/README.md": "connections.md",
}
"""Pages outside docs/, and their paths in the site."""
STANDS_FOR = {
    "spec/catalogue.yaml": "reference/models.md",
    "generated/voyageai_rest": "reference/rest.md",
    "generated/voyageai_admin_rest": "reference/admin-rest.md",
}
"""Pages generated from the code, by the files that pages of docs/ link to instead."""
LEFT_OUT = ("theme/",)
"""Prefixes of files in docs/ that are used by the build only."""
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^) ]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def config(root: Path = paths.ROOT) -> Any:
    """Return the site's settings."""
    return tomllib.loads(root.joinpath(CONFIG).read_text("utf-8"))["project"]


def in_order(nav: Any, section: str = "", below: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield section, title and file of each page, in the order of the navigation."""
    for entry in nav:
        for title, content in entry.items():
            if isinstance(content, str):
                yield section or title, f"{below}{title}", content
            else:
                yield from in_order(content, section or title, f"{title}: " if section else "")


def places(root: Path = paths.ROOT) -> dict[str, str]:
    """Return the path in the site of each file, by its path in the repository."""
    docs = root / "docs"
    found = {name: place for name, place in MOVED.items() if root.joinpath(name).is_file()}
    for path in sorted(docs.rglob("*")):
        name = path.relative_to(docs).as_posix()
        hidden = any(part.startswith((".", "__")) for part in path.relative_to(docs).parts)
        if path.is_file() and not hidden and not name.startswith(LEFT_OUT):
            found[f"docs/{name}"] = name
    return found


def write(folder: Path, written: Mapping[str, str], root: Path = paths.ROOT) -> None:
    """Write the sources of the site; unchanged files are not touched.

    Args:
        folder: Target folder; all other files in it are deleted.
        written: Pages that were generated from the code, by name.
        root: The checkout.
    """
    where = places(root)
    repository = project(root).get("urls", {}).get("Repository", "")
    content = {name: text.encode() for name, text in written.items()}
    for source, name in where.items():
        made = root.joinpath(source).read_bytes()
        if name.endswith(".md"):
            made = relinked(
                made.decode(), source, name, {**where, **STANDS_FOR}, repository
            ).encode()
        content[name] = made
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(folder).as_posix() not in content:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    for name, made in content.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != made:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made)


def relinked(
    text: str,
    source: str,
    name: str,
    where: Mapping[str, str],
    repository: str,
) -> str:
    """Return a page with its links changed to pages of the site.

    A link to a file that is not in the site is changed to the repository; without a URL of the
    repository, it is replaced by the name of the file.

    Args:
        text: The page, as Markdown.
        source: Path of the page in the checkout.
        name: Path of the page in the site.
        where: Paths in the site, by path in the checkout.
        repository: URL of the repository; empty if there is none.
    """

    def link(match: re.Match[str]) -> str:
        mark, label, target = match.groups()
        file, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:") or not file:
            return match[0]
        path = os.path.normpath(PurePosixPath(source).parent / file)
        if inside := where.get(path):
            here = os.path.relpath(inside, PurePosixPath(name).parent)
            return f"{mark}[{label}]({here}{'#' if anchor else ''}{anchor})"
        if repository:
            return f"{mark}[{label}]({repository}/blob/main/{path})"
        return label if PurePosixPath(path).name in label else f"{label} (`{path}`)"

    parts: list[str] = []
    end = 0
    for block in FENCE.finditer(text):
        parts += [LINK.sub(link, text[end : block.start()]), block[0]]
        end = block.end()
    return "".join([*parts, LINK.sub(link, text[end:])])


def project(root: Path = paths.ROOT) -> Any:
    """Return the table `project` of pyproject.toml."""
    return tomllib.loads(root.joinpath("pyproject.toml").read_text("utf-8"))["project"]


def clean(folder: Path) -> None:
    """Delete a folder, if it exists."""
    shutil.rmtree(folder, ignore_errors=True)
