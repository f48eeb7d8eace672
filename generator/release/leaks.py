"""Keys and passwords that stand in the tree by mistake."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

RULES = {
    # A key drawn by lot has a digit; words in place of one, as tests have them, have none.
    "a key of the API": r"(?<![\w-])(?:pa|al)-(?=[A-Za-z_-]*\d)[\w-]{20,}",
    "a token of a package index": r"\bpypi-[\w-]{32,}|\bnpm_[A-Za-z0-9]{36}\b",
    "a token of a forge": r"\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_\w{40,}|\bglpat-[\w-]{20}",
    "a token of a model hub": r"\bhf_[A-Za-z0-9]{30,}\b",
    "a key of a model provider": r"(?<![\w-])sk-[\w-]{32,}",
    "a cloud's access key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{35}\b",
    "a token of a chat": r"\bxox[abprs]-[\w-]{10,}",
    "a signed token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
}
_RULES = {name: re.compile(pattern) for name, pattern in RULES.items()}


def leaks(root: Path, names: Iterable[str]) -> Iterator[str]:
    """Every place in these files where something looks like a key; the key itself is not told."""
    for name in names:
        path = root / name
        if not path.is_file():  # deleted, not yet committed
            continue
        lines = path.read_bytes().decode("utf-8", "replace").splitlines()
        for number, line in enumerate(lines, 1):
            yield from (f"{name}:{number}: {what}" for what in _found(line))


def _found(line: str) -> Iterator[str]:
    for what, rule in _RULES.items():
        for match in rule.finditer(line):
            yield f"{what} that starts with {match[0][:4]}; remove it and revoke it"
