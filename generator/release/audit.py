"""Look for secrets, licences that are not allowed and known vulnerabilities; write the SBOM."""

import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from packaging.version import Version

from ..commands import ReleaseError, attempt, environment, python, run
from . import lock

RULES = {
    # A random key has a digit; the words in its place in tests have none.
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


def secrets(root: Path, names: Iterable[str]) -> Iterator[str]:
    """Yield every place in these files that looks like a key, without the key itself."""
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


# SPDX identifiers; all of them let users licence their own work as they like.
ALLOWED = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0"),
        *("MIT-CMU", "HPND", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib"),
        "MPL-2.0",  # concerns changes of its own files only
    }
)
# For packages that state no identifier.
CLASSIFIERS = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "License :: OSI Approved :: Python Software Foundation License": "PSF-2.0",
}
_OPERATORS = re.compile(r"\s+(?:AND|OR|WITH)\s+|[()]")


def licence_faults(bill: dict[str, Any]) -> Iterator[str]:
    """Yield every component of a bill of materials whose licence is not allowed, as a sentence."""
    for component in bill["components"]:
        stated = licence_identifiers(component)
        if not stated:
            yield f"{component['name']} states no licence; find it and add it to audit.py"
        for licence in sorted(stated - ALLOWED):
            yield f"{component['name']} is under {licence}, which is not an allowed licence"


def licence_identifiers(component: dict[str, Any]) -> set[str]:
    """Return every licence that a component states; of alternatives, all."""
    found: set[str] = set()
    for statement in component.get("licenses", ()):
        licence = statement.get("license", {})
        if "name" in licence:
            found.add(CLASSIFIERS.get(licence["name"], licence["name"]))
        expression = statement.get("expression", licence.get("id", ""))
        found.update(part.strip() for part in _OPERATORS.split(expression) if part.strip())
    return found


SBOM_SUFFIX = ".cdx.json"


def bill_of_materials(
    root: Path, interpreter: Path, version: Version, seconds: int
) -> dict[str, Any]:
    """Describe what is installed in an environment, in the form of CycloneDX.

    Args:
        root: The tree, for the package's own metadata.
        interpreter: The environment's interpreter.
        version: The version of the package.
        seconds: The time to write into it, since 1970.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "bom.json")
        run(
            *python("cyclonedx_py", "environment", interpreter),
            *("--pyproject", root / "pyproject.toml", "--mc-type", "library"),
            *("--output-reproducible", "--of", "JSON", "-o", file),
            env=environment({"SOURCE_DATE_EPOCH": str(seconds)}),
        )
        bill: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    # The tool reads pyproject.toml, which does not have the version.
    package = bill["metadata"]["component"]
    package |= {"version": str(version), "purl": f"pkg:pypi/{package['name']}@{version}"}
    return bill


SHOWN = 5  # names of packages that could not be checked


def vulnerabilities(root: Path, *, required: bool) -> str:
    """Look up the known vulnerabilities of every locked package.

    Args:
        root: The tree.
        required: Fail if a package could not be looked up.

    Returns:
        A sentence on how many packages were checked, and which were not.

    Raises:
        ReleaseError: A vulnerability is known.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "here.txt")
        file.write_text("\n".join(pins_here(root.joinpath(lock.FILE).read_text(encoding="utf-8"))))
        done = attempt(
            *python("pip_audit", "--requirement", file, "--no-deps", "--disable-pip"),
            *("--progress-spinner", "off", "--format", "json"),
        )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {"dependencies": []}
    sentence, complete = read_pip_audit(answer)
    if complete:
        return sentence
    said = sentence if answer["dependencies"] else f"{sentence}\n{done.stderr.rstrip()}"
    if required:
        raise ReleaseError(said)
    return f"SKIPPED, in whole or in part: {said}"


def read_pip_audit(answer: dict[str, Any]) -> tuple[str, bool]:
    """Read a report of pip-audit: a sentence, and whether every package was checked.

    Raises:
        ReleaseError: The report has a vulnerability.
    """
    asked = [package for package in answer["dependencies"] if "skip_reason" not in package]
    vulnerable = [
        f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in "
        f"{', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for package in asked
        for vulnerability in package["vulns"]
    ]
    if vulnerable:
        raise ReleaseError("\n".join(vulnerable))
    silent = [package["name"] for package in answer["dependencies"] if "skip_reason" in package]
    sentence = f"no known vulnerabilities in {len(asked)} checked packages"
    if silent:
        sentence += f"; {len(silent)} could not be checked: {', '.join(silent[:SHOWN])}"
        sentence += " ..." if len(silent) > SHOWN else ""
    return sentence, bool(asked) and not silent


def pins_here(locked: str) -> list[str]:
    """Return the locked versions that apply to this interpreter and system."""
    return [
        f"{pin.name}{pin.specifier}"
        for pin, _ in lock.pins(locked)
        if pin.marker is None or pin.marker.evaluate()
    ]
