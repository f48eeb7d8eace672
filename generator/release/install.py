"""Environments as users have them: this package and what it needs, nothing else."""

import sys
from pathlib import Path
from typing import Literal

from packaging.metadata import parse_email
from packaging.requirements import Requirement

from . import archives
from .tools import ReleaseError, python, run

Resolution = Literal["lowest-direct", "highest"]

# Not `local`, whose packages weigh gigabytes; nor `compat`, which is the official client's list.
EXTRAS = ("arrow", "emulator", "images", "numpy", "progress", "socks", "tokenizers", "video")
FIRST_CALL = Path(__file__).parent / "first_call.py"


def make(folder: Path, needed: list[str], resolution: Resolution = "highest") -> Path:
    """Make an environment with nothing but what is needed.

    Args:
        folder: Where; nothing may be there yet.
        needed: Requirements.
        resolution: Which versions of them are taken.

    Returns:
        The environment's interpreter.
    """
    uv("venv", "--quiet", "--python", sys.executable, folder)
    interpreter = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    uv("pip", "install", "--quiet", "--python", interpreter, "--resolution", resolution, *needed)
    return interpreter


def add(interpreter: Path, wheel: Path) -> None:
    """Install a wheel alone, and see that nothing it needs is missing."""
    uv("pip", "install", "--python", interpreter, "--no-deps", wheel)
    uv("pip", "check", "--python", interpreter)


def use(interpreter: Path, script: Path = FIRST_CALL) -> str:
    """Run a script with nothing but what is installed there; any warning fails. What it prints."""
    return run(interpreter, "-I", "-W", "error", script, cwd=interpreter.parent)


def requirements(wheel: Path, extras: tuple[str, ...] = EXTRAS) -> list[str]:
    """What a wheel says it needs, here, with these extras."""
    found: set[str] = set()
    for text in _metadata(wheel).get("requires_dist", []):
        needed = Requirement(text)
        marker = needed.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            needed.marker = None
            found.add(str(needed))
    return sorted(found)


def _metadata(wheel: Path) -> dict[str, list[str]]:
    for name, content in archives.members(wheel).items():
        if name.endswith(".dist-info/METADATA"):
            return dict(parse_email(content)[0])  # type: ignore[arg-type]  # a mapping of another kind
    raise ReleaseError(f"{wheel.name} is not a wheel: it has no METADATA")


def uv(*arguments: str | Path, cwd: Path | None = None) -> str:
    """Run uv; what it prints."""
    return run(*python("uv", *arguments), cwd=cwd)
