"""The licences of what this package brings along."""

import re
from collections.abc import Iterator
from typing import Any

# SPDX identifiers; all of them let users use, change and pass on their own work as they like.
ALLOWED = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0"),
        *("MIT-CMU", "HPND", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib"),
        "MPL-2.0",  # concerns changes of its own files only
    }
)
# As packages say it that name no identifier.
CLASSIFIERS = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "License :: OSI Approved :: Python Software Foundation License": "PSF-2.0",
}
_OPERATORS = re.compile(r"\s+(?:AND|OR|WITH)\s+|[()]")


def faults(bill: dict[str, Any]) -> Iterator[str]:
    """Every component of a bill of materials whose licence is not allowed, as a sentence."""
    for component in bill["components"]:
        stated = identifiers(component)
        if not stated:
            yield f"{component['name']} states no licence; find it and add it to licences.py"
        for licence in sorted(stated - ALLOWED):
            yield f"{component['name']} is under {licence}, which is not an allowed licence"


def identifiers(component: dict[str, Any]) -> set[str]:
    """Everything that a component says its licence is; of alternatives, all."""
    found: set[str] = set()
    for statement in component.get("licenses", ()):
        licence = statement.get("license", {})
        if "name" in licence:
            found.add(CLASSIFIERS.get(licence["name"], licence["name"]))
        expression = statement.get("expression", licence.get("id", ""))
        found.update(part.strip() for part in _OPERATORS.split(expression) if part.strip())
    return found
