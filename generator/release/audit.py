"""Find secrets, licences that are not allowed and known vulnerabilities; write the SBOM."""

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
    # A random key has a digit; the placeholders in tests have none.
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
    """Yield every place in these files that looks like a secret, without the secret itself."""
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


# SPDX identifiers of licences that let users choose any licence for their own work.
ALLOWED = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0"),
        *("MIT-CMU", "HPND", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib"),
        "MPL-2.0",  # applies only to changes of its own files
    }
)
# SPDX identifiers by classifier, for packages that state no identifier.
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
    """Yield a sentence for every component of a bill of materials whose licence is not allowed."""
    for component in bill["components"]:
        licences = licence_identifiers(component)
        if not licences:
            yield f"{component['name']} states no licence; find it and add it to audit.py"
        for licence in sorted(licences - ALLOWED):
            yield f"{component['name']} is under {licence}, which is not an allowed licence"


def licence_identifiers(component: dict[str, Any]) -> set[str]:
    """Return all licences that a component states, including alternatives."""
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
    """Return the packages of an environment as a CycloneDX bill of materials.

    Args:
        root: Tree with the metadata of the package itself.
        interpreter: Interpreter of the environment.
        version: Version of the package.
        seconds: Time for the bill, in seconds since 1970.
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
    # The tool reads pyproject.toml, which does not contain the version.
    package = bill["metadata"]["component"]
    package |= {"version": str(version), "purl": f"pkg:pypi/{package['name']}@{version}"}
    return bill


MAX_NAMED = 5  # packages that could not be checked


def vulnerabilities(root: Path, *, required: bool) -> str:
    """Look up the known vulnerabilities of every locked package.

    Args:
        root: Tree with the lock.
        required: Fail if a package could not be looked up.

    Returns:
        A sentence with the number of checked packages, and those that were not checked.

    Raises:
        ReleaseError: A package has a known vulnerability, or could not be looked up although
            `required` is true.
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
    reason = sentence if answer["dependencies"] else f"{sentence}\n{done.stderr.rstrip()}"
    if required:
        raise ReleaseError(reason)
    return f"SKIPPED, in whole or in part: {reason}"


def read_pip_audit(answer: dict[str, Any]) -> tuple[str, bool]:
    """Return a sentence about a report of pip-audit, and whether every package was checked.

    Raises:
        ReleaseError: The report contains a vulnerability.
    """
    checked = [package for package in answer["dependencies"] if "skip_reason" not in package]
    vulnerable = [
        f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in "
        f"{', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for package in checked
        for vulnerability in package["vulns"]
    ]
    if vulnerable:
        raise ReleaseError("\n".join(vulnerable))
    skipped = [package["name"] for package in answer["dependencies"] if "skip_reason" in package]
    sentence = f"no known vulnerabilities in {len(checked)} checked packages"
    if skipped:
        sentence += f"; {len(skipped)} could not be checked: {', '.join(skipped[:MAX_NAMED])}"
        sentence += " ..." if len(skipped) > MAX_NAMED else ""
    return sentence, bool(checked) and not skipped


def pins_here(locked: str) -> list[str]:
    """Return the locked versions that apply to this interpreter and system."""
    return [
        f"{pin.name}{pin.specifier}"
        for pin, _ in lock.pins(locked)
        if pin.marker is None or pin.marker.evaluate()
    ]
