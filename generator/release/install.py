"""Create environments like those of users, with only this package and its requirements."""

import sys
from pathlib import Path
from typing import Literal

from packaging.metadata import parse_email
from packaging.requirements import Requirement

from ..commands import ReleaseError, python, run
from . import contents

Resolution = Literal["lowest-direct", "highest"]

# The extras of the tests. Not `local`, whose packages have gigabytes; not `compat`, the
# dependencies of the official client; and not those of engines and frameworks.
EXTRAS = (
    *("arrow", "cli", "emulator", "images", "mongodb", "numpy", "otel", "progress", "sagemaker"),
    *("socks", "tables", "tokenizers", "vertex", "video"),
)
SMOKE_TEST = Path(__file__).parent / "smoke_test.py"


def make_environment(folder: Path, needed: list[str], resolution: Resolution = "highest") -> Path:
    """Create a virtual environment with only these requirements.

    Args:
        folder: Folder to create.
        needed: Requirements.
        resolution: Install their lowest or highest versions.

    Returns:
        The interpreter of the environment.
    """
    uv("venv", "--quiet", "--python", sys.executable, folder)
    interpreter = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    uv("pip", "install", "--quiet", "--python", interpreter, "--resolution", resolution, *needed)
    return interpreter


def install_wheel(interpreter: Path, wheel: Path) -> None:
    """Install a wheel without its dependencies, and check that none is missing."""
    uv("pip", "install", "--python", interpreter, "--no-deps", wheel)
    uv("pip", "check", "--python", interpreter)


def run_smoke_test(interpreter: Path, script: Path = SMOKE_TEST) -> str:
    """Run a script in an environment, with warnings as errors, and return its output."""
    return run(interpreter, "-I", "-W", "error", script, cwd=interpreter.parent)


def requirements(wheel: Path, extras: tuple[str, ...] = EXTRAS) -> list[str]:
    """Return the requirements of a wheel with extras, for this interpreter and system."""
    found: set[str] = set()
    for text in _metadata(wheel).get("requires_dist", []):
        needed = Requirement(text)
        marker = needed.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            needed.marker = None
            found.add(str(needed))
    return sorted(found)


def _metadata(wheel: Path) -> dict[str, list[str]]:
    for name, content in contents.members(wheel).items():
        if name.endswith(".dist-info/METADATA"):
            return dict(parse_email(content)[0])  # type: ignore[arg-type]  # a mapping of another kind
    raise ReleaseError(f"{wheel.name} is not a wheel: it has no METADATA")


def uv(*arguments: str | Path, cwd: Path | None = None) -> str:
    """Run uv, and return its output."""
    return run(*python("uv", *arguments), cwd=cwd)
