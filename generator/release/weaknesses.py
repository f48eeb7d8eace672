"""Known weaknesses of the locked packages, where somebody can be asked about them."""

import json
import tempfile
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from . import lock
from .tools import ReleaseError, attempt, python

SHOWN = 5  # names of packages that nobody could be asked about


def ask(root: Path, *, required: bool) -> str:
    """Ask about every locked package.

    Args:
        root: The tree.
        required: Whether it is a fault that somebody could not be asked.

    Returns:
        A sentence on how many packages were asked about, and which were not.

    Raises:
        ReleaseError: If a weakness is known.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "here.txt")
        file.write_text("\n".join(pins(root.joinpath(lock.FILE).read_text(encoding="utf-8"))))
        done = attempt(
            *python("pip_audit", "--requirement", file, "--no-deps", "--disable-pip"),
            *("--progress-spinner", "off", "--format", "json"),
        )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {"dependencies": []}
    sentence, complete = judge(answer)
    if complete:
        return sentence
    said = sentence if answer["dependencies"] else f"{sentence}\n{done.stderr.rstrip()}"
    if required:
        raise ReleaseError(said)
    return f"SKIPPED, in whole or in part: {said}"


def judge(answer: dict[str, Any]) -> tuple[str, bool]:
    """What an answer of pip-audit says, and whether it is about every package.

    Raises:
        ReleaseError: If it tells of a weakness.
    """
    asked = [package for package in answer["dependencies"] if "skip_reason" not in package]
    weak = [
        f"{package['name']} {package['version']}: {weakness['id']}, fixed in "
        f"{', '.join(weakness['fix_versions']) or 'no version yet'}"
        for package in asked
        for weakness in package["vulns"]
    ]
    if weak:
        raise ReleaseError("\n".join(weak))
    silent = [package["name"] for package in answer["dependencies"] if "skip_reason" in package]
    sentence = f"no known weaknesses in {len(asked)} checked packages"
    if silent:
        sentence += f"; {len(silent)} could not be checked: {', '.join(silent[:SHOWN])}"
        sentence += " ..." if len(silent) > SHOWN else ""
    return sentence, bool(asked) and not silent


def pins(locked: str) -> list[str]:
    """The locked versions that are for this interpreter and system."""
    found = [Requirement(line) for line in locked.splitlines()]
    return [
        f"{pin.name}{pin.specifier}" for pin in found if pin.marker is None or pin.marker.evaluate()
    ]
