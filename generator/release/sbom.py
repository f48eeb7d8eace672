"""The bill of materials: what a user gets who installs this package with its extras today."""

import json
import tempfile
from pathlib import Path
from typing import Any

from packaging.version import Version

from .tools import environment, python, run

SUFFIX = ".cdx.json"


def describe(root: Path, interpreter: Path, version: Version, seconds: int) -> dict[str, Any]:
    """Describe an environment in CycloneDX's form.

    Args:
        root: The tree, for what it says of the package.
        interpreter: Of the environment that the package is installed in.
        version: The package's.
        seconds: The time that the description bears, since 1970.
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
    # The tool reads pyproject.toml, where the version is not.
    package = bill["metadata"]["component"]
    package |= {"version": str(version), "purl": f"pkg:pypi/{package['name']}@{version}"}
    return bill
